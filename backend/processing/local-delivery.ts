/** Puts a message into the INBOX of accounts of this node, once each, in one transaction with the record that it was done. */
import { createHash, hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import { joined } from '../../shared/base/joined.ts';
import { isHere } from '../storage/storage.ts';
import type { Account, MessageBytes, StagedMessage, Table } from '../storage/storage.ts';
import { accept, acceptFirst, deliveryKey, isFirst, judge, mayBeRetried, mayBeRetry } from './delivery-keys.ts';
import type { Acceptance, KeyRules } from './delivery-keys.ts';
import { countForAccount } from '../../shared/reporting/account-counts.ts';

export interface LocalMessage {
  /** Reverse-path; empty for reports. */
  readonly sender: string;
  /** Received fields and the like, each with its CRLF. Return-Path is put before them here (RFC 5321 section 4.4). */
  readonly trace: string;
  /** The client's bytes. */
  readonly bytes: MessageBytes;
  readonly maxBytes: number;
  /** Digest of the client's bytes, hex, where another node saw them; else it is computed on the way. */
  readonly digest: string | undefined;
  readonly acceptance: Acceptance;
}

/** What became of one recipient. */
export type LocalOutcome = { readonly at: 'stored'; readonly key: string; /** In INBOX; undefined for a repeat of what the account has already. */ readonly uid: number | undefined } | { readonly at: 'failed'; readonly thrown: unknown };

/** Where a message came to lie, for the log. */
export function placesOf(outcomes: readonly LocalOutcome[], accounts: readonly Account[]): readonly object[] {
  return outcomes.flatMap((outcome, index): object[] => {
    const account = accounts[index]?.address;
    if (outcome.at === 'failed') return [];
    return outcome.uid === undefined ? [{ account, repeat: true }] : [{ account, mailbox: 'INBOX', uid: outcome.uid }];
  });
}

/**
 * One outcome for each account, in their order. Rejects with `message-too-big`, `storage-full`, `storage-failure`, or what
 * the bytes' source threw; then nobody has it.
 */
export async function deliverLocally(rules: KeyRules, delivery: { readonly message: LocalMessage; readonly accounts: readonly Account[] }): Promise<readonly LocalOutcome[]> {
  const { message, accounts } = delivery;
  const [first] = accounts;
  if (first === undefined) return [];
  const trace = Buffer.from(`Return-Path: <${message.sender}>\r\n${message.trace}`);
  const { bytes, digestOf } = prefixed(trace, message.bytes);
  const staged = await first.stage(bytes, message.maxBytes + trace.length);
  try {
    const digest = message.digest ?? digestOf();
    return await Promise.all(accounts.map(async (account): Promise<LocalOutcome> => {
      const key = deliveryKey(message.sender, account.address, digest);
      try {
        const uid = await putInto(account, staged, { key, acceptance: message.acceptance, rules });
        if (uid !== undefined) countForAccount(account.address, 'messages_received');
        return { at: 'stored', key, uid };
      } catch (thrown) {
        return { at: 'failed', thrown };
      }
    }));
  } finally {
    await staged.discard();
  }
}

async function putInto(account: Account, staged: StagedMessage, { key, acceptance, rules }: { readonly key: string; readonly acceptance: Acceptance; readonly rules: KeyRules }): Promise<number | undefined> {
  const message = { staged, marks: { flags: 0, keywords: [] } };
  // Looked up before anything is noted with the bytes: a note that no message follows would bring a second copy into INBOX when a lost index is made anew.
  if (account.deliveryRecords.read((records) => isFirst(records, key))) {
    const { uids: [first] } = await account.deliver([message], (records) => (acceptFirst(records, key, acceptance) === 'new' ? 'append' : 'skip'));
    if (first !== undefined) return first; // as it is with nearly every message
  }
  await earlierSettled(account, key, { acceptance, rules });
  if (await isRepeat(account, key, { acceptance, rules })) return undefined;
  const { uids: [uid] } = await account.deliver([message], (records) => acceptOrWait(records, key, { acceptance, rules }));
  return uid;
}

const settlePatienceMs = 1500;
const settlePollMs = 25;

/** @throws Failure('in-use') when it is not known yet whether it is a message of its own */
function acceptOrWait(records: Table, key: string, arrival: { readonly acceptance: Acceptance; readonly rules: KeyRules }): 'append' | 'skip' {
  const isYoung = Math.abs(Date.now() - arrival.acceptance.acceptedAtMs) < settlePatienceMs; // another node's clock may be ahead
  const isUnclear = mayBeRetried(records, key, arrival) || (cameThroughQueue(arrival) && isYoung && mayBeRetry(records, key, arrival));
  if (isUnclear && judge(records, key, arrival) === 'new') throw new Failure('in-use', 'the same message came again while its custodian handed it over');
  return accept(records, key, arrival) === 'new' ? 'append' : 'skip';
}

/** Then its custodian can come again with it; to wait for it would hold up what is to be handed over behind it. */
function cameThroughQueue({ acceptance }: { readonly acceptance: Acceptance }): boolean {
  return acceptance.holder === '';
}

/** Waits a moment for the end of the session that brought the same bytes just before, if that is still open. */
async function earlierSettled(account: Account, key: string, arrival: { readonly acceptance: Acceptance; readonly rules: KeyRules }): Promise<void> {
  if (cameThroughQueue(arrival)) return;
  const deadline = performance.now() + settlePatienceMs;
  while (account.deliveryRecords.read((records) => mayBeRetry(records, key, arrival)) && performance.now() < deadline) await sleep(settlePollMs);
}

async function isRepeat(account: Account, key: string, arrival: { readonly acceptance: Acceptance; readonly rules: KeyRules }): Promise<boolean> {
  if (account.deliveryRecords.read((records) => judge(records, key, arrival)) === 'new') return false;
  return account.deliveryRecords.write((records) => {
    if (judge(records, key, arrival) === 'new') return false;
    accept(records, key, arrival);
    return true;
  });
}

/**
 * The bytes behind that prefix, and the digest of the bytes without it, hex: once they have been read. The prefix is joined with the first
 * piece where that is here: a header that comes in one piece is read at once, one that was cut behind our fields line by line.
 */
function prefixed(prefix: Buffer, bytes: MessageBytes): { readonly bytes: MessageBytes; readonly digestOf: () => string } {
  if (isHere(bytes)) {
    const [first = Buffer.alloc(0), ...others] = bytes;
    return { bytes: [Buffer.concat([prefix, first]), ...others], digestOf: () => hash('sha256', joined(bytes)) };
  }
  const digest = createHash('sha256');
  return { bytes: passing(prefix, bytes, (piece) => digest.update(piece)), digestOf: () => digest.digest('hex') };
}

async function* passing(prefix: Buffer, bytes: AsyncIterable<Buffer>, hear: (piece: Buffer) => void): AsyncGenerator<Buffer, void, void> {
  yield prefix;
  for await (const piece of bytes) {
    hear(piece);
    yield piece;
  }
}
