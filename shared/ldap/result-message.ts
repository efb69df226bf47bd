/**
 * Requests that are answered by one LDAPResult (RFC 4511 sections 4.2, 4.6, 4.7 and 4.12) and the reading of that answer, controls
 * included (pure). ldapjs keeps the controls and the diagnostic message of a refusal to itself, and takes every answer to a Password
 * Modify for a success.
 */
import { element, readElement, readElements, textElement as text } from './ber.ts';

/** What a server says of a request. */
export interface ResultMessage {
  /** The tag of the protocolOp: 0x61 to a bind, 0x65 at the end of a search, 0x67 to a modify, 0x69 to an add, 0x78 to an extended request. */
  readonly protocolOp: number;
  readonly resultCode: number;
  readonly diagnosticMessage: string;
  /** The error of the password policy control, if the server sent one. */
  readonly policyError: PolicyError | undefined;
}

/** PasswordPolicyResponseValue (draft-behera-ldap-password-policy-10 section 6.2), in the order of its numbers. */
const policyErrors = [
  'passwordExpired', 'accountLocked', 'changeAfterReset', 'passwordModNotAllowed', 'mustSupplyOldPassword', 'insufficientPasswordQuality',
  'passwordTooShort', 'passwordTooYoung', 'passwordInHistory',
] as const;
export type PolicyError = (typeof policyErrors)[number];

const passwordPolicyOid = '1.3.6.1.4.1.42.2.27.8.5.1';
const [sequence, integer, octetString] = [0x30, 0x02, 0x04] as const;

/** A simple bind that asks for the password policy's view, too. */
export function bindRequest(messageId: number, dn: string, password: string): Buffer {
  const operation = element(0x60, Buffer.concat([element(integer, Buffer.from([3])), text(octetString, dn), text(0x80, password)]));
  return message(messageId, operation, element(0xa0, element(sequence, text(octetString, passwordPolicyOid))));
}

/** Password Modify (RFC 3062 section 2) of an entry. */
export function passwordModifyRequest(messageId: number, dn: string, passwords: { readonly old: string | undefined; readonly new: string }): Buffer {
  const parts = [text(0x80, dn), ...(passwords.old === undefined ? [] : [text(0x81, passwords.old)]), text(0x82, passwords.new)];
  const value = element(sequence, Buffer.concat(parts));
  return message(messageId, element(0x77, Buffer.concat([text(0x80, '1.3.6.1.4.1.4203.1.11.1'), element(0x81, value)])));
}

/** One change of a Modify; no values of a `delete` or `replace`: the whole attribute goes. */
export interface ValueChange {
  readonly operation: 'add' | 'delete' | 'replace';
  readonly attribute: string;
  readonly values: readonly (string | Buffer)[];
}

const operations = { add: 0, delete: 1, replace: 2 } as const;

/** Modify (RFC 4511 section 4.6). */
export function modifyRequest(messageId: number, dn: string, changes: readonly ValueChange[]): Buffer {
  const list = changes.map((change) =>
    element(sequence, Buffer.concat([element(0x0a, Buffer.from([operations[change.operation]])), element(sequence, attributeWithValues(change))])));
  return message(messageId, element(0x66, Buffer.concat([text(octetString, dn), element(sequence, Buffer.concat(list))])));
}

/** One attribute of a new entry. */
export interface NewAttribute {
  readonly attribute: string;
  readonly values: readonly (string | Buffer)[];
}

/** Add (RFC 4511 section 4.7). */
export function addRequest(messageId: number, dn: string, attributes: readonly NewAttribute[]): Buffer {
  const list = attributes.map((one) => element(sequence, attributeWithValues(one)));
  return message(messageId, element(0x68, Buffer.concat([text(octetString, dn), element(sequence, Buffer.concat(list))])));
}

/** Delete (RFC 4511 section 4.8). */
export function deleteRequest(messageId: number, dn: string): Buffer {
  return message(messageId, text(0x4a, dn));
}

/** What stands inside PartialAttribute and Attribute (RFC 4511 section 4.1.7). */
function attributeWithValues({ attribute, values }: NewAttribute): Buffer {
  return Buffer.concat([text(octetString, attribute), element(0x31, Buffer.concat(values.map((value) => element(octetString, Buffer.from(value)))))]);
}

/** The message id of a whole LDAP message. */
export function messageIdOf(bytes: Buffer): number | undefined {
  const id = readElement(readElement(bytes, 0)?.content ?? Buffer.alloc(0), 0);
  return id?.tag === integer && id.content.length >= 1 && id.content.length <= 4 ? id.content.readIntBE(0, id.content.length) : undefined;
}

/** Reads an answer; undefined for what is no LDAPResult. */
export function readResult(bytes: Buffer): ResultMessage | undefined {
  const [, operation, controls] = readElements(readElement(bytes, 0)?.content ?? Buffer.alloc(0));
  if (operation === undefined) return undefined;
  const [code, matched, diagnostic] = readElements(operation.content);
  if (code?.tag !== 0x0a || code.content.length !== 1 || matched?.tag !== octetString || diagnostic?.tag !== octetString) return undefined;
  return {
    protocolOp: operation.tag, resultCode: code.content[0] ?? 0, diagnosticMessage: diagnostic.content.toString('utf8'),
    policyError: controls?.tag === 0xa0 ? policyErrorIn(controls.content) : undefined,
  };
}

function policyErrorIn(controls: Buffer): PolicyError | undefined {
  for (const control of readElements(controls)) {
    const [oid, ...more] = readElements(control.content);
    if (oid?.content.toString() !== passwordPolicyOid) continue;
    const value = more.find(({ tag }) => tag === octetString);
    const error = readElements(readElement(value?.content ?? Buffer.alloc(0), 0)?.content ?? Buffer.alloc(0)).find(({ tag }) => tag === 0x81);
    return policyErrors[error?.content[0] ?? -1];
  }
  return undefined;
}

/** A whole LDAP message (RFC 4511 section 4.1.1). */
export function message(id: number, operation: Buffer, controls: Buffer = Buffer.alloc(0)): Buffer {
  const idBytes = Buffer.alloc(4);
  idBytes.writeInt32BE(id);
  return element(sequence, Buffer.concat([element(integer, idBytes), operation, controls]));
}
