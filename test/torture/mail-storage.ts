/** How the torture opens a storage, and what it finds in one: all mailboxes of the one account with every byte of their mail. */
import assert from 'node:assert/strict';
import { createLog } from '../../shared/log/log.ts';
import type { Logger } from '../../shared/log/log.ts';
import { openStorage } from '../../backend/storage/storage.ts';
import type { Mailbox, MailboxState, MessageRow, Storage, StorageOptions } from '../../backend/storage/storage.ts';
import { digestOf } from './actions.ts';
import { assertStructure } from './found-structure.ts';

export const owner = 'alice@example.com';

export function tortureOptions(directory: string, log: Logger): StorageOptions {
  const hints = { publish: () => undefined, subscribe: () => () => undefined };
  return { directories: [directory], clusterName: 'torture', nodeName: 'be1', hints, log, workerSlot: 0, reserveBytes: 0 };
}

export interface FoundMessage {
  readonly uid: number;
  readonly modseq: number;
  readonly flags: number;
  /** Ascending. */
  readonly keywords: readonly string[];
  readonly digest: string;
}

export interface FoundMailbox {
  readonly state: MailboxState;
  readonly messages: readonly FoundMessage[];
}

/** All that is in the account; undefined when there is no such account. */
export async function lookAround(directory: string): Promise<readonly FoundMailbox[] | undefined> {
  const storage = await openStorage(tortureOptions(directory, createLog({ node: 'be1', level: 'silent' })));
  try {
    return await mailboxesIn(storage);
  } finally {
    await storage.close();
  }
}

async function mailboxesIn(storage: Storage): Promise<readonly FoundMailbox[] | undefined> {
  const record = storage.find(owner);
  if (record.at !== 'live') return undefined;
  const { account } = record;
  return Promise.all(account.mailboxes().map(async (state) => {
    const mailbox = account.mailboxById(state.id);
    if (mailbox === undefined) throw new Error(`${state.name} is listed and can't be opened`);
    const rows = mailbox.rows();
    assertReadersAgree(mailbox, rows);
    const messages = await Promise.all(rows.map(async (row) => ({ uid: row.uid, modseq: row.modseq, flags: row.flags, keywords: namesOf(row.keywords, state), digest: await digestOfRow(mailbox, row) })));
    return { state, messages };
  }));
}

function namesOf(bits: number, { keywords }: MailboxState): readonly string[] {
  return keywords.filter((_, index) => (bits & (1 << index)) !== 0).sort();
}

/** Rows are read in several ways; all show them as they are now. */
function assertReadersAgree(mailbox: Mailbox, rows: readonly MessageRow[]): void {
  const { uidNext, messages } = mailbox.state();
  assert.deepEqual(mailbox.rowList({ fromUid: 1, toUid: uidNext, count: messages }).all(), rows, 'the list of rows');
  assert.deepEqual(mailbox.rowList({ fromUid: 1, toUid: uidNext, count: 0 }).all(), rows, 'the list of rows, block by block');
  assert.deepEqual(rows.map(({ uid }) => mailbox.row(uid)), rows, 'each row for itself');
  const since = rows[rows.length >> 1]?.modseq ?? 0;
  assert.deepEqual(mailbox.changesSince(since).changed, rows.filter(({ modseq }) => modseq > since), `what was changed after ${String(since)}`);
}

async function digestOfRow(mailbox: Mailbox, row: MessageRow): Promise<string> {
  const message = mailbox.message(row.uid);
  if (message === undefined) throw new Error(`uid ${row.uid} has a row and no message`);
  const bytes = await message.read(0, message.size);
  assertStructure(mailbox, row, { message, bytes });
  return digestOf(bytes);
}
