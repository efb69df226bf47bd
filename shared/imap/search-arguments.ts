/**
 * The arguments of the commands that search: SEARCH (RFC 9051 section 6.4.4), SORT and THREAD (RFC 5256, RFC 5957 for
 * the DISPLAY keys), what they are to return (RFC 4731, 5182, 5267, 6203, 9394).
 */
import { takeWindow } from './result-window.ts';
import type { ResultWindow } from './result-window.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';
import { contains, takeSearchKeys } from './search-keys.ts';
import { takeFetchList } from './fetch-items.ts';
import type { FetchItem } from './fetch-items.ts';
import type { SearchKey } from './search-keys.ts';

export type ReturnItem = 'MIN' | 'MAX' | 'ALL' | 'COUNT' | 'SAVE' | 'RELEVANCY' | 'UPDATE' | 'CONTEXT';

/** What RETURN asks for. */
export interface ReturnOptions {
  readonly items: ReadonlySet<ReturnItem>;
  readonly window: ResultWindow | undefined;
  /** What is to be told of new messages that come into results which are kept up to date (RFC 5465 section 7). */
  readonly fetch?: readonly FetchItem[];
}

/** What to look for. */
export interface SearchProgram {
  /** In capitals; undefined when none was named. */
  readonly charset: string | undefined;
  readonly key: SearchKey;
}

export interface SearchArguments extends SearchProgram {
  /** Undefined: no RETURN was given, the old response is wanted. */
  readonly returns: ReturnOptions | undefined;
}

export type SortKey = 'ARRIVAL' | 'CC' | 'DATE' | 'DISPLAYFROM' | 'DISPLAYTO' | 'FROM' | 'RELEVANCY' | 'SIZE' | 'SUBJECT' | 'TO';

export interface SortCriterion {
  readonly key: SortKey;
  readonly direction: 'ascending' | 'descending';
}

interface SortArguments extends SearchArguments {
  readonly criteria: readonly SortCriterion[];
}

export type ThreadAlgorithm = 'ORDEREDSUBJECT' | 'REFERENCES' | 'REFS';

export interface ThreadArguments extends SearchProgram {
  readonly algorithm: ThreadAlgorithm;
}

const returnItems: ReadonlySet<string> = new Set<ReturnItem>(['MIN', 'MAX', 'ALL', 'COUNT', 'SAVE', 'RELEVANCY', 'UPDATE', 'CONTEXT']);
const sortKeys: ReadonlySet<string> = new Set<SortKey>(['ARRIVAL', 'CC', 'DATE', 'DISPLAYFROM', 'DISPLAYTO', 'FROM', 'RELEVANCY', 'SIZE', 'SUBJECT', 'TO']);
const algorithms: ReadonlySet<string> = new Set<ThreadAlgorithm>(['ORDEREDSUBJECT', 'REFERENCES', 'REFS']);
/** Each key once in each direction: more say nothing. */
const mostCriteria = 20;

/** @throws bad-input */
export function parseSearch(scanner: Scanner): SearchArguments {
  const returns = scanner.acceptText('RETURN ') ? takeReturnOptions(scanner) : undefined;
  return wellAsked({ returns, ...takeProgram(scanner) });
}

/** @throws bad-input */
export function parseSort(scanner: Scanner): SortArguments {
  const returns = scanner.acceptText('RETURN ') ? takeReturnOptions(scanner) : undefined;
  const criteria = scanner.list(() => takeCriterion(scanner));
  if (criteria.length > mostCriteria) throw malformed('too many sort keys');
  scanner.space();
  const given = wellAsked({ returns, ...takeCriteria(scanner) });
  if (criteria.some(({ key }) => key === 'RELEVANCY') && !contains(given.key, 'fuzzy')) throw malformed('RELEVANCY needs a FUZZY search key');
  return { criteria, ...given };
}

/** @throws bad-input */
export function parseThread(scanner: Scanner): ThreadArguments {
  const word = scanner.word();
  if (!algorithms.has(word)) throw malformed('unknown threading algorithm');
  scanner.space();
  return { algorithm: word as ThreadAlgorithm, ...takeCriteria(scanner) };
}

/** The list behind RETURN, and the space after it. @throws bad-input */
export function takeReturnOptions(scanner: Scanner): ReturnOptions {
  const items = new Set<ReturnItem>();
  let window: ResultWindow | undefined;
  let fetch: readonly FetchItem[] = [];
  const takeOption = (): void => {
    const word = scanner.word();
    if (word === 'PARTIAL' && window === undefined) window = takeWindow(scanner);
    else if (returnItems.has(word)) items.add(word as ReturnItem);
    else throw malformed(`unknown return option ${word}, or PARTIAL twice`);
    if (word === 'UPDATE' && scanner.acceptsAhead(/ \(/)) fetch = takeFetchList(scanner);
  };
  const options = scanner.list(takeOption, { mayBeEmpty: 'yes' });
  scanner.space();
  if (options.length === 0) items.add('ALL');
  // RFC 9394 section 3.1.
  if (window !== undefined && items.has('ALL')) throw malformed('either PARTIAL or ALL');
  return { items, window, fetch };
}

/** `[CHARSET charset SP] keys`, as SEARCH has it. @throws bad-input */
export function takeProgram(scanner: Scanner): SearchProgram {
  if (!scanner.acceptText('CHARSET ')) return { charset: undefined, key: takeSearchKeys(scanner, undefined) };
  return takeCriteria(scanner);
}

/** `charset SP keys`, as SORT and THREAD have it. */
function takeCriteria(scanner: Scanner): SearchProgram {
  const charset = scanner.astring().toUpperCase();
  scanner.space();
  return { charset, key: takeSearchKeys(scanner, charset) };
}

function takeCriterion(scanner: Scanner): SortCriterion {
  const first = scanner.word();
  const direction = first === 'REVERSE' ? 'descending' : 'ascending';
  if (direction === 'descending') scanner.space();
  const key = direction === 'descending' ? scanner.word() : first;
  if (!sortKeys.has(key)) throw malformed(`unknown sort key ${key}`);
  return { key: key as SortKey, direction };
}

/** RFC 6203 section 4: scores are of fuzzy searches. */
export function wellAsked<Given extends SearchArguments>(given: Given): Given {
  if (given.returns?.items.has('RELEVANCY') === true && !contains(given.key, 'fuzzy')) throw malformed('RELEVANCY needs a FUZZY search key');
  return given;
}
