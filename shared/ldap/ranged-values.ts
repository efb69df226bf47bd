/**
 * Attributes with more values than the server gives at once: Active Directory answers a request for `member` with
 * `member;range=0-1499`, and the last part ends in `*` (MS-ADTS section 3.1.1.3.1.3.3).
 */
import type { Connector, Entry } from './connector.ts';

/** More members than a message may have (`expansion.maxMembers`); nobody keeps such a group for mail. */
const mostValues = 200_000;

interface Part { readonly values: readonly Buffer[]; readonly end: number | 'last' }

/**
 * All values of an attribute of an entry that was read with it.
 * @returns `more: 'yes'` when the server doesn't give them all
 * @throws Failure('directory-unavailable')
 */
export async function wholeValues(connector: Pick<Connector, 'read'>, entry: Entry, attribute: string): Promise<{ readonly values: readonly Buffer[]; readonly more: 'yes' | 'no' }> {
  const collected: Buffer[] = [];
  let start = 0;
  let part = partIn(entry, attribute, start);
  while (part !== undefined) {
    collected.push(...part.values);
    if (part.end === 'last') return { values: collected, more: 'no' };
    if (part.end < start || collected.length > mostValues) break;
    start = part.end + 1;
    const answer = await connector.read(entry.dn, [`${attribute};range=${String(start)}-*`]);
    part = answer === undefined ? undefined : partIn(answer, attribute, start);
  }
  return { values: collected, more: 'yes' };
}

/** The values from `start` on; all of them where the server gives them in one. */
function partIn(entry: Entry, attribute: string, start: number): Part | undefined {
  const name = attribute.toLowerCase();
  for (const [key, values] of entry.attributes) {
    const { first, last } = new RegExp(`^${name};range=(?<first>\\d+)-(?<last>\\d+|\\*)$`).exec(key)?.groups ?? {};
    if (first !== undefined && Number(first) === start) return { values, end: last === '*' ? 'last' : Number(last) };
  }
  return start === 0 ? { values: entry.attributes.get(name) ?? [], end: 'last' } : undefined;
}
