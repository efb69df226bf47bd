/** Nodes are killed at every step of taking a storage out and in: the next start has all or nothing of it, and no account is ever unknown. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { finishJoining } from '../../backend/broken-joining.ts';
import { checkStorage } from '../../backend/storage/storage.ts';
import type { Storage } from '../../backend/storage/storage.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions } from '../backend/storage/harness.ts';
import { StorageNode, alice, command } from '../backend/storage/storage-node.ts';
import { startProcess } from './process.ts';
import type { ChangeTask } from './storage-change-worker.ts';

const script = join(import.meta.dirname, 'storage-change-worker.ts');

/** What the steps touch: the notes, their folder, and who holds the storage. */
function pathsOf(folder: string): string[] {
  const [list, two] = [join(folder, 'queue', 'storages'), join(folder, 'two')];
  const hash = createHash('sha256').update(two).digest('hex').slice(0, 16);
  return [list, join(two, 'holder.json'), ...['attached', 'detached', 'joining'].flatMap((kind) => [join(list, `${kind}-${hash}.json`), join(list, `${kind}-${hash}.json.new`)])];
}

function standingIn(storage: Storage): string {
  try {
    return storage.find(alice).at;
  } catch (error) {
    assert.ok(isFailure(error, 'storage-failure'), String(error));
    return 'away';
  }
}

/** From a start of the node to its end. */
async function lifeOf<Result>(folder: string, work: (node: StorageNode) => Promise<Result>): Promise<Result> {
  const ends: (() => unknown)[] = [];
  try {
    return await work(new StorageNode({ after: (end) => void ends.push(end as () => unknown) }, folder));
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** The node starts again; answers how alice stands. Then it is brought to where the storage is open, or taken out. */
async function startAgain(folder: string, end: 'open' | 'out'): Promise<string> {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  const { clusterName, log } = storageOptions(one);
  const places = { nodeName: 'be1', clusterName, storage: { directories: [one, two] }, services: { processing: { queueDirectory: join(folder, 'queue') } } };
  await finishJoining(places, { foreign: 'refuse', log });
  return lifeOf(folder, async (node) => {
    assert.deepEqual(node.memory.joining(), [], 'nothing is half noted');
    const first = await node.start();
    const found = standingIn(first.storage);
    const out = node.memory.takenOut().find(({ directory }) => directory === two);
    assert.equal(found, out === undefined ? 'live' : 'away');
    if (out === undefined) await demandMail(first.storage, two);
    else assert.ok(out.addresses.has(alice), 'its address is remembered');
    if (end === 'out' && out === undefined) await command(node, first, ['detachStorage', { directory: two, addresses: 'keep' }]);
    if (end === 'open' && out !== undefined) await command(node, first, ['attachStorage', { directory: two }]);
    assert.equal(standingIn((node.workers.at(-1) ?? first).storage), end === 'open' ? 'live' : 'away', 'the same can be asked for again');
    return found;
  });
}

async function demandMail(storage: Storage, directory: string): Promise<void> {
  const record = storage.find(alice);
  assert.ok(record.at === 'live');
  assert.equal(mailboxOf(record.account).state().messages, 1);
  const folder = storage.care.folders().find((one) => one.directory === directory);
  assert.ok(folder !== undefined);
  assert.deepEqual((await checkStorage(folder, { report: () => undefined, signal: new AbortController().signal })).findings, []);
}

for (const act of ['detachStorage', 'attachStorage'] as const) {
  test(`${act}: a node that is killed at any step starts again with its storages, and knows all accounts`, { timeout: 600_000 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-storage-changes-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    await lifeOf(folder, async (node) => {
      const { storage } = await node.start();
      const account = await storage.createAccount(alice);
      await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage('hers'));
    });
    const before = act === 'detachStorage' ? 'open' : 'out';
    await startAgain(folder, before);
    const struck = new Set<string>();
    for (const calls of ['write', 'fsync', 'rename', 'unlink']) {
      for (let count = 1; ; count += 1) {
        const task: ChangeTask = { folder, act };
        const outcome = await startProcess(script, task, { injection: { calls, paths: pathsOf(folder), effect: 'signal=KILL', when: String(count) }, traceFile: join(folder, 'trace') }).ended;
        assert.notEqual(outcome.end, 'failed', outcome.words);
        const found = await startAgain(folder, before);
        t.diagnostic(`${calls} ${String(count)}: ${outcome.end}, ${found}; ${outcome.struckAt ?? ''}`);
        if (outcome.end === 'ended') break;
        struck.add(`${calls} ${found}`);
      }
    }
    assert.ok(struck.size >= 4, [...struck].join());
    assert.deepEqual(new Set([...struck].map((one) => one.split(' ')[1])), new Set(['live', 'away']), 'before and after the step that counts');
  });
}
