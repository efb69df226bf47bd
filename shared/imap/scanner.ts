/**
 * Reads the lexical parts of an IMAP command (RFC 9051 section 9): atoms, strings, numbers, lists. A command is one
 * latin1 text in which each literal stands as it came: `{5}`, CRLF, five characters. All grammar of this folder uses it.
 */
import { Failure } from '../base/failure.ts';

/** Characters that end an atom: controls, 8-bit, and the specials. An astring may hold `]` too. */
const atomPattern = /[^\x00-\x20\x7f-\xff(){%*"\\\]]+/y;
const astringPattern = /[^\x00-\x20\x7f-\xff(){%*"\\]+/y;
const listPatternPattern = /[^\x00-\x20\x7f-\xff(){"\\]+/y;
const tagPattern = /[^\x00-\x20\x7f-\xff(){%*"\\+]+/y;
const numberPattern = /\d{1,20}/y;
const quotedPattern = /"((?:[^"\\\r\n\0]|\\["\\])*)"/y;
const literalPattern = /~?\{(\d{1,10})\+?\}\r\n/y;

/** How deep lists and search keys may be nested: each level costs us stack. */
export const maxNesting = 50;

/** The error of all grammar: the client's bytes can't be understood. */
export function malformed(text: string): Failure {
  return new Failure('bad-input', text);
}

/** A cursor over one command. Methods take what they name, or throw `bad-input`. */
export class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** All that is still to be read. */
  get rest(): string {
    return this.#text.slice(this.#at);
  }

  /** The next character, '' at the end. */
  peek(): string {
    return this.#text.charAt(this.#at);
  }

  /** Whether what is next looks so; takes nothing. */
  acceptsAhead(pattern: RegExp): boolean {
    return this.#text.slice(this.#at).search(pattern) === 0;
  }

  /** Takes `char` if it is next. */
  accept(char: string): boolean {
    if (this.peek() !== char) return false;
    this.#at += 1;
    return true;
  }

  /** Takes `text` (given in capitals) if it is next, in whatever case. */
  acceptText(text: string): boolean {
    if (this.#text.slice(this.#at, this.#at + text.length).toUpperCase() !== text) return false;
    this.#at += text.length;
    return true;
  }

  expect(char: string): void {
    if (!this.accept(char)) throw malformed(`expected ${char === ' ' ? 'a space' : char} at character ${String(this.#at)}`);
  }

  space(): void {
    this.expect(' ');
  }

  end(): void {
    if (!this.atEnd) throw malformed('unexpected arguments at the end');
  }

  tag(): string {
    return this.#take(tagPattern, 'a tag');
  }

  atom(): string {
    return this.#take(atomPattern, 'an atom');
  }

  /** An atom in capitals, for words that are case-insensitive. */
  word(): string {
    return this.atom().toUpperCase();
  }

  /** Takes `word` (given in capitals) if it is the next whole atom. */
  acceptWord(word: string): boolean {
    const before = this.#at;
    if (this.#match(atomPattern)?.[0].toUpperCase() === word) return true;
    this.#at = before;
    return false;
  }

  /** A number below 2^53 (number64 is larger on paper, RFC 9051 section 9). */
  number(): number {
    const value = Number(this.#take(numberPattern, 'a number'));
    if (!Number.isSafeInteger(value)) throw malformed('number too large');
    return value;
  }

  /** The bytes of an astring, one character each. */
  astring(): string {
    return this.#match(astringPattern)?.[0] ?? this.string();
  }

  /** A LIST pattern: as an astring, with wildcards. */
  listPattern(): string {
    return this.#match(listPatternPattern)?.[0] ?? this.string();
  }

  /** A quoted string or a literal. */
  string(): string {
    if (this.peek() === '"') {
      const quoted = this.#match(quotedPattern);
      if (quoted?.[1] === undefined) throw malformed('quoted string not closed');
      if (/[\x80-\xff]/.test(quoted[1])) decodeUtf8(quoted[1]); // RFC 6855 section 3: nothing else may stand there
      return quoted[1].replaceAll(/\\(["\\])/g, '$1');
    }
    const value = this.#literal();
    if (value.includes('\0')) throw malformed('NUL is not allowed in a string');
    return value;
  }

  /** A string or a literal8, which may hold any bytes (RFC 9051 section 4.3), or undefined for NIL. */
  value(): string | undefined {
    return this.peek() === '~' ? this.#literal() : this.nstring();
  }

  #literal(): string {
    const size = this.#match(literalPattern)?.[1];
    if (size === undefined) throw malformed(`expected a string at character ${String(this.#at)}`);
    const value = this.#text.slice(this.#at, this.#at + Number(size));
    if (value.length < Number(size)) throw malformed('literal cut off');
    this.#at += value.length;
    return value;
  }

  /** A string, or undefined for NIL. */
  nstring(): string | undefined {
    return this.acceptWord('NIL') ? undefined : this.string();
  }

  /** `(item item …)`. */
  list<Item>(item: () => Item, options: { readonly mayBeEmpty: 'yes' | 'no' } = { mayBeEmpty: 'no' }): Item[] {
    this.expect('(');
    const items: Item[] = [];
    if (options.mayBeEmpty === 'yes' && this.accept(')')) return items;
    this.nested(() => {
      do items.push(item());
      while (this.accept(' '));
    });
    this.expect(')');
    return items;
  }

  /** Runs `read` one level deeper. @throws bad-input when that is too deep. */
  nested<Value>(read: () => Value): Value {
    if (this.#depth >= maxNesting) throw malformed('nested too deeply');
    this.#depth += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  /** All characters up to one of `stop`, or the end; for grammar with characters of its own (sections, sequence sets). */
  until(stop: RegExp): string {
    const rest = this.#text.slice(this.#at);
    const length = rest.search(stop);
    const taken = length === -1 ? rest : rest.slice(0, length);
    this.#at += taken.length;
    return taken;
  }

  #take(pattern: RegExp, what: string): string {
    const match = this.#match(pattern);
    if (match === undefined) throw malformed(`expected ${what} at character ${String(this.#at)}`);
    return match[0];
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes held as latin1 text, read as UTF-8. @throws bad-input when they are not. */
export function decodeUtf8(bytes: string): string {
  if (/^[\x00-\x7f]*$/.test(bytes)) return bytes;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch (cause) {
    throw new Failure('bad-input', 'not valid UTF-8', { cause });
  }
}
