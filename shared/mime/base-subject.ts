/** What a subject is about, without the marks of replies and forwards (RFC 5256 section 2.1, grammar in section 5). Pure, in linear time. */
import { decodeWords } from './encoded-words.ts';

interface BaseSubject {
  /** Unicode; the case is kept. */
  readonly text: string;
  /** Whether something was taken off that replies and forwards bear. */
  readonly of: 'reply-or-forward' | 'original';
}

/** `subj-refwd` of the grammar, without the colon: `re`, `fw` or `fwd`, and perhaps a blob. */
const refwd = /(?:re|fwd?) *(?:\[[^[\]\0]*\] *)?:/iy;
const blob = /\[[^[\]\0]*\] */y;
const forwardStart = /\[fwd:/iy;

/** @param raw the field's value as it stands there: latin1, unfolded, RFC 2047 words not decoded. */
export function baseSubject(raw: string): BaseSubject {
  const decoded = decodeWords(raw);
  const text = /[\t\r\n]| {2}/.test(decoded) ? decoded.replaceAll(/[ \t\r\n]+/g, ' ') : decoded;
  const left = { text, start: 0, end: text.length };
  let of: BaseSubject['of'] = 'original';
  for (;;) {
    if (dropTrailers(left)) of = 'reply-or-forward';
    if (dropLeaders(left)) of = 'reply-or-forward';
    if (!dropForward(left)) return { text: text.slice(left.start, left.end), of };
    of = 'reply-or-forward';
  }
}

/** What is left of a subject: from `start` to `end` of its text. */
interface Left {
  readonly text: string;
  start: number;
  end: number;
}

/** Step 2: spaces and `(fwd)` at the end. True when there was one of the latter. */
function dropTrailers(left: Left): boolean {
  let dropped = false;
  for (;;) {
    while (left.end > left.start && left.text[left.end - 1] === ' ') left.end -= 1;
    if (left.end - left.start < 5 || left.text.slice(left.end - 5, left.end).toLowerCase() !== '(fwd)') return dropped;
    left.end -= 5;
    dropped = true;
  }
}

/**
 * Steps 3 to 5: `Re:` and its like, with the blobs (`[list]`) before them; then blobs, as far as something is left. Blobs
 * before which none of the former stands can all go at once: what follows them has been looked at already.
 */
function dropLeaders(left: Left): boolean {
  let dropped = false;
  for (;;) {
    while (left.start < left.end && left.text[left.start] === ' ') left.start += 1;
    const blobs = blobsAt(left);
    const behind = endOfMatch(refwd, left, blobs.end);
    if (behind === undefined) {
      left.start = blobs.end < left.end ? blobs.end : blobs.last;
      return dropped;
    }
    left.start = behind;
    dropped = true;
  }
}

/** Where the blobs at the start end, and where the last of them begins. */
function blobsAt(left: Left): { readonly last: number; readonly end: number } {
  let last = left.start;
  let at = left.start;
  for (;;) {
    const end = endOfMatch(blob, left, at);
    if (end === undefined) return { last, end: at };
    last = at;
    at = end;
  }
}

/** Step 6: `[fwd: …]` around all of it. */
function dropForward(left: Left): boolean {
  const behind = endOfMatch(forwardStart, left, left.start);
  if (behind === undefined || behind >= left.end || left.text[left.end - 1] !== ']') return false;
  left.start = behind;
  left.end -= 1;
  return true;
}

function endOfMatch(pattern: RegExp, { text, end }: Left, at: number): number | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match === null || pattern.lastIndex > end ? undefined : pattern.lastIndex;
}
