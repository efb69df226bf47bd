/** A storage with real mail of two accounts, for tests of what is made anew from its packs, or of its index. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { checkStorage, openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Storage } from '../../../backend/storage/storage.ts';
import { deliver, mailboxOf, realMessages, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

export const quiet = { report: () => undefined, signal: new AbortController().signal };

export async function inStorage<T>(directory: string, work: (storage: Storage) => Promise<T>, changes: Parameters<typeof storageOptions>[1] = {}): Promise<T> {
  const storage = await openStorage(storageOptions(directory, changes));
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}

export function liveOf(storage: Storage, address: string): Account {
  const record = storage.find(address);
  assert.ok(record.at === 'live');
  return record.account;
}

export async function filled(t: TestContext): Promise<string> {
  const directory = temporaryDirectory(t);
  await inStorage(directory, async (storage) => {
    for (const address of ['alice@example.com', 'zoe@example.com']) {
      const account = await storage.createAccount(address);
      await account.createMailbox('Work/Bridge');
      for (const { bytes } of realMessages().slice(0, 12)) await deliver({ storage, account, mailbox: mailboxOf(account) }, bytes, { flags: 1, keywords: ['blue'], internalDateMs: 1_600_000_000_000 });
      await deliver({ storage, account, mailbox: mailboxOf(account, 'Work/Bridge') }, sampleMessage('big', 400_000)); // streamed: its length stands behind it
      await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage('gone'));
    }
  });
  return directory;
}

/** The kinds of what a check finds. */
export async function check(storage: Storage): Promise<readonly string[]> {
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  return (await checkStorage(kept, quiet)).findings.map(({ kind }) => kind);
}
