/**
 * Answers to messages that ldapjs can't read (bad names, SASL binds, unknown operations), made from the little that can be
 * read: RFC 4511 section 4.1.1 wants an answer where the message id is known, and a notice of disconnection otherwise.
 */
import { NameSyntaxError, parseDn } from './dn.ts';
import { results } from './result.ts';

/** Requests by their tag (RFC 4511 section 4): the tag of the answer. */
const answerTags: ReadonlyMap<number, number> = new Map([
  [0x60, 0x61], [0x63, 0x65], [0x66, 0x67], [0x68, 0x69], [0x4a, 0x6b], [0x6c, 0x6d], [0x6e, 0x6f], [0x77, 0x78],
]);

const octetString = 0x04;
/** ExtendedResponse with message id 0, protocolError and the name 1.3.6.1.4.1.1466.20036 (RFC 4511 section 4.4.1). */
const noticeOfDisconnection = tlv(0x30, Buffer.concat([
  tlv(0x02, Buffer.from([0])),
  tlv(0x78, Buffer.concat([resultBytes(results.protocolError, ''), tlv(0x8a, Buffer.from('1.3.6.1.4.1.1466.20036'))])),
]));

/** The answer to send, and whether the connection must be ended after it. */
export function answerToUnreadable(message: Buffer): { readonly bytes: Buffer; readonly then: 'go on' | 'disconnect' } {
  const id = readTlv(readTlv(message, 0)?.content ?? Buffer.alloc(0), 0);
  const operation = id === undefined ? undefined : readTlv(readTlv(message, 0)?.content ?? Buffer.alloc(0), id.end);
  const answerTag = answerTags.get(operation?.tag ?? 0);
  if (id === undefined || operation === undefined || answerTag === undefined || id.tag !== 0x02) {
    return { bytes: noticeOfDisconnection, then: 'disconnect' };
  }
  const code = results[reason(operation.tag, operation.content)];
  const answer = tlv(answerTag, resultBytes(code, 'the request can\'t be read'));
  return { bytes: tlv(0x30, Buffer.concat([tlv(0x02, id.content), answer])), then: 'go on' };
}

/** Nothing but a name at the place of a name that is none, and a bind that is not simple, are told apart. */
function reason(tag: number, content: Buffer): 'authMethodNotSupported' | 'invalidDNSyntax' | 'protocolError' {
  if (tag === 0x60) {
    const version = readTlv(content, 0);
    const name = version === undefined ? undefined : readTlv(content, version.end);
    const method = name === undefined ? undefined : readTlv(content, name.end);
    if (method?.tag === 0xa3) return 'authMethodNotSupported';
    return isBadName(name?.content) ? 'invalidDNSyntax' : 'protocolError';
  }
  const first = readTlv(content, 0);
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

interface Tlv { readonly tag: number; readonly content: Buffer; readonly end: number }

function readTlv(bytes: Buffer, offset: number): Tlv | undefined {
  const [tag, first] = [bytes[offset], bytes[offset + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || bytes.length < offset + 2 + lengthBytes) return undefined;
  const start = offset + 2 + lengthBytes;
  const end = start + (lengthBytes === 0 ? first & 0x7f : bytes.readUIntBE(offset + 2, lengthBytes));
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}

/** One BER element; its length always in the short or the four-byte form. */
export function tlv(tag: number, content: Buffer): Buffer {
  const header = content.length < 0x80 ? Buffer.from([tag, content.length]) : Buffer.from([tag, 0x84, 0, 0, 0, 0]);
  if (content.length >= 0x80) header.writeUInt32BE(content.length, 2);
  return Buffer.concat([header, content]);
}

function resultBytes(code: number, text: string): Buffer {
  return Buffer.concat([tlv(0x0a, Buffer.from([code])), tlv(octetString, Buffer.alloc(0)), tlv(octetString, Buffer.from(text))]);
}
