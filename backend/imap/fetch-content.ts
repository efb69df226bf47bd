/** The bytes of BODY[…], RFC822… and BINARY[…] (RFC 9051 section 6.4.5): finds them by the structure, sends them in pieces. */
import type { ContentItem, HeaderFields, PartialRange, Section } from '../../shared/imap/fetch-items.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import { fieldLines } from '../../shared/mime/field-lines.ts';
import { createTransferDecoder } from '../../shared/mime/text.ts';
import type { Part } from '../../shared/mime/structure.ts';
import type { StoredMessage } from '../storage/storage.ts';
import { Refusal, no } from './replies.ts';
import type { Session } from './session.ts';

/** What is to be sent for an item. */
export type Content =
  | { readonly kind: 'missing' }
  | { readonly kind: 'number'; readonly value: number }
  /** Bytes of the message as they are. */
  | { readonly kind: 'range'; readonly range: Range; readonly form: 'literal' | 'literal8' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly form: 'literal' | 'literal8' };

interface Range {
  readonly offset: number;
  readonly length: number;
}

const pieceBytes = 128 * 1024;
const knownEncodings: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary', 'base64', 'quoted-printable']);

/** Finds an item's content. Refuses an unknown transfer encoding (BINARY only, RFC 3516 section 4.3). */
export async function prepareContent(message: StoredMessage, item: ContentItem): Promise<Content> {
  if (item.kind !== 'section') return binaryContent(message, item);
  const { of } = item.section;
  const range = sectionRange(message, item.section);
  if (range === undefined) return { kind: 'missing' };
  if (typeof of !== 'object') return readable(message, clip(range, item.partial));
  const header = await message.read(range.offset, range.length);
  return { kind: 'bytes', bytes: cut(await selectFields(header, of), item.partial), form: 'literal' };
}

/** @throws Failure where its bytes are gone, as with a lost pack: while that can be answered, before a literal is announced. What is read here is at hand then. */
async function readable(message: StoredMessage, range: Range): Promise<Content> {
  if (range.length > 0 && message.atHand() === undefined) await message.read(range.offset, Math.min(pieceBytes, range.length));
  return { kind: 'range', range, form: 'literal' };
}

/** Sends prepared content. Once a literal was announced, only a broken connection can end it early. */
export async function sendContent(session: Session, message: StoredMessage, content: Content): Promise<void> {
  const { output } = session;
  if (content.kind === 'missing') output.add('NIL');
  else if (content.kind === 'number') output.add(String(content.value));
  else if (content.kind === 'bytes') {
    output.add(`${content.form === 'literal8' ? '~' : ''}{${String(content.bytes.length)}}\r\n`);
    await output.bytes(content.bytes);
  } else {
    output.add(`${content.form === 'literal8' ? '~' : ''}{${String(content.range.length)}}\r\n`);
    await sendRange(session, rangeBytes(message, content.range));
  }
}

/** How many bytes the content has; undefined when there is none. */
export function contentSize(content: Content): number | undefined {
  if (content.kind === 'range') return content.range.length;
  return content.kind === 'bytes' ? content.bytes.length : undefined;
}

/** The bytes of content that has some. */
export async function* contentBytes(message: StoredMessage, content: Content): AsyncGenerator<Buffer, void, void> {
  if (content.kind === 'range') yield* rangeBytes(message, content.range);
  if (content.kind === 'bytes') yield content.bytes;
}

async function* rangeBytes(message: StoredMessage, { offset, length }: Range): AsyncGenerator<Buffer, void, void> {
  for (let read = 0; read < length; read += pieceBytes) yield message.read(offset + read, Math.min(pieceBytes, length - read));
}

async function sendRange(session: Session, pieces: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (session.abandoned) return;
      await session.output.bytes(piece);
    }
  } catch (error) {
    session.log.error({ err: error }, 'could not read a message that was being sent');
    session.connection.destroy();
    session.enter({ at: 'logout', then: 'close' });
  }
}

function sectionRange(message: StoredMessage, { part: numbers, of }: Section): Range | undefined {
  if (numbers.length === 0) return wholeMessageRange(message, of);
  const found = findPart(message.structure.root, numbers);
  if (found === undefined) return undefined;
  if (of === 'mime') return between(found.headerStart, found.bodyStart);
  if (of === 'all') return between(found.bodyStart, found.bodyEnd);
  // HEADER and TEXT are of an enclosed message.
  const enclosed = found.type === 'message' ? found.children[0] : undefined;
  if (enclosed === undefined) return undefined;
  return of === 'text' ? between(enclosed.bodyStart, enclosed.bodyEnd) : between(enclosed.headerStart, enclosed.bodyStart);
}

/** Of the stored message itself, for which no structure has to be taken apart. */
function wholeMessageRange(message: StoredMessage, of: Section['of']): Range {
  if (of === 'all') return between(0, message.size);
  return of === 'text' ? between(message.headerBytes, message.size) : between(0, message.headerBytes);
}

