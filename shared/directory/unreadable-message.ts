/**
 * Answers to messages that ldapjs can't read (bad names, SASL binds, unknown operations), made from the little that can be
 * read: RFC 4511 section 4.1.1 wants an answer where the message id is known, and a notice of disconnection otherwise.
 */
import { element, readElement } from '../ldap/ber.ts';
import { NameSyntaxError, parseDn } from './dn.ts';
import { results } from './result.ts';

/** Requests by their tag (RFC 4511 section 4): the tag of the answer. */
const answerTags: ReadonlyMap<number, number> = new Map([
  [0x60, 0x61], [0x63, 0x65], [0x66, 0x67], [0x68, 0x69], [0x4a, 0x6b], [0x6c, 0x6d], [0x6e, 0x6f], [0x77, 0x78],
]);

const octetString = 0x04;
/** ExtendedResponse with message id 0, protocolError and the name 1.3.6.1.4.1.1466.20036 (RFC 4511 section 4.4.1). */
const noticeOfDisconnection = element(0x30, Buffer.concat([
  element(0x02, Buffer.from([0])),
  element(0x78, Buffer.concat([resultBytes(results.protocolError, ''), element(0x8a, Buffer.from('1.3.6.1.4.1.1466.20036'))])),
]));

/** The answer to send, and whether the connection must be ended after it. */
export function answerToUnreadable(message: Buffer): { readonly bytes: Buffer; readonly then: 'go on' | 'disconnect' } {
  const id = readElement(readElement(message, 0)?.content ?? Buffer.alloc(0), 0);
  const operation = id === undefined ? undefined : readElement(readElement(message, 0)?.content ?? Buffer.alloc(0), id.end);
  const answerTag = answerTags.get(operation?.tag ?? 0);
  if (id === undefined || operation === undefined || answerTag === undefined || id.tag !== 0x02) {
    return { bytes: noticeOfDisconnection, then: 'disconnect' };
  }
  const code = results[reason(operation.tag, operation.content)];
  const answer = element(answerTag, resultBytes(code, 'the request can\'t be read'));
  return { bytes: element(0x30, Buffer.concat([element(0x02, id.content), answer])), then: 'go on' };
}

/** Nothing but a name at the place of a name that is none, and a bind that is not simple, are told apart. */
function reason(tag: number, content: Buffer): 'authMethodNotSupported' | 'invalidDNSyntax' | 'protocolError' {
  if (tag === 0x60) {
    const version = readElement(content, 0);
    const name = version === undefined ? undefined : readElement(content, version.end);
    const method = name === undefined ? undefined : readElement(content, name.end);
    if (method?.tag === 0xa3) return 'authMethodNotSupported';
    return isBadName(name?.content) ? 'invalidDNSyntax' : 'protocolError';
  }
  const first = readElement(content, 0);
  const name = tag === 0x4a ? content : first?.tag === octetString ? first.content : undefined;
  return isBadName(name) ? 'invalidDNSyntax' : 'protocolError';
}

function isBadName(bytes: Buffer | undefined): boolean {
  if (bytes === undefined) return false;
  try {
    parseDn(bytes.toString('utf8'));
    return false;
  } catch (error) {
    if (error instanceof NameSyntaxError) return true;
    throw error;
  }
}

function resultBytes(code: number, text: string): Buffer {
  return Buffer.concat([element(0x0a, Buffer.from([code])), element(octetString, Buffer.alloc(0)), element(octetString, Buffer.from(text))]);
}
