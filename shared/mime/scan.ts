/**
 * Finds the structure of a message while its bytes go by: the tree of MIME parts with exact offsets, the envelope, a
 * preview. Called once for each message, at delivery. Bodies are searched by native code and never held; header sections
 * are held within limits. Any bytes give a structure: beyond the limits the rest is one opaque part, never an error.
 */
import { HeaderSection } from './header-section.ts';
import { keepFieldsOf } from './kept-fields.ts';
import { countLineEnds } from './line-ends.ts';
import { OpenParts } from './open-parts.ts';
import type { Delimiter, Place } from './open-parts.ts';
import { PreviewSampler } from './preview.ts';
import type { MessageStructure, Part } from './structure.ts';

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;

/** A longer line (RFC 5322 section 2.1.1) is neither a delimiter nor an empty line; so much is held back at most. */
const maxDelimiterLine = 998;

const nothing = Buffer.alloc(0);

/** Whether what is there may go on. */
type State = 'more to come' | 'last bytes';

/** How a line that may be a delimiter begins, with the line end before it. */
const dashedLine = Buffer.from('\n--');

/** Where the header that begins at `at` ends: behind its last line, and behind the empty one; -1 where that is not here, or the header is empty or long. */
function endOfHeader(data: Buffer, at: number): { readonly last: number; readonly end: number } {
  if (data[at] === LF || (data[at] === CR && data[at + 1] === LF)) return noEnd;
  const beginning = data.subarray(at, at + shortHeaderBytes);
  const emptyLine = beginning.indexOf(lineAndEmptyLine);
  const bareLine = (emptyLine === -1 ? beginning : beginning.subarray(0, emptyLine + 1)).indexOf(bareEmptyLine);
  if (bareLine !== -1) return { last: at + bareLine + 1, end: at + bareLine + 2 };
  return emptyLine === -1 ? noEnd : { last: at + emptyLine + 1, end: at + emptyLine + 3 };
}

const noEnd = { last: -1, end: -1 } as const;
/** So much is searched for the end of a header; longer ones are read line by line. */
const shortHeaderBytes = 16 * 1024;
const lineAndEmptyLine = Buffer.from('\n\r\n');
const bareEmptyLine = Buffer.from('\n\n');

/** Answer of a reading step: what is there does not suffice to go on. */
const needsMore = -1;

/** Scans a message that comes in pieces. The pieces may be cut anywhere and reused by the caller after `write`. */
export class MessageScanner {
  readonly #parts = new OpenParts();
  readonly #header = new HeaderSection();
  readonly #sampler = new PreviewSampler();
  #reading: 'header' | 'body' = 'header';
  /** Bytes that came and are not consumed: at most one line that may be a delimiter. */
  #carry: Buffer = nothing;
  /** Bytes, and line ends, consumed so far. */
  #offset = 0;
  #lines = 0;
  /** Header only: the line that is read is longer than the limit, so no delimiter. */
  #inLongLine = false;
  /** Header only: where the line end of the header's last line begins; undefined at the header's first line. */
  #lastBreak: Place | undefined;
  /** Body only: no byte of it was consumed yet, so a delimiter may stand right here. */
  #atBodyStart = false;
  #keptFields: Buffer | undefined;

  constructor() {
    this.#parts.start(0);
  }

  /** Takes the next bytes of the message. */
  write(chunk: Buffer): void {
    const data = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    const rest = this.#consume(data, 'more to come');
    this.#carry = rest === data.length ? nothing : Buffer.from(data.subarray(rest));
  }

  /** Fields of the message's header (kept-fields.ts), once it was read: after `end` in any case. */
  get keptFields(): Buffer {
    return this.#keptFields ?? keepFieldsOf('');
  }

  /** The message is complete: answers its structure. Call once. */
  end(): MessageStructure {
    this.#consume(this.#carry, 'last bytes');
    if (this.#reading === 'header') this.#finishHeader('all', this.#place());
    const { root, message: { envelope, sentAtMs, references, fromReferences } } = this.#parts.endAll(this.#place());
    return { root, envelope, sentAtMs, references, fromReferences, preview: this.#sampler.text(), hasAttachment: holdsAttachment(root) };
  }

  /** Consumes what can be understood; answers where the rest begins. */
  #consume(data: Buffer, state: State): number {
    let at = 0;
    while (at < data.length) {
      const next = this.#reading === 'header' ? this.#readHeaderLine(data, at, state) : this.#readBody(data, at, state);
      if (next === needsMore) break;
      at = next;
    }
    return at;
  }

  #place(): Place {
    return { offset: this.#offset, lines: this.#lines };
  }

  #advance(data: Buffer, from: number, to: number): number {
    this.#offset += to - from;
    this.#lines += countLineEnds(data, from, to);
    return to;
  }

