/** A repeat of a delivery leaves no note in the packs, by which an index made anew from them would show it as mail of the INBOX. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deliverLocally } from '../../../backend/processing/local-delivery.ts';
import { openStorage, rebuildIndex } from '../../../backend/storage/storage.ts';
import { storageOptions, temporaryDirectory } from '../storage/harness.ts';

test('A message that came twice, and one that came a second time to one of two, are in INBOX once each when the index was lost and made anew.', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  const [alice, bob] = [await storage.createAccount('alice@example.com'), await storage.createAccount('bob@example.com')];
  const rules = { retryWindowMs: 60_000, isAlive: () => false };
  const deliver = async (id: string, acceptedAtMs: number, to: readonly (typeof alice)[]): Promise<readonly (number | undefined)[]> => {
    const acceptance = { id, acceptedAtMs, confirmation: 'loose', holder: '' } as const;
    const bytes = [Buffer.from('Subject: once\r\n\r\nHello.\r\n')];
    const outcomes = await deliverLocally(rules, { accounts: to, message: { sender: 'x@example.net', trace: `Received: ${id}\r\n`, bytes, maxBytes: 10_000, digest: undefined, acceptance } });
    return outcomes.map((outcome) => (outcome.at === 'stored' ? outcome.uid : undefined));
  };
  assert.deepEqual(await deliver('first', 1000, [alice]), [1]);
  assert.deepEqual(await deliver('first', 1000, [alice]), [undefined], 'the same hand-over again');
  assert.deepEqual(await deliver('retry', 2000, [alice, bob]), [undefined, 1], 'the retry of a client that was not told, to one more');
  await storage.close();
  rmSync(join(directory, 'index'), { recursive: true });
  const { accounts, messages, unplaced, lost } = await rebuildIndex(directory, { report: () => undefined, signal: new AbortController().signal });
  assert.deepEqual({ accounts, placed: messages - unplaced, lost }, { accounts: 2, placed: 2, lost: [] });
});
