/** What became of changes of flags: whether a mailbox kept them beside its rows, as its entry in the index shows. */
import type { Mailbox, Storage } from '../../backend/storage/storage.ts';
import type { LedgerLine } from './actions.ts';

/** `kept` beside the rows; `merged` with the change before it; `folded`: with it all that was kept was written into the rows. */
export type FlagTrace = 'kept' | 'merged' | 'folded';

export type FlagTraces = Record<FlagTrace, number>;

export const noTraces: Readonly<FlagTraces> = { kept: 0, merged: 0, folded: 0 };

/** The mod-sequences of the changes that the mailbox keeps beside its rows, ascending. */
export function keptChanges(storage: Storage, { id }: Mailbox): readonly number[] {
  const [folder] = storage.care.folders();
  if (folder === undefined) throw new Error('a storage without a folder');
  const { environment } = folder;
  const entry = environment.read(() => environment.table('mailboxes').get([id])?.toString()) ?? '{}';
  return ((JSON.parse(entry) as { readonly flagRecords?: readonly (readonly [number])[] }).flagRecords ?? []).map(([modseq]) => modseq);
}

/** @param before, after: what a mailbox that nobody else changes kept around one change of flags. Undefined: it went into the rows, or there was nothing to do. */
export function traceOf(before: readonly number[], after: readonly number[]): FlagTrace | undefined {
  if (before.at(-1) === after.at(-1)) return undefined;
  if (after.length === 0) return 'folded';
  return after.length > before.length ? 'kept' : 'merged';
}

/** How many of each there were in these lines, and before. */
export function withTraces(sum: Readonly<FlagTraces>, lines: readonly LedgerLine[]): FlagTraces {
  const traces = { ...sum };
  for (const line of lines) if (line.at === 'done' && line.answer.flagTrace !== undefined) traces[line.answer.flagTrace] += 1;
  return traces;
}

export function sumOfTraces(one: Readonly<FlagTraces>, other: Readonly<FlagTraces>): FlagTraces {
  return { kept: one.kept + other.kept, merged: one.merged + other.merged, folded: one.folded + other.folded };
}

export function describedTraces({ kept, merged, folded }: Readonly<FlagTraces>): string {
  return `${String(kept)} changes of flags kept beside the rows, ${String(merged)} merged with the one before, ${String(folded)} times all written into the rows`;
}
