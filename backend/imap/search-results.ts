/** How results are told (pure): the old responses of SEARCH and SORT, and ESEARCH with what RETURN asked for (RFC 4731, 5267, 6203, 9394). */
import { windowOn } from '../../shared/imap/result-window.ts';
import type { ReturnItem, ReturnOptions } from '../../shared/imap/search-arguments.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import { pick, spacedColumn } from './found-list.ts';
import type { FoundList } from './found-list.ts';
import { mostRelevant } from './relevance.ts';
import type { Numbers } from './view.ts';

export interface Results {
  readonly found: FoundList;
  readonly numbers: Numbers;
  readonly modseqs: 'told' | 'untold';
}

/** What is returned when a new client gives no RETURN. */
export const everything: ReturnOptions = { items: new Set<ReturnItem>(['ALL']), window: undefined };

/** `SEARCH 2 3 (MODSEQ 7)`, without the star. */
export function oldResponse(verb: 'SEARCH' | 'SORT', results: Results): string {
  const modseq = highestModseq(results, undefined);
  return `${verb}${spacedColumn(results.found, numbersOf(results, results.found))}${modseq === undefined ? '' : ` (MODSEQ ${modseq})`}`;
}

/**
 * For which messages `$` and MODSEQ stand: all that were found, unless only some were asked for (RFC 5182 section 2.4, RFC
 * 7162 section 3.1.5, RFC 9394 section 3.2).
 */
export function meantBy(found: FoundList, returns: ReturnOptions | undefined): FoundList {
  if (returns === undefined || returns.items.has('ALL') || returns.items.has('COUNT')) return found;
  const { items, window } = returns;
  if (window === undefined && !items.has('MIN') && !items.has('MAX')) return found;
  const count = found.uids.length;
  const meant = new Set(window === undefined ? [] : indexesIn(count, window));
  if (items.has('MIN') && count > 0) meant.add(0);
  if (items.has('MAX') && count > 0) meant.add(count - 1);
  return pick(found, [...meant].sort((one, other) => one - other));
}

/**
 * `ESEARCH (TAG "a") UID COUNT 2`, without the star; undefined when nothing was asked for that would stand in it.
 * @param correlator what stands in the brackets.
 */
export function extendedResponse(correlator: string, results: Results, returns: ReturnOptions): string | undefined {
  const { items, window } = returns;
  const { found } = results;
  const shown: readonly ReturnItem[] = ['MIN', 'MAX', 'ALL', 'COUNT', 'RELEVANCY'];
  if (window === undefined && !shown.some((item) => items.has(item))) return undefined;
  const numbers = numbersOf(results, found);
  const [first, last] = [numbers[0], numbers[numbers.length - 1]];
  const data = [`ESEARCH (${correlator})`, ...(results.numbers === 'uid' ? ['UID'] : [])];
  const listed = window === undefined ? found : pick(found, indexesIn(numbers.length, window));
  if (items.has('MIN') && first !== undefined) data.push(`MIN ${String(first)}`);
  if (items.has('MAX') && last !== undefined) data.push(`MAX ${String(last)}`);
  if (items.has('ALL') && first !== undefined) data.push(`ALL ${formatSet(numbers)}`);
  if (window !== undefined) data.push(`PARTIAL (${window.text} ${listed.uids.length === 0 ? 'NIL' : formatSet(numbersOf(results, listed))})`);
  if (items.has('COUNT')) data.push(`COUNT ${String(numbers.length)}`);
  if (items.has('RELEVANCY')) data.push(`RELEVANCY (${Array.from(listed.uids, (_uid, index) => String(listed.relevancies?.[index] ?? mostRelevant)).join(' ')})`);
  const modseq = highestModseq(results, returns);
  if (modseq !== undefined) data.push(`MODSEQ ${modseq}`);
  return data.join(' ');
}

function indexesIn(count: number, window: NonNullable<ReturnOptions['window']>): number[] {
  const { from, to } = windowOn(count, window);
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

/** Of the messages that are meant, if it is to be told. */
function highestModseq({ found, modseqs }: Results, returns: ReturnOptions | undefined): string | undefined {
  const meant = modseqs === 'untold' ? undefined : meantBy(found, returns).modseqs;
  return meant === undefined || meant.length === 0 ? undefined : String(Array.from(meant).reduce((highest, modseq) => Math.max(highest, modseq), 0));
}

function numbersOf({ numbers }: Pick<Results, 'numbers'>, { uids, sequences }: FoundList): ArrayLike<number> {
  return numbers === 'uid' ? uids : sequences;
}
