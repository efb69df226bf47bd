/** Several worker processes on one storage: nothing counted wrong, no uid given twice, nothing acknowledged lost. */
import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Mailbox, Storage } from '../../../backend/storage/storage.ts';
import { testProcess } from '../../harness/program-file.ts';
import { bytesOf, deliver, mailboxOf, recount, sampleMessage, storageOptions, temporaryDirectory, temporaryStorage } from './harness.ts';

const script = testProcess('backend/storage/worker-process');

function aliceOf(storage: Storage): { readonly inbox: Mailbox; readonly trash: Mailbox; readonly used: { bytes: number; messages: number } } {
  const found = storage.find('alice@example.com');
  if (found.at !== 'live') throw new Error('no account');
  return { inbox: mailboxOf(found.account), trash: mailboxOf(found.account, 'Trash'), used: found.account.quota() };
}

function assertExact(storage: Storage): void {
  const { inbox, trash, used } = aliceOf(storage);
  const counted = [inbox, trash].map(recount);
  for (const [index, mailbox] of [inbox, trash].entries()) {
    const { messages, unseen, deleted, bytes } = mailbox.state();
    assert.deepEqual({ messages, unseen, deleted, bytes }, counted[index]);
  }
  assert.equal(used.messages, counted.reduce((sum, { messages }) => sum + messages, 0));
  assert.equal(used.bytes, counted.reduce((sum, { bytes }) => sum + bytes, 0));
}

test('Two processes append, flag, move and expunge at once: counters are exact and no uid is given twice', async (t) => {
  const directory = temporaryDirectory(t);
  const reports = await Promise.all(['one', 'two'].map(async (name) => {
    const child = fork(script, ['mixed', directory, name]);
    t.after(() => child.kill('SIGKILL'));
    const [report] = (await once(child, 'message')) as [{ uids: number[]; moved: number[] }];
    return report;
  }));
  const uids = reports.flatMap((report) => report.uids);
  const moved = reports.flatMap((report) => report.moved);
  assert.equal(uids.length, 320);
  assert.equal(new Set(uids).size, 320, 'uids in INBOX');
  assert.equal(new Set(moved).size, moved.length, 'uids in Trash');
  const storage = await openStorage(storageOptions(directory));
  t.after(() => storage.close());
  assertExact(storage);
  assert.equal(aliceOf(storage).inbox.state().uidNext, 321);
});

test('A process sees at once what another has committed', async (t) => {
  const directory = temporaryDirectory(t);
  const here = await openStorage(storageOptions(directory));
  t.after(() => here.close());
  const account = await here.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  const child = spawn(process.execPath, [script, 'stream', directory, 'other'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let seen = 0;
  for await (const chunk of child.stdout) {
    const lines = String(chunk).split('\n').filter((line) => / [0-9a-f]{64}$/.test(line));
    for (const line of lines) assert.ok(inbox.row(Number(line.split(' ')[0])), `uid of "${line}" is acknowledged and not visible`);
    seen += lines.length;
    if (seen > 200) child.kill('SIGKILL');
  }
  assert.ok(seen > 200);
});

test('A process is killed in the middle of its appends, again and again: all that was acknowledged is there, byte for byte', async (t) => {
  const directory = temporaryDirectory(t);
  const acknowledged = new Map<number, string>();
  const storage = await openStorage(storageOptions(directory));
  t.after(() => storage.close());
  const account = await storage.createAccount('alice@example.com');
  const own = keepAppending({ storage, account, mailbox: mailboxOf(account) }, acknowledged);
  for (let round = 0; round < 6; round += 1) {
    const output = await runAndKill(directory, `round${round}`, 350 + round * 67);
    for (const line of output.split('\n')) {
      const [uid = '', digest = ''] = line.split(' ');
      if (digest.length !== 64) continue;
      assert.ok(!acknowledged.has(Number(uid)), `uid ${uid} was given twice`);
      acknowledged.set(Number(uid), digest);
    }
  }
  await own.stop();
  assert.ok(acknowledged.size > 100, `only ${acknowledged.size} were acknowledged`);
  const { inbox } = aliceOf(storage);
  assertExact(storage);
  for (const row of inbox.rows()) {
    const digest = createHash('sha256').update(await bytesOf(inbox, row.uid)).digest('hex');
    assert.equal(digest, acknowledged.get(row.uid) ?? digest);
    acknowledged.delete(row.uid);
  }
  assert.deepEqual([...acknowledged.keys()], [], 'acknowledged and lost');
});

/** Appends beside those that are killed: their death must neither stop nor harm this process. */
function keepAppending(target: { storage: Storage; account: Account; mailbox: Mailbox }, acknowledged: Map<number, string>): { stop(): Promise<void> } {
  let state: 'running' | 'stopping' = 'running';
  const running = (async () => {
    for (let turn = 0; state === 'running'; turn += 1) {
      const bytes = sampleMessage(`survivor ${turn}`, 800);
      const { uids } = await deliver(target, bytes);
      acknowledged.set(uids[0] ?? 0, createHash('sha256').update(bytes).digest('hex'));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    stop: () => {
      state = 'stopping';
      return running;
    },
  };
}

async function runAndKill(directory: string, name: string, afterMs: number): Promise<string> {
  const child = spawn(process.execPath, [script, 'stream', directory, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs); // counted from the first acknowledgement
  });
  await once(child, 'close');
  return output;
}

test('What a killed process has written and nobody acknowledged is tidied away with its packs', async (t) => {
  const directory = temporaryDirectory(t);
  await runAndKill(directory, 'dies', 300);
  const storage = await openStorage(storageOptions(directory));
  t.after(() => storage.close());
  const { inbox } = aliceOf(storage);
  assert.equal(await storage.removeDeadPacks(0), 0, 'its packs hold live mail');
  await inbox.expunge(inbox.rows().map((row) => row.uid));
  assert.ok((await storage.removeDeadPacks(0)) > 0);
  assert.deepEqual(readdirSync(join(directory, 'packs')), []);
  assert.equal(inbox.state().bytes, 0);
});

test('Hundreds of appends at once all arrive, each under its own uid', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  const results = await Promise.all(Array.from({ length: 300 }, (_, index) => deliver({ storage, account, mailbox: inbox }, sampleMessage(`n${index}`))));
  assert.equal(new Set(results.map(({ uids }) => uids[0])).size, 300);
  for (const [index, { uids }] of results.entries()) assert.deepEqual(await bytesOf(inbox, uids[0] ?? 0), sampleMessage(`n${index}`));
  assertExact(storage);
});
