/**
 * Takes the controls out of a request that a server may leave unheard (RFC 4511 section 4.1.11): ldapjs fails to read some of them,
 * such as the password policy request of nearly every LDAP client.
 */
import { element, readElement, readElements } from '../ldap/ber.ts';

const [sequence, controlsTag, boolean] = [0x30, 0xa0, 0x01] as const;

/** The message without the controls that are not critical, but for those named. */
export function withoutOptionalControls(message: Buffer, known: ReadonlySet<string>): Buffer {
  const [id, operation, controls] = readElements(readElement(message, 0)?.content ?? Buffer.alloc(0));
  if (id === undefined || operation === undefined || controls?.tag !== controlsTag) return message;
  const kept = readElements(controls.content).filter(({ content }) => {
    const [oid, ...rest] = readElements(content);
    const isCritical = rest.some(({ tag, content: value }) => tag === boolean && value[0] !== 0);
    return isCritical || known.has(oid?.content.toString() ?? '');
  });
  const parts = [id, operation].map(({ tag, content }) => element(tag, content));
  if (kept.length > 0) parts.push(element(controlsTag, Buffer.concat(kept.map(({ tag, content }) => element(tag, content)))));
  return element(sequence, Buffer.concat(parts));
}
