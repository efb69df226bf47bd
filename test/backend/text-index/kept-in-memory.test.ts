/** What a process keeps of indexes in memory: within its bounds, and as it is in the files. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderOf, readManifest, writeManifest } from '../../../backend/text-index/index-folder.ts';
import { indexMailbox } from '../../../backend/text-index/index-mailbox.ts';
import { KnownManifests } from '../../../backend/text-index/known-manifests.ts';
import { ListCache } from '../../../backend/text-index/list-cache.ts';
import { SegmentCache } from '../../../backend/text-index/segment-cache.ts';
import { temporaryDirectory } from '../storage/harness.ts';
import { deliverMail, mails, openGround } from './harness.ts';

test('Lists of segments are kept within the bound on memory, those that were asked for lately; long ones are not.', () => {
  const cache = new ListCache(100_000);
  const segments = [cache.forSegment(), cache.forSegment()];
  for (let from = 0; from < 1000; from += 1) for (const segment of segments) segment.keep(from, Buffer.alloc(800, from % 256));
  const kept = segments.map((segment) => Array.from({ length: 1000 }, (_, from) => segment.get(from)).filter((list) => list !== undefined));
  const bytes = kept.flat().reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes > 50_000 && bytes <= 100_000, `${String(bytes)} bytes`);
  assert.deepEqual(segments.map((segment) => segment.get(999)?.[0]), [999 % 256, 999 % 256]);
  assert.equal(segments[0]?.get(0), undefined);
  segments[0]?.keep(1, Buffer.alloc(64 * 1024 + 1));
  assert.equal(segments[0]?.get(1), undefined);
});

test('Lists are those of the segment that keeps them, and stay as they were.', () => {
  const cache = new ListCache(100_000);
  const [one, other] = [cache.forSegment(), cache.forSegment()];
  const list = Buffer.from('list');
  one.keep(7, list);
  list.fill(0);
  assert.equal(one.get(7)?.toString(), 'list');
  assert.equal(other.get(7), undefined);
});

test('A manifest is read once, and again when another one has taken its place.', async (t) => {
  const folder = join(temporaryDirectory(t), '1');
  mkdirSync(folder);
  const manifests = new KnownManifests();
  const write = (modseq: number): void => writeManifest(folder, { mailboxId: 'm', uidValidity: 1, modseq, missing: 0, gone: 0, segments: [] });
  assert.equal(await manifests.read(folder), undefined);
  write(1);
  const first = await manifests.read(folder);
  assert.equal(first?.modseq, 1);
  assert.equal(await manifests.read(folder), first);
  write(2); // as long as the one before
  assert.equal((await manifests.read(folder))?.modseq, 2);
  rmSync(folder, { recursive: true });
  assert.equal(await manifests.read(folder), undefined);
});

/** Files below that folder that this process has open. */
function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(`${folder}/`) ? [path] : [];
    } catch {
      return []; // the one that lists them
    }
  });
}

test('Of segments that are forgotten while they are being opened, as when their storage is taken out, none stays open.', async (t) => {
  const ground = await openGround(temporaryDirectory(t));
  for (const bytes of mails.slice(0, 3)) await deliverMail(ground, bytes);
  const folder = folderOf(ground.mailbox);
  await indexMailbox({ mailbox: ground.mailbox, folder, least: 1, report: () => undefined, signal: new AbortController().signal, rest: async () => Promise.resolve() });
  await ground.storage.close();
  const [{ file } = { file: '' }] = (await readManifest(folder))?.segments ?? [];
  const path = join(folder, file);
  const cache = new SegmentCache(1_000_000);
  const [forgotten, again] = [cache.open(path), cache.open(path)];
  cache.forgetBelow(folder);
  await Promise.all([forgotten, again]);
  assert.deepEqual(openBelow(folder), []);
  const kept = await cache.open(path);
  assert.deepEqual(openBelow(folder), [path]);
  assert.equal(await cache.open(path), kept);
  const closed = cache.open(path);
  cache.close();
  await closed;
  for (const untilMs = performance.now() + 10_000; openBelow(folder).length > 0; await new Promise((resolve) => { setImmediate(resolve); })) assert.ok(performance.now() < untilMs, 'it stays open');
});
