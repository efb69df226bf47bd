/** What differs between two texts, line by line, as `diff -u` shows it (pure). */

const contextLines = 3;

export interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** Lines that differ, with some around them; where they begin in both texts, from 1. */
export interface Hunk {
  readonly before: number;
  readonly after: number;
  readonly lines: readonly Line[];
}

/** None for equal texts. */
export function diffHunks(before: string, after: string): readonly Hunk[] {
  const lines = compare(before.split('\n'), after.split('\n'));
  const isNear = lines.map((_, index) => lines.slice(Math.max(0, index - contextLines), index + contextLines + 1).some(({ mark }) => mark !== ' '));
  const hunks: { before: number; after: number; lines: Line[] }[] = [];
  let [lineBefore, lineAfter] = [1, 1];
  for (const [index, line] of lines.entries()) {
    if (isNear[index] === true) {
      if (isNear[index - 1] !== true) hunks.push({ before: lineBefore, after: lineAfter, lines: [] });
      hunks.at(-1)?.lines.push(line);
    }
    if (line.mark !== '+') lineBefore += 1;
    if (line.mark !== '-') lineAfter += 1;
  }
  return hunks;
}

/** Empty for equal texts. */
export function lineDiff(before: string, after: string): string {
  return diffHunks(before, after).flatMap((hunk) => [
    `@@ line ${String(hunk.before)} before, ${String(hunk.after)} after @@`, ...hunk.lines.map(({ mark, text }) => `${mark}${text}`),
  ]).join('\n');
}

/** Equal beginnings and ends aside, by the longest common subsequence. */
function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (lines: readonly string[]): Line[] => lines.map((text) => ({ mark: ' ', text }));
  const middle = compareMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  return [...same(before.slice(0, head)), ...middle, ...same(before.slice(before.length - tail))];
}

/** More would cost too much time; then all of the middle goes and all of the other comes. */
const mostCells = 16_000_000;

function compareMiddle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const width = after.length + 1;
  if ((before.length + 1) * width > mostCells) {
    return [...before.map((text): Line => ({ mark: '-', text })), ...after.map((text): Line => ({ mark: '+', text }))];
  }
  // Lengths of the longest common subsequence of what follows each pair of places.
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (one: number, other: number): number => lengths[one * width + other] ?? 0;
  for (let one = before.length - 1; one >= 0; one -= 1) {
    for (let other = after.length - 1; other >= 0; other -= 1) {
      lengths[one * width + other] = before[one] === after[other] ? at(one + 1, other + 1) + 1 : Math.max(at(one + 1, other), at(one, other + 1));
    }
  }
  const lines: Line[] = [];
  let [one, other] = [0, 0];
  while (one < before.length || other < after.length) {
    if (one < before.length && other < after.length && before[one] === after[other]) {
      lines.push({ mark: ' ', text: before[one] ?? '' });
      one += 1;
      other += 1;
    } else if (other >= after.length || (one < before.length && at(one + 1, other) >= at(one, other + 1))) {
      lines.push({ mark: '-', text: before[one] ?? '' });
      one += 1;
    } else {
      lines.push({ mark: '+', text: after[other] ?? '' });
      other += 1;
    }
  }
  return lines;
}
