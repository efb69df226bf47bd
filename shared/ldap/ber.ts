/** The little of BER that LDAP needs (RFC 4511 section 5.1): elements with one-byte tags and definite lengths. */

export interface Element { readonly tag: number; readonly content: Buffer; readonly end: number }

/** The element that begins at `offset`; undefined where there is no whole one. */
export function readElement(bytes: Buffer, offset: number): Element | undefined {
  const [tag, first] = [bytes[offset], bytes[offset + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || bytes.length < offset + 2 + lengthBytes) return undefined;
  const start = offset + 2 + lengthBytes;
  const end = start + (lengthBytes === 0 ? first & 0x7f : bytes.readUIntBE(offset + 2, lengthBytes));
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}

/** All elements of a constructed one's content, up to the first that is broken. */
export function readElements(content: Buffer): Element[] {
  const elements: Element[] = [];
  for (let element = readElement(content, 0); element !== undefined; element = readElement(content, element.end)) elements.push(element);
  return elements;
}

const constructed = 0x20;
/** Deeper than any LDAP message of ours is (RFC 4511 appendix B). */
const deepest = 16;

/** Whether bytes are whole elements and nothing else, constructed ones all the way down. */
export function isWellFormed(bytes: Buffer, depth = 0): boolean {
  if (depth > deepest) return false;
  for (let offset = 0; offset < bytes.length;) {
    const found = readElement(bytes, offset);
    if (found === undefined) return false;
    if ((found.tag & constructed) !== 0 && !isWellFormed(found.content, depth + 1)) return false;
    offset = found.end;
  }
  return true;
}

/** One element; its length always in the short or the four-byte form. */
export function element(tag: number, content: Buffer): Buffer {
  const header = content.length < 0x80 ? Buffer.from([tag, content.length]) : Buffer.from([tag, 0x84, 0, 0, 0, 0]);
  if (content.length >= 0x80) header.writeUInt32BE(content.length, 2);
  return Buffer.concat([header, content]);
}
