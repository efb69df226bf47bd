/** The order of SORT: what each key looks at (RFC 5256 section 3, DISPLAYFROM and DISPLAYTO: RFC 5957), and how two messages compare. */
import { Pacer } from '../../shared/base/pacer.ts';
import type { SortCriterion, SortKey } from '../../shared/imap/search-arguments.ts';
import { baseSubject } from '../../shared/mime/base-subject.ts';
import { casemapOrder } from '../../shared/mime/casemap.ts';
import { decodeWords } from '../../shared/mime/encoded-words.ts';
import type { EnvelopeAddress, MessageHead } from '../../shared/mime/structure.ts';
import type { MessageRow } from '../storage/storage.ts';
import { headValues } from './head-values.ts';
import type { Column } from './head-values.ts';
import { mostRelevant } from './relevance.ts';
import { batchSize } from './search-run.ts';
import type { Numbered, View } from './view.ts';

/** A message with its value for each criterion. */
export interface Keyed {
  readonly message: Numbered;
  readonly values: readonly Value[];
}

type Value = string | number;

/** Without a usable Date the day of arrival counts (RFC 5256 section 2.2). */
export function sentMs(row: MessageRow, head: MessageHead | undefined): number {
  return head?.sentAtMs ?? row.internalDateMs;
}

type HeadKey = Exclude<SortKey, keyof typeof ofRow>;

/** Keys that ask no head. */
const ofRow = {
  ARRIVAL: ({ row }: Numbered) => row.internalDateMs,
  RELEVANCY: ({ relevancy = mostRelevant }: Numbered) => -relevancy, // the most relevant first
  SIZE: ({ row }: Numbered) => row.size,
};

const ofHead: Readonly<Record<HeadKey, Column<Value>['of']>> = {
  CC: (_row, head) => mailboxOf(head?.envelope.cc),
  DATE: sentMs,
  DISPLAYFROM: (_row, head) => displayOf(head?.envelope.from),
  DISPLAYTO: (_row, head) => displayOf(head?.envelope.to),
  FROM: (_row, head) => mailboxOf(head?.envelope.from),
  SUBJECT: (_row, head) => casemapOrder(baseSubject(head?.envelope.subject ?? '').text),
  TO: (_row, head) => mailboxOf(head?.envelope.to),
};

function needsHead(key: SortKey): key is HeadKey {
  return key in ofHead;
}

function mailboxOf(addresses: readonly EnvelopeAddress[] | undefined): string {
  return casemapOrder(decodeWords(addresses?.[0]?.mailbox ?? ''));
}

/** RFC 5957 section 3. */
function displayOf(addresses: readonly EnvelopeAddress[] | undefined): string {
  const { name, mailbox, host } = addresses?.[0] ?? {};
  const shown = decodeWords(name ?? '');
  if (shown !== '') return casemapOrder(shown);
  return casemapOrder(decodeWords(host === undefined ? mailbox ?? '' : `${mailbox ?? ''}@${host}`));
}

/** Gives the messages their values. */
export async function keyMessages(view: View, found: readonly Numbered[], criteria: readonly SortCriterion[]): Promise<Keyed[]> {
  const keys = criteria.map(({ key }) => key);
  const columns = keys.filter(needsHead).map((key) => ({ name: key, of: ofHead[key] }));
  const columnValues = columns.length === 0 ? [] : await headValues(view, found, columns);
  const byKey = new Map(columns.map(({ name }, index) => [name, columnValues[index]]));
  const valueOf = keys.map((key) => {
    const values = needsHead(key) ? byKey.get(key) : undefined;
    return needsHead(key) ? ({ row }: Numbered): Value => values?.get(row.uid) ?? '' : ofRow[key];
  });
  const keyed: Keyed[] = [];
  const pacer = new Pacer();
  for (const message of found) {
    keyed.push({ message, values: valueOf.map((value) => value(message)) });
    if (keyed.length % batchSize === 0 && pacer.isDue) await pacer.breathe();
  }
  return keyed;
}

/** What two messages are compared by. */
export interface Comparable {
  readonly uid: number;
  readonly values: readonly Value[];
}

/** Compares as the criteria say; equal messages as they stand in the mailbox. */
export function comparison(criteria: readonly SortCriterion[]): (one: Keyed, other: Keyed) => number {
  const compare = valueComparison(criteria);
  return (one, other) => compare(one, other) || one.message.row.uid - other.message.row.uid;
}

/** The same for messages of which no more is known. */
export function comparisonOfKnown(criteria: readonly SortCriterion[]): (one: Comparable, other: Comparable) => number {
  const compare = valueComparison(criteria);
  return (one, other) => compare(one, other) || one.uid - other.uid;
}

type Valued = Pick<Comparable, 'values'>;

function valueComparison(criteria: readonly SortCriterion[]): (one: Valued, other: Valued) => number {
  const signs = criteria.map(({ direction }) => (direction === 'ascending' ? 1 : -1));
  return (one, other) => {
    for (const [index, sign] of signs.entries()) {
      const [left, right] = [one.values[index] ?? 0, other.values[index] ?? 0];
      if (left !== right) return left < right ? -sign : sign;
    }
    return 0;
  };
}
