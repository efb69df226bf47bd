/**
 * How texts and needles are cut for the index (pure). Texts are casemapped. A *run* is a longest stretch of letters and
 * digits, or one of a script that has no spaces. What the index holds of a run depends on the run alone:
 *
 * - *words*: runs that people write, whole; of a script without spaces each two neighbours. A word proves what it holds.
 * - *pieces*: of all other runs (identifiers, hashes, encoded data, which would be a word of its own in each message)
 *   each three neighbours. Pieces prove what is no longer than they are; for more they only name candidates.
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

/** What each UTF-16 unit is. Halves of characters beyond U+FFFF count as dense: an emoji is then a word by itself. */
const kinds = readKinds();

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

/** Hears what the index holds of a text. */
export interface TokenSink {
  word(token: string): void;
  piece(token: string): void;
}

/** Tells `sink` of all words and pieces, repeated ones too. */
export function scanTokens(text: string, sink: TokenSink): void {
  let at = 0;
  while (at < text.length) {
    const kind = kinds[text.charCodeAt(at)] ?? separator;
    if (kind === separator) {
      at += 1;
      continue;
    }
    const end = kind === dense ? endOfDense(text, at) : endOfRun(text, at);
    if (kind === dense) denseTokens(text, at, end, sink);
    else runTokens(text, at, end, sink);
    at = end;
  }
}

function endOfDense(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && kinds[text.charCodeAt(at)] === dense) at += 1;
  return at;
}

function endOfRun(text: string, from: number): number {
  let at = from + 1;
  for (; at < text.length; at += 1) {
    const kind = kinds[text.charCodeAt(at)];
    if (kind !== letter && kind !== digit) break;
  }
  return at;
}

function denseTokens(text: string, from: number, end: number, sink: TokenSink): void {
  if (end - from === 1) return sink.word(text.slice(from, end));
  for (let at = from; at + 2 <= end; at += 1) sink.word(text.slice(at, at + 2));
}

function runTokens(text: string, from: number, end: number, sink: TokenSink): void {
  const run = text.slice(from, end);
  if (isWord(run)) return sink.word(run);
  for (let at = 0; at + pieceLength <= run.length; at += 1) sink.piece(run.slice(at, at + pieceLength));
}

/** Whether that run of letters and digits is a word. */
function isWord(run: string): boolean {
  if (run.length <= pieceLength) return true;
  let digits = 0;
  for (let at = 0; at < run.length; at += 1) if (kinds[run.charCodeAt(at)] === digit) digits += 1;
  return digits === 0 ? run.length <= longestWord : digits === run.length && run.length <= longestNumber;
}

/** A run of a needle. `open`: on which sides the run of the text may go on. */
export interface NeedleRun {
  readonly text: string;
  readonly script: 'spaced' | 'dense';
  readonly open: 'both' | 'start' | 'end' | 'none';
}

/** The runs of a casemapped needle, in their order; none when it has separators only. */
export function needleRuns(needle: string): NeedleRun[] {
  const runs: NeedleRun[] = [];
  let at = 0;
  while (at < needle.length) {
    const kind = kinds[needle.charCodeAt(at)] ?? separator;
    if (kind === separator) {
      at += 1;
      continue;
    }
    const end = kind === dense ? endOfDense(needle, at) : endOfRun(needle, at);
    const open = at === 0 ? (end === needle.length ? 'both' : 'start') : end === needle.length ? 'end' : 'none';
    runs.push({ text: needle.slice(at, end), script: kind === dense ? 'dense' : 'spaced', open });
    at = end;
  }
  return runs;
}

/** The tokens of a text that all must be there where it is: of a run in pieces, or one of a script without spaces. */
export function neighbours(run: string, length: number): string[] {
  const parts = new Set<string>();
  for (let at = 0; at + length <= run.length; at += 1) parts.add(run.slice(at, at + length));
  return [...parts];
}
