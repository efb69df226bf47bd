/**
 * Makes a message that has 8-bit bytes fit for a server that takes 7-bit lines only (RFC 6152 section 3: convert, or send it
 * back). Parts that have such bytes are encoded, each by itself: texts as quoted-printable, others as base64. What is signed or
 * encrypted is left alone, so a message with 8-bit bytes in there can't be converted, nor one with them in a header.
 */
import type { Edit } from './message-edits.ts';
import { MessageScanner } from './scan.ts';
import type { Part } from './structure.ts';

type Encoding = Extract<Edit, { kind: 'encode' }>['as'];

export type SevenBitPlan =
  /** There is no 8-bit byte. */
  | { readonly kind: 'as-is' }
  | { readonly kind: 'convert'; readonly edits: readonly Edit[] }
  | { readonly kind: 'impossible'; readonly reason: string };

/** Headers of all parts together; they are held. */
const longestHeaders = 1024 * 1024;

/** Reads the message, twice where it has 8-bit bytes; the plan is carried out by `edited`. @param bytes fresh at each call */
export async function planSevenBit(bytes: () => AsyncIterable<Buffer>): Promise<SevenBitPlan> {
  const scanner = new MessageScanner();
  let hasAny = false;
  let length = 0;
  for await (const piece of bytes()) {
    hasAny ||= firstHigh(piece, 0, piece.length) !== -1;
    length += piece.length;
    scanner.write(piece);
  }
  if (!hasAny) return { kind: 'as-is' };
  const parts = [...partsOf(scanner.end().root, { sealed: 'no', isMessage: 'yes' })];
  const survey = new Survey(parts);
  for await (const piece of bytes()) survey.read(piece);
  return survey.plan(length);
}

interface Placed {
  readonly part: Part;
  /** `yes`: within something signed or encrypted, whose bytes must stay as they are. */
  readonly sealed: 'yes' | 'no';
  /** Whether it is a message's root, enclosed ones included: there MIME-Version belongs. */
  readonly isMessage: 'yes' | 'no';
}

/** All parts in the order of their headers. */
function* partsOf(part: Part, where: Omit<Placed, 'part'>): Generator<Placed> {
  yield { part, ...where };
  const seals = part.type === 'multipart' && (part.subtype === 'signed' || part.subtype === 'encrypted');
  for (const child of part.children) yield* partsOf(child, { sealed: seals ? 'yes' : where.sealed, isMessage: part.type === 'message' ? 'yes' : 'no' });
}

/** Where the 8-bit bytes are, and what stands in the headers. */
class Survey {
  readonly #parts: readonly Placed[];
  readonly #leaves: readonly Placed[];
  readonly #headers = new Map<Part, Buffer[]>();
  readonly #high = new Set<Part>();
  /** 8-bit bytes outside all leaves: in headers, preambles, epilogues. */
  #stray = false;
  #headerBytes = 0;
  #offset = 0;

  constructor(parts: readonly Placed[]) {
    this.#parts = parts;
    this.#leaves = parts.filter(({ part }) => part.children.length === 0);
  }

  read(piece: Buffer): void {
    const [from, to] = [this.#offset, this.#offset + piece.length];
    const within = (start: number, end: number): Buffer => piece.subarray(Math.max(0, start - from), Math.max(0, Math.min(end, to) - from));
    for (const { part } of this.#parts) {
      if (part.headerStart >= to || part.bodyStart <= from) continue;
      const header = within(part.headerStart, part.bodyStart);
      this.#headerBytes += header.length;
      if (this.#headerBytes <= longestHeaders) this.#headers.set(part, [...this.#headers.get(part) ?? [], Buffer.from(header)]);
    }
    let covered = from;
    for (const { part } of this.#leaves) {
      if (part.bodyStart >= to || part.bodyEnd <= from) continue;
      this.#stray ||= hasHigh(within(covered, part.bodyStart));
      if (!this.#high.has(part) && hasHigh(within(part.bodyStart, part.bodyEnd))) this.#high.add(part);
      covered = Math.max(covered, part.bodyEnd);
    }
    this.#stray ||= hasHigh(within(covered, to));
    this.#offset = to;
  }

  plan(length: number): SevenBitPlan {
    const impossible = (reason: string): SevenBitPlan => ({ kind: 'impossible', reason });
    if (this.#stray) return impossible('a header has 8-bit bytes');
    if (this.#headerBytes > longestHeaders) return impossible('its headers are too long');
    const edits: Edit[] = [];
    for (const placed of this.#parts) {
      const { part, sealed } = placed;
      const header = Buffer.concat(this.#headers.get(part) ?? []).toString('latin1');
      if (!this.#high.has(part)) {
        if (part.children.length > 0 && sealed === 'no' && (part.encoding === '8bit' || part.encoding === 'binary')) edits.push(replaced(part, withoutEncoding(header)));
        continue;
      }
      if (sealed === 'yes') return impossible('a signed or encrypted part has 8-bit bytes');
      if (/^content-type:\s*(?:multipart|message)\//im.test(header) || !isUnencoded(part)) return impossible('a part that may not be encoded has 8-bit bytes');
      const as = part.type === 'text' ? 'quoted-printable' : 'base64';
      edits.push(replaced(part, labelled(header, placed, as)), { kind: 'encode', start: part.bodyStart, end: part.bodyEnd, as, closes: part.bodyEnd === length ? 'message' : 'part' });
    }
    return { kind: 'convert', edits };
  }
}

/** 8-bit bytes in what calls itself base64 or quoted-printable are nobody's to interpret. */
function isUnencoded({ encoding }: Part): boolean {
  return encoding === '7bit' || encoding === '8bit' || encoding === 'binary';
}

function replaced({ headerStart, bodyStart }: Part, text: string): Edit {
  return { kind: 'replace', start: headerStart, end: bodyStart, bytes: Buffer.from(text, 'latin1') };
}

function withoutEncoding(header: string): string {
  return header.replace(/^content-transfer-encoding[ \t]*:.*\r\n(?:[ \t].*\r\n)*/gim, '');
}

/** What bears no label is text of a charset that nobody has told (RFC 1428 section 3). */
function labelled(header: string, { part, isMessage }: Placed, as: Encoding): string {
  const plain = withoutEncoding(header);
  const has = (field: string): boolean => new RegExp(`^${field}[ \t]*:`, 'im').test(plain);
  const more = [
    ...(isMessage === 'yes' && !has('mime-version') ? ['MIME-Version: 1.0'] : []),
    ...(part.type === 'text' && !has('content-type') ? ['Content-Type: text/plain; charset=unknown-8bit'] : []),
    `Content-Transfer-Encoding: ${as}`,
  ];
  return `${plain.slice(0, -2)}${more.join('\r\n')}\r\n\r\n`;
}

function hasHigh(bytes: Buffer): boolean {
  return firstHigh(bytes, 0, bytes.length) !== -1;
}

function firstHigh(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at += 1) if ((bytes[at] ?? 0) >= 0x80) return at;
  return -1;
}
