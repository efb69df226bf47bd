/**
 * The parts of a message whose end has not come yet, outermost first, and what becomes of them when it comes. Knows
 * offsets and kinds, no bytes: reading those is the scanner's work.
 */
import { plainType, readFields, readMessageHeader, readPartHeader } from './part-header.ts';
import type { MessageHeader, PartHeader } from './part-header.ts';
import type { Envelope, Part } from './structure.ts';

/** Parts of a message beyond this number, and levels beyond this depth, are not told apart any more. */
export const maxParts = 1000;
export const maxDepth = 50;

/** A longer boundary is not believed (RFC 2046 section 5.1.1 allows 70). */
const maxBoundaryBytes = 256;

/** A place in the message: bytes, and line ends, before it. */
export interface Place {
  readonly offset: number;
  readonly lines: number;
}

interface OpenPart {
  readonly headerStart: number;
  /** Undefined while its header is read. */
  body: { readonly header: PartHeader; readonly kind: PartKind; readonly start: Place } | undefined;
  /** Of the root of a message, enclosed or not. */
  message: MessageHeader | undefined;
  readonly children: Part[];
  /** Of a message/rfc822 part: the enclosed message's. */
  envelope: Envelope | undefined;
}

type PartKind = { readonly kind: 'leaf' } | { readonly kind: 'multipart'; readonly boundary: string } | { readonly kind: 'message' };

/** What a line that begins with `--` turned out to be. */
export interface Delimiter {
  /** Place of the multipart it belongs to, from the outermost. */
  readonly level: number;
  readonly closes: 'yes' | 'no';
}

/** The stack of open parts; the last one is being read. */
export class OpenParts {
  readonly #stack: OpenPart[] = [];
  /** Innermost multipart for each boundary that may come. */
  readonly #boundaries = new Map<string, number>();
  #started = 0;
  #shortestDelimiter = Infinity;

  /** Length of the shortest line that may be a delimiter; Infinity when none is awaited. */
  get shortestDelimiter(): number {
    return this.#shortestDelimiter;
  }

  /** A part's header begins. */
  start(headerStart: number): void {
    this.#stack.push({ headerStart, body: undefined, message: undefined, children: [], envelope: undefined });
    this.#started += 1;
    if (this.#started < maxParts) return;
    this.#boundaries.clear();
    this.#measureDelimiters();
  }

  /** The innermost part's header (latin1) is complete. Answers the part's kind; for 'message' another `start` must follow. */
  finishHeader(section: string, bodyStart: Place): { readonly kind: PartKind['kind']; readonly header: PartHeader } {
    const part = this.#innermost();
    const parent = this.#stack.at(-2);
    const fields = readFields(section);
    const parentKind = parent?.body?.kind.kind ?? 'message';
    const inDigest = parentKind === 'multipart' && parent?.body?.header.subtype === 'digest';
    const header = readPartHeader(fields, inDigest ? { type: 'message', subtype: 'rfc822', parameters: [] } : plainType);
    if (parentKind === 'message') {
      part.message = readMessageHeader(fields);
      if (parent !== undefined) parent.envelope = part.message.envelope;
    }
    const kind = this.#kindOf(header);
    part.body = { header: kind.kind === 'leaf' ? asLeaf(header) : header, kind, start: bodyStart };
    if (kind.kind === 'multipart') {
      this.#boundaries.set(kind.boundary, this.#stack.length - 1);
      this.#measureDelimiters();
    }
    return { kind: kind.kind, header };
  }

  /** Says what the line (latin1, without its line end) delimits, if it does. Trailing white space is padding (RFC 2046 section 5.1.1). */
  findDelimiter(line: string): Delimiter | undefined {
    if (!line.startsWith('--')) return undefined;
    const text = line.slice(2).trimEnd();
    const opens = this.#boundaries.get(text);
    const closes = text.endsWith('--') ? this.#boundaries.get(text.slice(0, -2)) : undefined;
    if (closes !== undefined && (opens === undefined || closes > opens)) return { level: closes, closes: 'yes' };
    return opens === undefined ? undefined : { level: opens, closes: 'no' };
  }

  /** A delimiter came: all parts inside its multipart end at `end`; after a closing one its boundary counts no more. */
  endAt(delimiter: Delimiter, end: Place): void {
    this.#endAbove(delimiter.level, end);
    if (delimiter.closes === 'yes') this.#forget(delimiter.level);
  }

  /** The message ends: all parts do. Answers the root and its message header. */
  endAll(end: Place): { readonly root: Part; readonly message: MessageHeader } {
    this.#endAbove(0, end);
    const part = this.#innermost();
    return { root: close(part, end), message: part.message ?? readMessageHeader(new Map()) };
  }

  /** True when the innermost part lies in an enclosed message. */
  get insideMessage(): boolean {
    return this.#stack.some((part) => part.body?.kind.kind === 'message');
  }

  #innermost(): OpenPart {
    const part = this.#stack.at(-1);
    if (part === undefined) throw new Error('no part is open');
    return part;
  }

