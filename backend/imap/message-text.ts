/** A message as readable text for SEARCH: header fields with RFC 2047 words decoded, text parts out of their encodings. */
import { parseDayMs } from '../../shared/imap/dates.ts';
import { decodeCharset, decodeWords } from '../../shared/mime/encoded-words.ts';
import { splitFields } from '../../shared/mime/header.ts';
import type { HeaderField } from '../../shared/mime/header.ts';
import { createTransferDecoder, decodeText } from '../../shared/mime/text.ts';
import type { MessageStructure, Part } from '../../shared/mime/structure.ts';
import type { StoredMessage } from '../storage/storage.ts';

/** Makes texts comparable: compatibility forms and cases are the same (in the spirit of i;unicode-casemap, RFC 5051). */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** The day of the Date field as it stands there, whatever its zone (RFC 9051 section 6.4.4, SENTON), as midnight UTC. */
export function sentDayMs(structure: MessageStructure): number | undefined {
  const match = /(\d{1,2})\s+([A-Za-z]{3})\w*\s+(\d{4})/.exec(structure.envelope.date ?? '');
  const dayMs = match === null ? undefined : parseDayMs(`${match[1] ?? ''}-${match[2] ?? ''}-${match[3] ?? ''}`);
  return dayMs ?? structure.sentAtMs;
}

export class MessageText {
  readonly #message: StoredMessage;

  constructor(message: StoredMessage) {
    this.#message = message;
  }

  /** A field of that name (lower-case) whose value holds the folded text. */
  async headerHas(name: string, wanted: string): Promise<boolean> {
    if (name === 'subject' && wanted !== '') return fold(decodeWords(this.#message.structure.envelope.subject ?? '')).includes(wanted);
    const fields = await this.#fields(this.#message.structure.root);
    return fields.some((field) => field.name === name && holds(field, wanted));
  }

  /** Any field of the message or of one of its parts. */
  async anyHeaderHas(wanted: string): Promise<boolean> {
    for (const part of partsOf(this.#message.structure.root)) {
      const fields = await this.#fields(part);
      if (fields.some((field) => holds({ ...field, value: `${field.name}: ${field.value}` }, wanted))) return true;
    }
    return false;
  }

  /** A text part, or the header of an enclosed message. */
  async bodyHas(wanted: string): Promise<boolean> {
    const { root } = this.#message.structure;
    for (const part of partsOf(root)) {
      if (part.type === 'text' && (await this.#textHas(part, wanted))) return true;
      const [enclosed] = part.type === 'message' ? part.children : [];
      if (enclosed !== undefined && (await this.#fields(enclosed)).some((field) => holds(field, wanted))) return true;
    }
    return false;
  }

  async #fields(part: Part): Promise<HeaderField[]> {
    const header = await this.#message.read(part.headerStart, part.bodyStart - part.headerStart);
    return splitFields(header.toString('latin1'));
  }

  /** Read, decoded and folded in pieces of whole lines: a text of many megabytes would take a worker's time for a second otherwise. */
  async #textHas(part: Part, wanted: string): Promise<boolean> {
    const charset = part.parameters.find(([name]) => name === 'charset')?.[1] ?? 'us-ascii';
    const length = part.bodyEnd - part.bodyStart;
    if (length <= pieceBytes || !linesAreBytes(charset)) {
      return fold(decodeText(await this.#message.read(part.bodyStart, length), part.encoding, charset)).includes(wanted);
    }
    const decoder = createTransferDecoder(part.encoding);
    let before = '';
    let rest: Buffer = Buffer.alloc(0);
    for (let at = part.bodyStart; at < part.bodyEnd; at += pieceBytes) {
      const size = Math.min(pieceBytes, part.bodyEnd - at);
      const last = at + size === part.bodyEnd;
      const bytes = Buffer.concat([rest, decoder.write(await this.#message.read(at, size)), ...(last ? [decoder.end()] : [])]);
      const cut = last ? bytes.length : endOfLines(bytes);
      const text = before + fold(decodeCharset(bytes.subarray(0, cut), charset));
      if (text.includes(wanted)) return true;
      before = text.slice(Math.max(0, text.length - wanted.length)); // what is wanted may go over a line's end
      rest = bytes.subarray(cut);
    }
    return false;
  }
}

const pieceBytes = 256 * 1024;

/** Whether a line feed is the byte 10 in this charset, and nothing else is. */
function linesAreBytes(charset: string): boolean {
  return !/^(?:utf-?(?:16|32|7)|ucs|iso-2022|hz)/i.test(charset);
}

/** Behind the last line feed; of one endless line all, but not into a character of UTF-8. */
function endOfLines(bytes: Buffer): number {
  const lineEnd = bytes.lastIndexOf(0x0a) + 1;
  if (lineEnd > 0 || bytes.length < pieceBytes) return lineEnd;
  let cut = bytes.length - 4;
  while (cut > bytes.length - 8 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return cut;
}

function holds(field: HeaderField, wanted: string): boolean {
  return wanted === '' || fold(decodeWords(field.value)).includes(wanted);
}

/** The part and all below it. */
function* partsOf(part: Part): Generator<Part, void, void> {
  yield part;
  for (const child of part.children) yield* partsOf(child);
}
