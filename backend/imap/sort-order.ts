/** The order of SORT: what each key looks at (RFC 5256 section 3, DISPLAYFROM and DISPLAYTO: RFC 5957), and how two messages compare. */
import { Pacer } from '../../shared/base/pacer.ts';
import type { SortCriterion, SortKey } from '../../shared/imap/search-arguments.ts';
import { baseSubject } from '../../shared/mime/base-subject.ts';
import { casemapOrder } from '../../shared/mime/casemap.ts';
import { decodeWords } from '../../shared/mime/encoded-words.ts';
import type { EnvelopeAddress, MessageHead } from '../../shared/mime/structure.ts';
import type { MessageRow } from '../storage/storage.ts';
import { mostRelevant } from './relevance.ts';
import { batchSize } from './search-run.ts';
import type { Numbered, View } from './view.ts';

/** A message with its value for each criterion. */
export interface Keyed {
  readonly message: Numbered;
  readonly values: readonly (string | number)[];
}

type ValueOf = (message: Numbered, head: MessageHead | undefined) => string | number;

/** Without a usable Date the day of arrival counts (RFC 5256 section 2.2). */
export function sentMs(row: MessageRow, head: MessageHead | undefined): number {
  return head?.sentAtMs ?? row.internalDateMs;
}

const values: Readonly<Record<SortKey, ValueOf>> = {
  ARRIVAL: ({ row }) => row.internalDateMs,
  CC: (_message, head) => mailboxOf(head?.envelope.cc),
  DATE: ({ row }, head) => sentMs(row, head),
  DISPLAYFROM: (_message, head) => displayOf(head?.envelope.from),
  DISPLAYTO: (_message, head) => displayOf(head?.envelope.to),
  FROM: (_message, head) => mailboxOf(head?.envelope.from),
  RELEVANCY: ({ relevancy = mostRelevant }) => -relevancy, // the most relevant first
  SIZE: ({ row }) => row.size,
  SUBJECT: (_message, head) => casemapOrder(baseSubject(head?.envelope.subject ?? '').text),
  TO: (_message, head) => mailboxOf(head?.envelope.to),
};

const fromRowAlone: ReadonlySet<SortKey> = new Set<SortKey>(['ARRIVAL', 'RELEVANCY', 'SIZE']);

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
  const valuesOf = criteria.map(({ key }) => values[key]);
  const needsHead = criteria.some(({ key }) => !fromRowAlone.has(key));
  const keyed: Keyed[] = [];
  const pacer = new Pacer();
  for (let at = 0; at < found.length; at += batchSize) {
    const batch = found.slice(at, at + batchSize);
    const heads = needsHead ? view.mailbox.heads(batch.map(({ row }) => row)) : [];
    for (const [index, message] of batch.entries()) {
      keyed.push({ message, values: valuesOf.map((value) => value(message, heads[index])) });
    }
    if (pacer.isDue) await pacer.breathe();
  }
  return keyed;
}

/** Compares as the criteria say; equal messages as they stand in the mailbox. */
export function comparison(criteria: readonly SortCriterion[]): (one: Keyed, other: Keyed) => number {
  const signs = criteria.map(({ direction }) => (direction === 'ascending' ? 1 : -1));
  return (one, other) => {
    for (const [index, sign] of signs.entries()) {
      const [left, right] = [one.values[index] ?? 0, other.values[index] ?? 0];
      if (left !== right) return left < right ? -sign : sign;
    }
    return one.message.row.uid - other.message.row.uid;
  };
}
