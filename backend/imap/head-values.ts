/**
 * What is worked out from the heads of messages (sort values, ids of threads), remembered for mailboxes that are looked at again and
 * again: a head never changes, and reading it costs ten times what the rest of a SORT does.
 */
import { LRUCache } from 'lru-cache';
import { Pacer } from '../../shared/base/pacer.ts';
import type { MessageHead } from '../../shared/mime/structure.ts';
import type { MessageRow } from '../storage/storage.ts';
import { batchSize } from './search-run.ts';
import type { Numbered, View } from './view.ts';

/** Something that a head tells. */
export interface Column<Value> {
  /** By which it is remembered: the same name, the same values. */
  readonly name: string;
  /** The head is undefined where the message is gone. */
  readonly of: (row: MessageRow, head: MessageHead | undefined) => Value;
}

/** Values by uid. */
type Values<Value> = ReadonlyMap<number, Value>;

/** Of all mailboxes of a worker together; a value takes about a hundred bytes. */
const mostValues = 300_000;
const unusedMs = 10 * 60_000;

const remembered = new LRUCache<string, Map<number, unknown>>({
  maxSize: mostValues, sizeCalculation: (values) => values.size + 1, ttl: unusedMs, updateAgeOnGet: true,
});

/** The values of these messages (and perhaps of others), for each column. */
export async function headValues<Value>(view: View, messages: readonly Numbered[], columns: readonly Column<Value>[]): Promise<Values<Value>[]> {
  const { mailboxId } = view.mailbox.state();
  const names = columns.map(({ name }) => `${mailboxId} ${String(view.uidValidity)} ${name}`);
  const known = names.map((name) => (remembered.get(name) ?? new Map()) as Map<number, Value>);
  const pacer = new Pacer();
  let learned = 0;
  for (let at = 0; at < messages.length; at += batchSize) {
    const missing = messages.slice(at, at + batchSize).map(({ row }) => row).filter(({ uid }) => known.some((values) => !values.has(uid)));
    learned += missing.length;
    if (missing.length > 0) learn(view, missing, { columns, known });
    if (pacer.isDue) await pacer.breathe();
  }
  if (learned > 0) for (const [index, name] of names.entries()) remembered.set(name, known[index] ?? new Map());
  return known;
}

function learn<Value>(view: View, rows: readonly MessageRow[], { columns, known }: { readonly columns: readonly Column<Value>[]; readonly known: readonly Map<number, Value>[] }): void {
  const heads = view.mailbox.heads(rows);
  for (const [index, row] of rows.entries()) {
    for (const [column, { of }] of columns.entries()) known[column]?.set(row.uid, of(row, heads[index]));
  }
}
