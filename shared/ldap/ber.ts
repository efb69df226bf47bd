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
export function isWellFormed(bytes: Buffer): boolean {
  return areWhole(bytes, { start: 0, end: bytes.length }, 0);
}

/** By offsets alone: every answer is looked through, so nothing is made for it. */
function areWhole(bytes: Buffer, { start, end }: { readonly start: number; readonly end: number }, depth: number): boolean {
  if (depth > deepest) return false;
  for (let offset = start; offset < end;) {
    const tag = bytes[offset] ?? 0;
    const first = bytes[offset + 1] ?? 0;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const content = offset + 2 + lengthBytes;
    if (lengthBytes > 4 || content > end) return false;
    const next = content + (lengthBytes === 0 ? first & 0x7f : bytes.readUIntBE(offset + 2, lengthBytes));
    if (next > end || ((tag & constructed) !== 0 && !areWhole(bytes, { start: content, end: next }, depth + 1))) return false;
    offset = next;
  }
  return true;
}

/** One element; its length always in the short or the four-byte form. */
export function element(tag: number, content: Buffer): Buffer {
  const { bytes, start } = emptyElement(tag, content.length);
  content.copy(bytes, start);
  return bytes;
}

/** One element of text, in UTF-8. */
export function textElement(tag: number, text: string): Buffer {
  const { bytes, start } = emptyElement(tag, Buffer.byteLength(text));
  bytes.write(text, start);
  return bytes;
}

/** Its content begins at `start`, and is to be filled in. */
function emptyElement(tag: number, length: number): { readonly bytes: Buffer; readonly start: number } {
  const start = length < 0x80 ? 2 : 6;
  const bytes = Buffer.allocUnsafe(start + length);
  bytes[0] = tag;
  bytes[1] = length < 0x80 ? length : 0x84;
  if (length >= 0x80) bytes.writeUInt32BE(length, 2);
  return { bytes, start };
}