  #readHeaderLine(data: Buffer, at: number, state: State): number {
    if (this.#lastBreak === undefined && !this.#inLongLine) {
      const behind = this.#readWholeHeader(data, at);
      if (behind !== needsMore) return behind;
    }
    const lineFeed = data.indexOf(LF, at);
    if (lineFeed === -1 && state === 'more to come') return this.#readPieceOfLine(data, at);
    const end = lineFeed === -1 ? data.length : lineFeed + 1;
    const breakStart = lineFeed === -1 ? end : startOfBreak(data, at, lineFeed);
    if (breakStart === at && !this.#inLongLine) {
      this.#advance(data, at, end);
      this.#finishHeader('one', this.#place());
      return end;
    }
    const delimiter = this.#inLongLine ? undefined : this.#findDelimiter(data, at, state);
    if (delimiter !== undefined && delimiter !== needsMore) {
      const bodyStart = this.#lastBreak ?? this.#place();
      this.#finishHeader('all', bodyStart);
      return this.#passDelimiter(data, at, { delimiter, end: bodyStart });
    }
    this.#inLongLine = false;
    this.#header.append(data.subarray(at, end));
    this.#lastBreak = { offset: this.#offset + breakStart - at, lines: this.#lines };
    return this.#advance(data, at, end);
  }

  /** A header of which all is here, if it is not long and has no line that may be a delimiter: read at once, which is much faster than line by line. */
  #readWholeHeader(data: Buffer, at: number): number {
    const { last, end } = endOfHeader(data, at);
    if (end === -1) return needsMore;
    if (this.#parts.shortestDelimiter !== Infinity && (data[at] === DASH || data.subarray(at, last).includes(dashedLine))) return needsMore;
    const section = this.#header.takeWhole(data.subarray(at, last));
    this.#advance(data, at, end);
    this.#finishHeader('one', this.#place(), section);
    return end;
  }

  /** A header line whose end has not come: waited for, unless it is too long to matter. */
  #readPieceOfLine(data: Buffer, at: number): number {
    // A CR may belong to the line end that comes next.
    const end = data[data.length - 1] === CR ? data.length - 1 : data.length;
    if (end === at || (!this.#inLongLine && end - at <= maxDelimiterLine)) return needsMore;
    this.#inLongLine = true;
    this.#header.append(data.subarray(at, end));
    return this.#advance(data, at, end);
  }

  /** Ends the innermost part's header; `all`: of enclosed messages, too, since no bytes are left for them. */
  #finishHeader(which: 'one' | 'all', bodyStart: Place, section = this.#header.take()): void {
    this.#keptFields ??= keepFieldsOf(section);
    const { kind, header } = this.#parts.finishHeader(section, bodyStart);
    this.#lastBreak = undefined;
    this.#inLongLine = false;
    if (kind === 'message') {
      this.#parts.start(bodyStart.offset);
      if (which === 'all') this.#finishHeader('all', bodyStart);
      return;
    }
    this.#reading = 'body';
    this.#atBodyStart = true;
    const attached = header.disposition?.type === 'attachment';
    if (kind === 'leaf' && !attached && !this.#parts.insideMessage) this.#sampler.begin(header);
  }

  #readBody(data: Buffer, at: number, state: State): number {
    if (this.#parts.shortestDelimiter === Infinity) return this.#readContent(data, at, data.length);
    let lineStart = at;
    let breakStart = at;
    if (!this.#atBodyStart) ({ lineStart, breakStart } = nextCandidate(data, at, at));
    while (lineStart !== -1) {
      const delimiter = this.#findDelimiter(data, lineStart, state);
      if (delimiter === needsMore) return breakStart === at ? needsMore : this.#readContent(data, at, breakStart);
      if (delimiter !== undefined) {
        this.#readContent(data, at, breakStart);
        return this.#passDelimiter(data, breakStart, { delimiter, end: this.#place() });
      }
      ({ lineStart, breakStart } = nextCandidate(data, at, lineStart));
    }
    const end = state === 'last bytes' ? data.length : startOfTail(data, at);
    return end === at ? needsMore : this.#readContent(data, at, end);
  }

  #readContent(data: Buffer, from: number, to: number): number {
    if (to > from) this.#atBodyStart = false;
    this.#sampler.add(data.subarray(from, to));
    return this.#advance(data, from, to);
  }

  /** Looks whether the line that begins at `lineStart` is a delimiter. */
  #findDelimiter(data: Buffer, lineStart: number, state: State): DelimiterLine | typeof needsMore | undefined {
    if (this.#parts.shortestDelimiter === Infinity || data[lineStart] !== DASH) return undefined;
    const lineFeed = data.indexOf(LF, lineStart);
    const lineEnd = lineFeed === -1 ? data.length : lineFeed;
    if (lineEnd - lineStart > maxDelimiterLine) return undefined;
    if (lineFeed === -1 && state === 'more to come') return needsMore;
    if (lineEnd - lineStart < this.#parts.shortestDelimiter) return undefined;
    const delimiter = this.#parts.findDelimiter(data.toString('latin1', lineStart, lineEnd));
    if (delimiter === undefined) return undefined;
    const textEnd = lineFeed === -1 ? lineEnd : startOfBreak(data, lineStart, lineFeed);
    return { level: delimiter.level, closes: delimiter.closes, textEnd, next: lineFeed === -1 ? lineEnd : lineFeed + 1 };
  }

  /**
   * Ends what the delimiter ends, and passes it from `from`, the line end before it, on. The line end after a closing
   * delimiter stays: it may belong to the delimiter that comes next.
   */
  #passDelimiter(data: Buffer, from: number, { delimiter, end }: { readonly delimiter: DelimiterLine; readonly end: Place }): number {
    this.#parts.endAt(delimiter, end);
    this.#sampler.end();
    if (delimiter.closes === 'yes') {
      this.#reading = 'body';
      this.#atBodyStart = false;
      return this.#advance(data, from, delimiter.textEnd);
    }
    this.#advance(data, from, delimiter.next);
    this.#parts.start(this.#offset);
    this.#reading = 'header';
    return delimiter.next;
  }
}