function between(start: number, end: number): Range {
  return { offset: start, length: Math.max(0, end - start) };
}

/** The part that a section stands for as a whole; undefined when there is none, or it is only a piece of one. */
export function partAt(message: StoredMessage, { part: numbers, of }: Section): Part | undefined {
  if (of !== 'all') return undefined;
  return numbers.length === 0 ? message.structure.root : findPart(message.structure.root, numbers);
}

/** The part that section numbers lead to (RFC 9051 section 6.4.5.1): parts of a multipart; a message that is none has just part 1. */
function findPart(root: Part, numbers: readonly number[]): Part | undefined {
  let message: Part | undefined = root;
  let found: Part | undefined;
  for (const number of numbers) {
    const container: Part | undefined = found === undefined ? message : containerIn(found);
    if (container === undefined) return undefined;
    message = container;
    if (container.type === 'multipart') found = container.children[number - 1];
    else found = number === 1 ? container : undefined;
    if (found === undefined) return undefined;
  }
  return found;
}

/** Whose numbers count below a part: a multipart's own, an enclosed message's, else none. */
function containerIn(part: Part): Part | undefined {
  if (part.type === 'multipart') return part;
  return part.type === 'message' ? part.children[0] : undefined;
}

/** A header of megabytes may have millions of fields: so many are looked at, and held, at a time. */
const fieldsAtOnce = 4096;

/** The header lines of the named fields, or of all others, and the empty line that ends each header. */
async function selectFields(header: Buffer, { fields, which }: HeaderFields): Promise<Buffer> {
  const names = new Set(fields);
  const text = header.toString('latin1');
  const chosen = Buffer.allocUnsafe(header.length + 2);
  const pacer = new Pacer();
  let length = 0;
  for (let some = fieldLines(text, 0, fieldsAtOnce), last = some.at(-1); last !== undefined; some = fieldLines(text, last.end, fieldsAtOnce), last = some.at(-1)) {
    for (const { name, start, end } of some) if (names.has(name) === (which === 'these')) length += header.copy(chosen, length, start, end);
    if (pacer.isDue) await pacer.breathe();
  }
  length += chosen.write('\r\n', length);
  return chosen.subarray(0, length);
}

async function binaryContent(message: StoredMessage, item: ContentItem): Promise<Content> {
  const { part: numbers } = item.section;
  const part = numbers.length === 0 ? undefined : findPart(message.structure.root, numbers);
  // A size is a number in any case (RFC 9051 section 9): that of NIL.
  if (numbers.length > 0 && part === undefined) return item.kind === 'binary-size' ? { kind: 'number', value: 0 } : { kind: 'missing' };
  if (part === undefined) {
    const whole = { offset: 0, length: message.size };
    return item.kind === 'binary-size' ? { kind: 'number', value: message.size } : wholeContent(message, clip(whole, item.partial));
  }
  if (!knownEncodings.has(part.encoding)) throw new Refusal(no('unknown content transfer encoding', 'UNKNOWN-CTE'));
  if (item.kind === 'binary-size') return { kind: 'number', value: await decode(message, part, () => undefined) };
  const pieces: Buffer[] = [];
  await decode(message, part, (piece) => pieces.push(piece));
  const bytes = cut(Buffer.concat(pieces), item.partial);
  return { kind: 'bytes', bytes, form: bytes.includes(0) ? 'literal8' : 'literal' };
}

/** Of the message as it is: NUL stands only in a literal8 (RFC 9051 section 4.3). */
async function wholeContent(message: StoredMessage, range: Range): Promise<Content> {
  for await (const piece of rangeBytes(message, range)) if (piece.includes(0)) return { kind: 'range', range, form: 'literal8' };
  return { kind: 'range', range, form: 'literal' };
}

/** Undoes the transfer encoding piece by piece; answers the number of bytes. */
async function decode(message: StoredMessage, part: Part, take: (piece: Buffer) => void): Promise<number> {
  const decoder = createTransferDecoder(part.type === 'multipart' || part.type === 'message' ? 'binary' : part.encoding);
  let length = 0;
  const pass = (piece: Buffer): void => {
    length += piece.length;
    take(piece);
  };
  for (let at = part.bodyStart; at < part.bodyEnd; at += pieceBytes) {
    pass(decoder.write(await message.read(at, Math.min(pieceBytes, part.bodyEnd - at))));
  }
  pass(decoder.end());
  return length;
}

function clip(range: Range, partial: PartialRange | undefined): Range {
  if (partial === undefined) return range;
  const skipped = Math.min(partial.offset, range.length);
  return { offset: range.offset + skipped, length: Math.min(partial.length, range.length - skipped) };
}

function cut(bytes: Buffer, partial: PartialRange | undefined): Buffer {
  return partial === undefined ? bytes : bytes.subarray(partial.offset, partial.offset + partial.length);
}
