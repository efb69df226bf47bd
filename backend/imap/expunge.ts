/** EXPUNGE and UID EXPUNGE (RFC 9051 section 6.4.3, RFC 4315), and how a node removes what its client moved away from here. */
import { Failure } from '../../shared/base/failure.ts';
import { takeSequenceSet } from '../../shared/imap/sequence-set.ts';
import type { SequenceSet } from '../../shared/imap/sequence-set.ts';
import { Flag } from '../storage/storage.ts';
import { mailboxCommand, nothing } from './command.ts';
import type { Selected } from './command.ts';
import { demand } from './place.ts';
import { untilWritten } from './progress.ts';
import { ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { View } from './view.ts';

const batchSize = 256;
/** Said by nodes for guests only. */
export const removal = 'UID XWAYBILL-REMOVE';

/** Refuses to change a mailbox that was opened by EXAMINE. */
export function requireWriteAccess(view: View): void {
  if (view.access === 'read-only') throw new Failure('forbidden', 'the mailbox is open for reading only');
}

/** Removes the messages marked \Deleted that this session knows of, all or those of a uid set. The client is told by the next refresh. */
export async function expungeDeleted({ session, view }: Pick<Selected, 'session' | 'view'>, set: SequenceSet | undefined): Promise<{ readonly uids: readonly number[]; readonly modseq: number } | undefined> {
  if (view.count === 0 || view.mailbox.state().deleted === 0) return undefined;
  const spans = set === undefined ? [{ from: 0, to: view.count - 1 }] : view.spans(set, 'uid');
  const uids: number[] = [];
  for (const batch of view.batches(spans, batchSize)) {
    for (const { row } of batch) if ((row.flags & Flag.Deleted) !== 0) uids.push(row.uid);
  }
  if (uids.length === 0) return undefined;
  const removed = await untilWritten(session, view.mailbox.expunge(uids, 'deleted')); // a mark may have been taken away meanwhile
  return removed.uids.length === 0 ? undefined : removed;
}

async function run({ session, view }: Selected, set: SequenceSet | undefined): Promise<Completion> {
  requireWriteAccess(view);
  demand(view, 'e');
  const removed = await expungeDeleted({ session, view }, set);
  return ok('EXPUNGE completed', removed !== undefined && session.isEnabled('QRESYNC') ? `HIGHESTMODSEQ ${String(removed.modseq)}` : undefined);
}

/** The second half of a MOVE to another node, which that node says: marked or not, the messages go, and nobody sees a mark (RFC 6851 section 3.3). */
async function runRemoval({ session, view }: Selected, set: SequenceSet): Promise<Completion> {
  requireWriteAccess(view);
  for (const right of ['t', 'e']) demand(view, right);
  const uids = view.uidsIn(view.spans(set, 'uid'));
  const removed = uids.length === 0 ? undefined : await untilWritten(session, view.mailbox.expunge(uids));
  return ok('removed', removed !== undefined && session.isEnabled('QRESYNC') ? `HIGHESTMODSEQ ${String(removed.modseq)}` : undefined);
}

export const uidRemove = mailboxCommand({ verb: removal, tells: 'removals', parse: takeSequenceSet, run: runRemoval });

export const expunge = mailboxCommand({ verb: 'EXPUNGE', tells: 'removals', parse: nothing, run: async (selected) => run(selected, undefined) });

export const uidExpunge = mailboxCommand({ verb: 'UID EXPUNGE', tells: 'removals', parse: takeSequenceSet, run });
