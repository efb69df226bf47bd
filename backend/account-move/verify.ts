/** Compares every message that lies at the source still with its copy here, before the source may forget it. */
import { createHash } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import type { Account, StoredMessage } from '../storage/storage.ts';
import type { MessageDigest, MoveSource } from './source.ts';

const pieceBytes = 256 * 1024;

export interface Comparison {
  readonly equal: number;
  /** Removed here by the user since the account came. */
  readonly removedSince: number;
}

/** @throws Failure('storage-failure') for the first message that differs */
export async function compareMessages(source: MoveSource, account: Account): Promise<Comparison> {
  const ids = new Map(account.mailboxes().map(({ mailboxId, id }) => [mailboxId, id]));
  const known = new Map<number, string>();
  let equal = 0;
  let removedSince = 0;
  for await (const { mailboxId, uid, digest } of source.digests(account.address)) {
    const id = ids.get(mailboxId);
    const mailbox = id === undefined ? undefined : account.mailboxById(id);
    const row = mailbox?.row(uid);
    const message = row === undefined ? undefined : mailbox?.message(uid);
    if (row === undefined || message === undefined) {
      removedSince += 1;
      continue;
    }
    const here = known.get(row.messageId) ?? (await digestOf(message));
    known.set(row.messageId, here);
    if (here !== digest) throw new Failure('storage-failure', `message ${String(uid)} of mailbox ${mailboxId} differs from the original, which is kept at ${source.node}`);
    equal += 1;
  }
  return { equal, removedSince };
}

/**
 * Compares an old copy with what the owner has now; what the owner has no more was removed there. Answers how many are equal.
 * @throws Failure('storage-failure') for the first message that differs
 */
export async function compareCopies(old: AsyncIterable<MessageDigest>, owner: MoveSource, address: string): Promise<number> {
  const now = new Map<string, string>();
  for await (const { mailboxId, uid, digest } of owner.digests(address)) now.set(`${mailboxId} ${String(uid)}`, digest);
  let equal = 0;
  for await (const { mailboxId, uid, digest } of old) {
    const there = now.get(`${mailboxId} ${String(uid)}`);
    if (there !== undefined && there !== digest) throw new Failure('storage-failure', `message ${String(uid)} of mailbox ${mailboxId}, left here by an earlier move, differs from ${owner.node}'s; nothing was removed`);
    if (there !== undefined) equal += 1;
  }
  return equal;
}

async function digestOf(message: StoredMessage): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < message.size; offset += pieceBytes) hash.update(await message.read(offset, pieceBytes));
  return hash.digest('hex');
}
