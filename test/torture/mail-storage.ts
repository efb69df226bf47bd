/** How the torture opens a storage, and what it finds in one: all mailboxes of the one account with every byte of their mail. */
import { createLog } from '../../shared/log/log.ts';
import type { Logger } from '../../shared/log/log.ts';
import { openStorage } from '../../backend/storage/storage.ts';
import type { Mailbox, MailboxState, Storage, StorageOptions } from '../../backend/storage/storage.ts';
import { digestOf } from './actions.ts';

export const owner = 'alice@example.com';

export function tortureOptions(directory: string, log: Logger): StorageOptions {
  const hints = { publish: () => undefined, subscribe: () => () => undefined };
  return { directories: [directory], clusterName: 'torture', nodeName: 'be1', hints, log, workerSlot: 0, reserveBytes: 0 };
}

export interface FoundMessage {
  readonly uid: number;
  readonly modseq: number;
  readonly flags: number;
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
    const messages = await Promise.all(mailbox.rows().map(({ uid, modseq, flags }) => found(mailbox, { uid, modseq, flags })));
    return { state, messages };
  }));
}

async function found(mailbox: Mailbox, row: Omit<FoundMessage, 'digest'>): Promise<FoundMessage> {
  const message = mailbox.message(row.uid);
  if (message === undefined) throw new Error(`uid ${row.uid} has a row and no message`);
  return { ...row, digest: digestOf(await message.read(0, message.size)) };
}
