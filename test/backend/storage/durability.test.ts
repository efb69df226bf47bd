/** An append is answered, and a copy of a compaction counts, only after its bytes, and then its index entry, were flushed: watched at the system calls. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStorage } from '../../../backend/storage/storage.ts';
import { testProcess } from '../../harness/program-file.ts';
import { flushesOfPacks } from '../../harness/strace-calls.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;

const watched = 'trace=openat,fsync,fdatasync,pwrite64,write,writev,pwritev';

/** The system calls of a process that appends five messages one after the other, the last one big enough for a pack of its own, each between two marks. */
function tracedAppends(directory: string): { readonly appends: readonly string[][]; readonly flushesPack: (line: string) => boolean } {
  const trace = join(directory, 'trace');
  const script = testProcess('backend/storage/traced-process');
  const run = spawnSync('strace', ['-f', '-y', '-s', '16', '-e', watched, '-o', trace, process.execPath, script, join(directory, 'data')]);
  assert.equal(run.status, 0, run.stderr.toString());
  const text = readFileSync(trace, 'utf8');
  const parts = text.split(/^.*write\(1<[^>]*>, "(?:append|stored)\b.*$/m);
  return { appends: [1, 3, 5, 7, 9].map((index) => (parts[index] ?? '').split('\n')), flushesPack: flushesOfPacks(text) };
}

test('Each append flushes its packs, then the index, and only then is acknowledged', { skip: !hasStrace && 'strace is not installed' }, (t) => {
  const { appends, flushesPack } = tracedAppends(temporaryDirectory(t));
  for (const calls of appends) {
    const last = (pattern: RegExp): number => calls.findLastIndex((call) => pattern.test(call));
    const packs = new Set(calls.flatMap((call) => /pwrite64\(\d+<[^>]*\/(\d+\.pack)>/.exec(call)?.[1] ?? []));
    assert.ok(packs.size > 0, 'the bytes are written');
    const flushes = [...packs].map((pack) => {
      const flushed = calls.findLastIndex((call) => call.includes(`/${pack}>`) && flushesPack(call));
      assert.ok(flushed >= last(new RegExp(`pwrite64\\(\\d+<[^>]*/${pack}>`)), 'the pack is flushed after, or as, the bytes are written');
      return flushed;
    });
    const begun = calls.findIndex((call) => /pwrite64\(\d+<[^>]*\.pack>/.test(call)); // before that a new pack is entered in the index
    const indexWritten = calls.findIndex((call, index) => index > begun && /(pwrite64|pwritev|write|writev)\(\d+<[^>]*data\.mdb>/.test(call));
    assert.ok(indexWritten > Math.max(...flushes), 'the index is written after the packs are flushed');
    assert.ok(last(/(fdatasync|fsync)\(\d+<[^>]*data\.mdb>/) > indexWritten, 'the index is flushed');
  }
});

test('What is copied by a compaction is flushed, with its notes and the name of its pack, before the index names it in its new place', { skip: !hasStrace && 'strace is not installed' }, async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(join(directory, 'data')));
  const account = await storage.createAccount('alice@example.com');
  for (const subject of ['dead', 'alive']) await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage(subject, 4000));
  await mailboxOf(account).expunge([1]);
  await storage.close();
  const trace = join(directory, 'trace');
  const run = spawnSync('strace', ['-f', '-y', '-s', '16000', '-e', watched, '-o', trace, process.execPath, testProcess('backend/storage/traced-process'), join(directory, 'data'), 'compact']);
  assert.equal(run.status, 0, run.stderr.toString());
  const text = readFileSync(trace, 'utf8');
  const [calls, flushesPack] = [text.split('\n'), flushesOfPacks(text)];
  const copied = calls.findIndex((call) => /pwrite64\(\d+<[^>]*\.pack>.*Subject: alive/.test(call));
  const noted = calls.findLastIndex((call) => /pwrite64\(\d+<[^>]*\.pack>.*copiedFrom/.test(call));
  assert.ok(copied >= 0 && noted >= 0, 'the copy and its note are written');
  const named = calls.findIndex((call, index) => index > copied && /(pwrite64|pwritev|write|writev)\(\d+<[^>]*data\.mdb>/.test(call));
  const flushed = calls.findLastIndex((call, index) => index < named && flushesPack(call));
  assert.ok(flushed >= copied && flushed >= noted, 'flushed before the index is written');
  const directoryFlushed = calls.findIndex((call) => /fsync\(\d+<[^>]*\/packs>/.test(call));
  assert.ok(directoryFlushed >= 0 && directoryFlushed < named);
});

test('The name of a new pack is flushed before anything in it is acknowledged', { skip: !hasStrace && 'strace is not installed' }, (t) => {
  const big = tracedAppends(temporaryDirectory(t)).appends.at(-1) ?? [];
  const directoryFlushed = big.findIndex((call) => /fsync\(\d+<[^>]*\/packs>/.test(call));
  const indexWritten = big.findLastIndex((call) => /pwritev?6?4?\(\d+<[^>]*data\.mdb>/.test(call));
  assert.ok(directoryFlushed >= 0 && directoryFlushed < indexWritten);
});
