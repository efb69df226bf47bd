/** The order of SORT: what each key looks at (RFC 5256 section 3, DISPLAYFROM and DISPLAYTO: RFC 5957), and how two messages compare. */
import { Pacer } from '../../shared/base/pacer.ts';
import type { SortCriterion, SortKey } from '../../shared/imap/search-arguments.ts';
import { baseSubject } from '../../shared/mime/base-subject.ts';
import { casemapOrder } from '../../shared/mime/casemap.ts';
import { decodeWords } from '../../shared/mime/encoded-words.ts';
import type { MessageHeader } from '../../shared/mime/part-header.ts';
import type { EnvelopeAddress } from '../../shared/mime/structure.ts';
import type { MessageRow } from '../storage/storage.ts';
import { headValues } from './head-values.ts';
import type { HeadColumn } from './head-values.ts';
import { mostRelevant } from './relevance.ts';
import type { Numbered, View } from './view.ts';

/** A message with its value for each criterion. */
export interface Keyed {
  readonly message: Numbered;
  readonly values: readonly Value[];
}

type Value = string | number;

/** Without a usable Date the day of arrival counts (RFC 5256 section 2.2). */
export function sentMs(row: MessageRow, header: MessageHeader | undefined): number {
  return header?.sentAtMs ?? row.internalDateMs;
}

type HeadKey = Exclude<SortKey, keyof typeof ofRow>;

/** Keys that ask no header. */
const ofRow = {
  ARRIVAL: ({ row }: Numbered) => row.internalDateMs,
  RELEVANCY: ({ relevancy = mostRelevant }: Numbered) => -relevancy, // the most relevant first
  SIZE: ({ row }: Numbered) => row.size,
};

const ofHeader: Readonly<Record<HeadKey, Omit<HeadColumn<Value>, 'name'>>> = {
  CC: { fields: ['CC'], of: (_row, header) => mailboxOf(header?.envelope.cc) },
  DATE: { fields: ['DATE'], of: sentMs },
  DISPLAYFROM: { fields: ['FROM'], of: (_row, header) => displayOf(header?.envelope.from) },
  DISPLAYTO: { fields: ['TO'], of: (_row, header) => displayOf(header?.envelope.to) },
  FROM: { fields: ['FROM'], of: (_row, header) => mailboxOf(header?.envelope.from) },
  SUBJECT: { fields: ['SUBJECT'], of: (_row, header) => casemapOrder(baseSubject(header?.envelope.subject ?? '').text) },
  TO: { fields: ['TO'], of: (_row, header) => mailboxOf(header?.envelope.to) },
};

function needsHeader(key: SortKey): key is HeadKey {
  return key in ofHeader;
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

/** Gives a message its values. */
export function keying(view: View, criteria: readonly SortCriterion[]): (message: Numbered) => Keyed {
  const valueOf = criteria.map(({ key }) => {
    if (!needsHeader(key)) return ofRow[key];
    const ofColumn = headValues(view, { name: key, ...ofHeader[key] });
    return ({ row }: Numbered): Value => ofColumn(row);
  });
  return (message) => ({ message, values: valueOf.map((value) => value(message)) });
}

interface Keying {
  readonly criteria: readonly SortCriterion[];
  readonly report?: (done: number) => Promise<void>;
}

/** Gives the messages their values. @param report hears now and then how many have theirs */
export async function keyMessages(view: View, found: readonly Numbered[], { criteria, report }: Keying): Promise<Keyed[]> {
  const key = keying(view, criteria);
  const keyed: Keyed[] = [];
  const pacer = new Pacer();
  for (const message of found) {
    keyed.push(key(message));
    if (!pacer.isDue) continue;
    await report?.(keyed.length);
    await pacer.breathe();
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
    for (let index = 0; index < signs.length; index += 1) {
      const [left, right] = [one.values[index] ?? 0, other.values[index] ?? 0];
      if (left !== right) return left < right ? -(signs[index] ?? 1) : signs[index] ?? 1;
    }
    return 0;
  };
}
