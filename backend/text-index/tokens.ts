/**
 * How texts and needles are cut for the index (pure). Texts are casemapped. A *run* is a longest stretch of letters and
 * digits, or one of a script that has no spaces. What the index holds of a run depends on the run alone:
 *
 * - *words*: runs that people write, whole; of a script without spaces each two neighbours. A word proves what it holds.
 * - *pieces*: of all other runs (identifiers, hashes, encoded data, which would be a word of its own in each message)
 *   each three neighbours. Pieces prove what is no longer than they are; for more they only name candidates.
 *
 * Words and runs in pieces follow each other, and what stands between each and the one before is told (`Before`): so the places of words prove phrases.
 */

/** Longest run of letters that is a word. The longest words of living languages are rarely longer. */
const longestWord = 24;
/** Longest number that is a word: years, times, ports. */
const longestNumber = 4;
/** Any run so short is a word, digits or not. */
export const pieceLength = 3;

const separator = 0;
const letter = 1;
const digit = 2;
const dense = 3;

let kindsKnown: Uint8Array | undefined;

/** What each UTF-16 unit is. Halves of characters beyond U+FFFF count as dense: an emoji is then a word by itself. Made for the first text: it takes a sixteenth of what a back-end loads. */
function kindsOfUnits(): Uint8Array {
  return kindsKnown ??= readKinds();
}

function readKinds(): Uint8Array {
  const table = new Uint8Array(0x10000);
  const scripts = ['Han', 'Hira', 'Kana', 'Bopo', 'Thai', 'Laoo', 'Khmr', 'Mymr', 'Tibt', 'Yiii'];
  const spaceless = new RegExp(scripts.map((script) => `\\p{scx=${script}}`).join('|'), 'u');
  for (let unit = 0; unit < table.length; unit += 1) {
    const character = String.fromCharCode(unit);
    if (unit >= 0xd800 && unit < 0xe000) table[unit] = dense;
    else if (/\p{N}/u.test(character)) table[unit] = digit;
    else if (!/[\p{L}\p{M}]/u.test(character)) table[unit] = separator;
    else table[unit] = unit >= 0x300 && spaceless.test(character) ? dense : letter;
  }
  for (let mark = 0x300; mark < 0x370; mark += 1) table[mark] = letter; // they are shared by many scripts
  return table;
}

/** What stands before a token: nothing (in a run without spaces), one of these characters alone, or anything else. */
export type Before = number;
const beforeCharacters = ` @.-'/`;
const joined: Before = 0;
/** Also the beginning of a text. */
export const somethingElse: Before = 7;

/** What that is between two tokens of a text, the first of which ends at `end`. */
function between(text: string, end: number, from: number): Before {
  if (end === from) return joined;
  const place = end + 1 === from ? beforeCharacters.indexOf(text.charAt(end)) : -1;
  return place === -1 ? somethingElse : place + 1;
}

/** Hears what the index holds of a text, in its order. */
export interface TokenSink {
  word(token: string, before: Before): void;
  /** All pieces of that run, see `neighbours`. */
  pieces(run: string, before: Before): void;
}

/** Tells `sink` of all words, and runs in pieces, repeated ones too. */
export function scanTokens(text: string, sink: TokenSink): void {
  const kinds = kindsOfUnits();
  let at = 0;
  let end = -1;
  while (at < text.length) {
    const from = at;
    const kind = kinds[text.charCodeAt(at)];
    at += 1;
    if (kind === separator) continue;
    const before = end === -1 ? somethingElse : between(text, end, from);
    if (kind === dense) {
      while (at < text.length && kinds[text.charCodeAt(at)] === dense) at += 1;
      denseTokens(text.slice(from, at), before, sink);
      end = at;
      continue;
    }
    let digits = kind === digit ? 1 : 0;
    for (; at < text.length; at += 1) {
      const next = kinds[text.charCodeAt(at)];
      if (next === digit) digits += 1;
      else if (next !== letter) break;
    }
    if (isWord(at - from, digits)) sink.word(text.slice(from, at), before);
    else sink.pieces(text.slice(from, at), before);
    end = at;
  }
}

function denseTokens(run: string, before: Before, sink: TokenSink): void {
  if (run.length === 1) return sink.word(run, before);
  for (let at = 0; at + 2 <= run.length; at += 1) sink.word(run.slice(at, at + 2), at === 0 ? before : joined);
}

/** Whether a run of so many letters and digits is a word. */
function isWord(length: number, digits: number): boolean {
  if (length <= pieceLength) return true;
  return digits === 0 ? length <= longestWord : digits === length && length <= longestNumber;
}

/** A run of a needle. `open`: on which sides the run of the text may go on. */
export interface NeedleRun {
  readonly text: string;
  readonly script: 'spaced' | 'dense';
  readonly open: 'both' | 'start' | 'end' | 'none';
  /** `somethingElse` for the first one. */
  readonly before: Before;
}

/** The runs of a casemapped needle, in their order; none when it has separators only. */
export function needleRuns(needle: string): NeedleRun[] {
  const kinds = kindsOfUnits();
  const runs: NeedleRun[] = [];
  let at = 0;
  let last = -1;
  while (at < needle.length) {
    const kind = kinds[needle.charCodeAt(at)] ?? separator;
    if (kind === separator) {
      at += 1;
      continue;
    }
    let end = at + 1;
    while (end < needle.length && isSameRun(kind, kinds[needle.charCodeAt(end)])) end += 1;
    const open = at === 0 ? (end === needle.length ? 'both' : 'start') : end === needle.length ? 'end' : 'none';
    runs.push({ text: needle.slice(at, end), script: kind === dense ? 'dense' : 'spaced', open, before: last === -1 ? somethingElse : between(needle, last, at) });
    at = end;
    last = end;
  }
  return runs;
}

function isSameRun(kind: number, next: number | undefined): boolean {
  return kind === dense ? next === dense : next === letter || next === digit;
}

/** The tokens of a text that all must be there where it is: of a run in pieces, or one of a script without spaces. */
export function neighbours(run: string, length: number): string[] {
  const parts = new Set<string>();
  for (let at = 0; at + length <= run.length; at += 1) parts.add(run.slice(at, at + length));
  return [...parts];
}

/** A token of a needle: where the needle is, such tokens follow each other. */
export interface NeedleLink {
  readonly text: string;
  /** How the token of the text ends and begins: as the needle's, or it may go on. */
  readonly open: NeedleRun['open'];
  readonly before: Before;
  /** Whether it may be in a run that the index has in pieces. */
  readonly inPieces: 'possible' | 'impossible';
}

/** The tokens of these runs. */
export function needleLinks(runs: readonly NeedleRun[]): NeedleLink[] {
  return runs.flatMap(({ text, script, open, before }): NeedleLink[] => {
    if (script === 'spaced') return [{ text, open, before, inPieces: open === 'none' && isWord(text.length, digitsIn(text)) ? 'impossible' : 'possible' }];
    if (text.length === 1) return [{ text, open, before, inPieces: 'impossible' }];
    return Array.from({ length: text.length - 1 }, (_, at) => ({ text: text.slice(at, at + 2), open: 'none', before: at === 0 ? before : joined, inPieces: 'impossible' }));
  });
}

function digitsIn(text: string): number {
  const kinds = kindsOfUnits();
  let digits = 0;
  for (let at = 0; at < text.length; at += 1) if (kinds[text.charCodeAt(at)] === digit) digits += 1;
  return digits;
}
