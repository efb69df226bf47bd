/** LIST patterns (RFC 9051 section 6.3.9): `*` stands for anything, `%` for anything within one level. */

/**
 * Makes the test of a pattern. Its time grows with pattern length times name length, never worse: patterns come from
 * strangers, so no regular expression is made of them. A name that is shorter than what the pattern has beside wildcards takes
 * none, or fifty patterns of a thousand bytes would keep ten thousand mailboxes busy for minutes. INBOX is matched in whatever case.
 */
export function compilePattern(pattern: string): (name: string) => boolean {
  // Neighbouring wildcards act as the strongest of them.
  const simple = pattern.replaceAll(/[*%]+/g, (run) => (run.includes('*') ? '*' : '%'));
  const least = simple.replaceAll(/[*%]/g, '').length;
  return (name) => name.length >= least && (matches(simple, name) || (name === 'INBOX' && matches(simple.toLowerCase(), 'inbox')));
}

/** Keeps the places of the pattern as far as which it can match the name so far, ascending. */
function matches(pattern: string, name: string): boolean {
  let reached: number[] = [];
  reach(pattern, 0, reached);
  for (const character of name) {
    const next: number[] = [];
    for (const at of reached) {
      const expected = pattern[at];
      if (expected === '*' || (expected === '%' && character !== '/')) reach(pattern, at, next);
      else if (expected !== '%' && pattern.startsWith(character, at)) reach(pattern, at + character.length, next);
    }
    if (next.length === 0) return false;
    reached = next;
  }
  return reached.at(-1) === pattern.length;
}

/** Adds a place, and the one behind a wildcard there, which may stand for nothing. */
function reach(pattern: string, at: number, places: number[]): void {
  const last = places.at(-1) ?? -1;
  if (at > last) places.push(at);
  if ((pattern[at] === '*' || pattern[at] === '%') && at + 1 > last) places.push(at + 1);
}
