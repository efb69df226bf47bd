/** LIST patterns (RFC 9051 section 6.3.9): `*` stands for anything, `%` for anything within one level. */

/**
 * Makes the test of a pattern. Its time grows with pattern length times name length, never worse: patterns come from
 * strangers, so no regular expression is made of them. INBOX is matched in whatever case.
 */
export function compilePattern(pattern: string): (name: string) => boolean {
  // Neighbouring wildcards act as the strongest of them.
  const simple = pattern.replaceAll(/[*%]+/g, (run) => (run.includes('*') ? '*' : '%'));
  return (name) => matches(simple, name) || (name === 'INBOX' && matches(simple.toLowerCase(), 'inbox'));
}

/** `reached[i]`: the first i characters of the pattern can match the name so far. */
function matches(pattern: string, name: string): boolean {
  const { length } = pattern;
  let reached = new Uint8Array(length + 1);
  reached[0] = 1;
  skipWildcards(pattern, reached);
  for (const character of name) {
    const next = new Uint8Array(length + 1);
    for (let at = 0; at < length; at += 1) {
      if (reached[at] !== 1) continue;
      const expected = pattern[at];
      if (expected === '*' || (expected === '%' && character !== '/')) next[at] = 1;
      else if (expected !== '%' && pattern.startsWith(character, at)) next[at + character.length] = 1;
    }
    reached = next;
    skipWildcards(pattern, reached);
  }
  return reached[length] === 1;
}

/** A wildcard may stand for nothing. */
function skipWildcards(pattern: string, reached: Uint8Array): void {
  for (let at = 0; at < pattern.length; at += 1) {
    if (reached[at] === 1 && (pattern[at] === '*' || pattern[at] === '%')) reached[at + 1] = 1;
  }
}
