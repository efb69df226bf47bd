/** How staged messages get into a mailbox: bytes and notes are settled first, the index is committed after. */
import { Failure } from '../../shared/base/failure.ts';
import { changeAccount } from './account-change.ts';
import type { AccountChange, AccountHandle } from './account-change.ts';
import { getMailbox } from './entries.ts';
import { wholeUpToBytes } from './open-packs.ts';
import type { StoredStage } from './stage.ts';
import { stageOf } from './stage.ts';
import type { AppendedMessage, AppendGuard, AppendMarks, AppendResult } from './interface.ts';
import { threadOf } from './threads.ts';
import { LockWait } from './write-lock.ts';

/** A message whose bytes are in a pack of the storage, and what is to be noted with them. */
export interface Arrival {
  readonly stage: StoredStage;
  readonly marks: AppendMarks;
  readonly internalDateMs: number;
  readonly nowMs: number;
  /** The mailbox's name, for the note. */
  readonly mailbox: string;
}

/** The name that is noted with messages for a mailbox that is known by its id alone. Throws `mailbox-missing`. */
export function noteNameOf({ volume: { environment, tables } }: AccountHandle, mailboxId: number): string {
  const name = environment.read(() => getMailbox(tables, mailboxId)?.name);
  if (name === undefined) throw new Failure('mailbox-missing', 'mailbox does not exist');
  return name;
}

/** Gets messages ready for `enterTogether`. Throws `storage-full`, `storage-failure`. @param mailbox its name, for the note: whether it is there is for the transaction to say */
export async function prepareMessages(account: AccountHandle, mailbox: string, messages: readonly AppendedMessage[]): Promise<readonly Arrival[]> {
  await account.volume.space.check();
  const nowMs = Date.now();
  return Promise.all(messages.map(async ({ staged, marks }): Promise<Arrival> => {
    const stage = await stageOf(staged).in(account.volume, account.address);
    return { stage, marks, internalDateMs: marks.internalDateMs ?? nowMs, nowMs, mailbox };
  }));
}

/**
 * Brings messages and notes on them to stable storage, then runs `action`, which enters them, in one transaction; with all others that
 * arrive at the same time. Throws what `changeAccount` does.
 */
export async function enterTogether<T>(account: AccountHandle, arrivals: readonly Arrival[], action: (change: AccountChange) => T): Promise<T> {
  const wait = new LockWait(); // a batch that met a lock may have been before this one
  const enter = async (): Promise<T> => {
    await Promise.all([...arrivals.map(async (arrival) => settle(account, arrival)), lookInto(arrivals)]);
    return changeAccount(account, action, wait);
  };
  // A big one has a pack and a flush of its own, for which nobody should wait.
  return arrivals.some(({ stage }) => stage.size > wholeUpToBytes) ? enter() : account.volume.arrivals.run(enter);
}

/** As `enterMessages`, unless `guard` says `skip`: then no uids. */
export function enterGuarded(change: AccountChange, { mailboxId, arrivals }: { readonly mailboxId: number; readonly arrivals: readonly Arrival[] }, guard: AppendGuard | undefined): AppendResult {
  if (guard?.(change.volume.tables.deliveries) === 'skip') return { uidValidity: change.mailbox(mailboxId).entry.uidValidity, uids: [] };
  return enterMessages(change, mailboxId, arrivals);
}

/** Puts messages in that are settled. Inside a transaction. Throws `mailbox-missing`, `limit`. */
export function enterMessages(change: AccountChange, mailboxId: number, arrivals: readonly Arrival[]): AppendResult {
  const { uidValidity } = change.mailbox(mailboxId).entry;
  return { uidValidity, uids: arrivals.map((arrival) => enter(change, mailboxId, arrival)) };
}

/** The bytes must be on stable storage before the index can name them. The note comes first, so that one flush has both. */
async function settle(account: AccountHandle, { stage, marks, internalDateMs, mailbox }: Arrival): Promise<void> {
  const { flags, keywords } = marks;
  const noted = account.volume.packs.note({ place: stage.bytes.place, account: account.address, mailbox, internalDateMs, flags, keywords });
  await Promise.all([noted, stage.bytes.settled()]);
}

/** While the thread pool writes: when all that this turn of the event loop has to do has been done, the write has begun. */
async function lookInto(arrivals: readonly Arrival[]): Promise<void> {
  await new Promise<void>((resolve) => { process.nextTick(resolve); });
  for (const { stage } of arrivals) void stage.findings;
}

function enter(change: AccountChange, mailboxId: number, arrival: Arrival): number {
  const { stage, marks } = arrival;
  const mailbox = change.mailbox(mailboxId);
  const messageId = messageIdOf(change, stage);
  return mailbox.add({
    flags: marks.flags,
    keywords: mailbox.keywordBits(marks.keywords, marks.keywordsBeyond),
    size: stage.size,
    internalDateMs: arrival.internalDateMs,
    savedDateMs: arrival.nowMs,
    messageId,
    threadId: threadOf(change.volume.tables, change.number, { keys: stage.findings.threadKeys, messageId }),
  });
}

/** Several appends of one stage share the message, also from transactions that run one after the other in one commit. */
function messageIdOf(change: AccountChange, stage: StoredStage): number {
  const { messages } = change.volume;
  const { place } = stage.bytes;
  const known = stage.messageId === undefined ? undefined : messages.place(stage.messageId);
  if (stage.messageId !== undefined && known?.pack === place.pack && known.offset === place.offset) {
    messages.retain(stage.messageId);
    return stage.messageId;
  }
  stage.messageId = messages.add(place, stage.findings.keptStructure);
  return stage.messageId;
}