  #kindOf(header: PartHeader): PartKind {
    const leaf: PartKind = { kind: 'leaf' };
    if (this.#started >= maxParts || this.#stack.length >= maxDepth) return leaf;
    if (header.type === 'multipart') {
      const boundary = (header.parameters.find(([name]) => name === 'boundary')?.[1] ?? '').trimEnd();
      return boundary === '' || boundary.length > maxBoundaryBytes ? leaf : { kind: 'multipart', boundary };
    }
    const identity = ['7bit', '8bit', 'binary'].includes(header.encoding);
    return isMessageType(header) && identity ? { kind: 'message' } : leaf;
  }

  #endAbove(level: number, end: Place): void {
    while (this.#stack.length - 1 > level) {
      this.#forget(this.#stack.length - 1);
      const part = this.#innermost();
      this.#stack.pop();
      this.#innermost().children.push(close(part, end));
    }
  }

  /** The boundary of a multipart that ends counts no more; one further out with the same boundary gets it back. */
  #forget(level: number): void {
    const boundary = this.#boundaryAt(level);
    if (boundary === undefined || this.#boundaries.get(boundary) !== level) return;
    this.#boundaries.delete(boundary);
    const outer = this.#stack.findLastIndex((_, index) => index < level && this.#boundaryAt(index) === boundary);
    if (outer !== -1) this.#boundaries.set(boundary, outer);
    this.#measureDelimiters();
  }

  #boundaryAt(level: number): string | undefined {
    const kind = this.#stack[level]?.body?.kind;
    return kind?.kind === 'multipart' ? kind.boundary : undefined;
  }

  #measureDelimiters(): void {
    this.#shortestDelimiter = Infinity;
    for (const boundary of this.#boundaries.keys()) this.#shortestDelimiter = Math.min(this.#shortestDelimiter, boundary.length + 2);
  }
}

function isMessageType(header: PartHeader): boolean {
  return header.type === 'message' && (header.subtype === 'rfc822' || header.subtype === 'global');
}

/** What a container becomes that can't be opened: readers must never meet a multipart without parts. */
function asLeaf(header: PartHeader): PartHeader {
  if (header.type === 'multipart') return { ...header, ...plainType };
  return isMessageType(header) ? { ...header, type: 'application', subtype: 'octet-stream' } : header;
}

function close(part: OpenPart, end: Place): Part {
  const body = part.body;
  if (body === undefined) throw new Error('a part ended before its header did');
  // A delimiter just after the header owns the line end before it, which is the header's, too.
  const bodyEnd = Math.max(body.start.offset, end.offset);
  const header = body.kind.kind === 'multipart' && part.children.length === 0 ? asLeaf(body.header) : body.header;
  const { type, subtype, parameters, id, description, encoding, disposition, language, location, md5 } = header;
  return {
    type, subtype, parameters, id, description, encoding, disposition, language, location, md5, // each by its name: many times as fast as a spread
    headerStart: part.headerStart,
    bodyStart: body.start.offset,
    bodyEnd,
    lines: Math.max(0, end.lines - body.start.lines),
    children: part.children,
    envelope: part.envelope,
  };
}
