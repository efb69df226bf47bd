/** How results are told (pure): the old responses of SEARCH and SORT, and ESEARCH with what RETURN asked for (RFC 4731, 5267, 6203, 9394). */
import { windowOn } from '../../shared/imap/result-window.ts';
import type { ReturnItem, ReturnOptions } from '../../shared/imap/search-arguments.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import { mostRelevant } from './relevance.ts';
import type { Numbered, Numbers, Place } from './view.ts';

/** A message that was found; with its mod-sequence where that is to be told. */
export interface Found extends Place {
  readonly modseq?: number;
}

export function foundOf({ sequence, row, relevancy }: Numbered): Found {
  return { sequence, uid: row.uid, modseq: row.modseq, ...(relevancy === undefined ? {} : { relevancy }) };
}

export interface Results {
  /** In the order that was asked for. */
  readonly found: readonly Found[];
  readonly numbers: Numbers;
  readonly modseqs: 'told' | 'untold';
}

/** What is returned when a new client gives no RETURN. */
export const everything: ReturnOptions = { items: new Set<ReturnItem>(['ALL']), window: undefined };

/** `SEARCH 2 3 (MODSEQ 7)`, without the star. */
export function oldResponse(verb: 'SEARCH' | 'SORT', results: Results): string {
  const modseq = highestModseq(results, undefined);
  return [verb, ...results.found.map(numberIn(results)), ...(modseq === undefined ? [] : [`(MODSEQ ${modseq})`])].join(' ');
}

/**
 * For which messages `$` and MODSEQ stand: all that were found, unless only some were asked for (RFC 5182 section 2.4, RFC
 * 7162 section 3.1.5, RFC 9394 section 3.2).
 */
export function meantBy(found: readonly Found[], returns: ReturnOptions | undefined): readonly Found[] {
  if (returns === undefined || returns.items.has('ALL') || returns.items.has('COUNT')) return found;
  const { items, window } = returns;
  if (window === undefined && !items.has('MIN') && !items.has('MAX')) return found;
  const meant = new Set(window === undefined ? [] : inWindow(found, window));
  const [first, last] = [found[0], found.at(-1)];
  if (items.has('MIN') && first !== undefined) meant.add(first);
  if (items.has('MAX') && last !== undefined) meant.add(last);
  return found.filter((message) => meant.has(message));
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
  const number = numberIn(results);
  const data = [`ESEARCH (${correlator})`, ...(results.numbers === 'uid' ? ['UID'] : [])];
  const listed = window === undefined ? found : inWindow(found, window);
  const [first, last] = [found[0], found.at(-1)];
  if (items.has('MIN') && first !== undefined) data.push(`MIN ${number(first)}`);
  if (items.has('MAX') && last !== undefined) data.push(`MAX ${number(last)}`);
  if (items.has('ALL') && first !== undefined) data.push(`ALL ${setOf(results, found)}`);
  if (window !== undefined) data.push(`PARTIAL (${window.text} ${listed.length === 0 ? 'NIL' : setOf(results, listed)})`);
  if (items.has('COUNT')) data.push(`COUNT ${String(found.length)}`);
  if (items.has('RELEVANCY')) data.push(`RELEVANCY (${listed.map(({ relevancy }) => String(relevancy ?? mostRelevant)).join(' ')})`);
  const modseq = highestModseq(results, returns);
  if (modseq !== undefined) data.push(`MODSEQ ${modseq}`);
  return data.join(' ');
}

function inWindow(found: readonly Found[], window: NonNullable<ReturnOptions['window']>): readonly Found[] {
  const { from, to } = windowOn(found.length, window);
  return found.slice(from, to);
}

/** Of the messages that are meant, if it is to be told. */
function highestModseq({ found, modseqs }: Results, returns: ReturnOptions | undefined): string | undefined {
  const meant = modseqs === 'untold' ? [] : meantBy(found, returns);
  return meant.length === 0 ? undefined : String(meant.reduce((highest, { modseq = 0 }) => Math.max(highest, modseq), 0));
}

function numberIn({ numbers }: Results): (message: Found) => string {
  return numbers === 'uid' ? ({ uid }) => String(uid) : ({ sequence }) => String(sequence);
}

function setOf({ numbers }: Results, messages: readonly Found[]): string {
  return formatSet(messages.map(({ sequence, uid }) => (numbers === 'uid' ? uid : sequence)));
}
