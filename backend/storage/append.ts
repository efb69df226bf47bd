/** How staged messages get into a mailbox: bytes and notes are settled first, the index is committed after. */
import { Failure } from '../../shared/base/failure.ts';
import type { AccountChange, AccountHandle } from './account-change.ts';
import { getMailbox } from './entries.ts';
import type { StoredStage } from './stage.ts';
import { stageOf } from './stage.ts';
import type { AppendedMessage, AppendMarks, AppendResult } from './interface.ts';
import { threadOf } from './threads.ts';

/** A message that is on stable storage. */
export interface Arrival {
  readonly stage: StoredStage;
  readonly marks: AppendMarks;
  readonly internalDateMs: number;
  readonly nowMs: number;
}

/** Brings messages and notes on them to stable storage. Throws `mailbox-missing`, `storage-full`, `storage-failure`. */
export async function settleMessages(account: AccountHandle, mailboxId: number, messages: readonly AppendedMessage[]): Promise<readonly Arrival[]> {
  await account.volume.space.check();
  const name = account.volume.environment.read(() => getMailbox(account.volume.tables, mailboxId)?.name);
  if (name === undefined) throw new Failure('mailbox-missing', 'mailbox does not exist');
  const nowMs = Date.now();
  const arrivals = await Promise.all(messages.map(async ({ staged, marks }): Promise<Arrival> => {
    const stage = await stageOf(staged).in(account.volume, account.address);
    return { stage, marks, internalDateMs: marks.internalDateMs ?? nowMs, nowMs };
  }));
  await Promise.all(arrivals.map((arrival) => settle(account, name, arrival)));
  return arrivals;
}

/** Puts settled messages in. Inside a transaction. Throws `mailbox-missing`, `limit`. */
export function enterMessages(change: AccountChange, mailboxId: number, arrivals: readonly Arrival[]): AppendResult {
  const { uidValidity } = change.mailbox(mailboxId).entry;
  return { uidValidity, uids: arrivals.map((arrival) => enter(change, mailboxId, arrival)) };
}

/** The bytes must be on stable storage before the index can name them. */
async function settle(account: AccountHandle, mailbox: string, { stage, marks, internalDateMs }: Arrival): Promise<void> {
  await account.volume.packs.note({
    place: stage.bytes.place,
    account: account.address,
    mailbox,
    internalDateMs,
    flags: marks.flags,
    keywords: marks.keywords,
  });
  await stage.bytes.settled();
}

function enter(change: AccountChange, mailboxId: number, arrival: Arrival): number {
  const { stage, marks } = arrival;
  const mailbox = change.mailbox(mailboxId);
  const messageId = messageIdOf(change, stage);
  return mailbox.add({
    flags: marks.flags,
    keywords: mailbox.keywordBits(marks.keywords),
    size: stage.size,
    internalDateMs: arrival.internalDateMs,
    savedDateMs: arrival.nowMs,
    messageId,
    threadId: threadOf(change.volume.tables, change.number, { keys: stage.threadKeys, messageId }),
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
  stage.messageId = messages.add(place, stage.keptStructure);
  return stage.messageId;
}