/** Scans a message that is all there. */
export function scanMessage(bytes: Buffer): MessageStructure {
  const scanner = new MessageScanner();
  scanner.write(bytes);
  return scanner.end();
}

/** A delimiter found, with the ends of its text and of its line. */
interface DelimiterLine extends Delimiter {
  readonly textEnd: number;
  readonly next: number;
}

/** The next line after `after` that begins with `--`, and where the line end before it begins (not before `from`). */
function nextCandidate(data: Buffer, from: number, after: number): { readonly lineStart: number; readonly breakStart: number } {
  const found = data.indexOf(dashedLine, after);
  if (found === -1) return { lineStart: -1, breakStart: -1 };
  return { lineStart: found + 1, breakStart: startOfBreak(data, from, found) };
}

/** Where the line end whose LF stands at `lineFeed` begins: at its CR, if it has one. */
function startOfBreak(data: Buffer, from: number, lineFeed: number): number {
  return lineFeed > from && data[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
}

/** Where the bytes at the end of `data` begin that may become the line end before a delimiter, or its first dash. */
function startOfTail(data: Buffer, from: number): number {
  const last = data.length - 1;
  const lineFeed = data[last] === DASH ? last - 1 : last;
  if (lineFeed >= from && data[lineFeed] === LF) return startOfBreak(data, from, lineFeed);
  return data[last] === CR ? last : data.length;
}

/** Disposition attachment, or a named part that is no text; what an enclosed message holds is its own. */
function holdsAttachment(part: Part): boolean {
  if (part.disposition?.type === 'attachment') return true;
  if (part.type === 'multipart') return part.children.some(holdsAttachment);
  if (part.type === 'text') return false;
  return part.parameters.some(isFileName) || part.disposition?.parameters.some(isFileName) === true;
}

function isFileName([name]: readonly [name: string, value: string]): boolean {
  return /^(file)?name\*?$/.test(name);
}
