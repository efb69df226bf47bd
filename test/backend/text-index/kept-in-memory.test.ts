/** What a process keeps of indexes in memory: within its bounds, and as it is in the files. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeManifest } from '../../../backend/text-index/index-folder.ts';
import { KnownManifests } from '../../../backend/text-index/known-manifests.ts';
import { ListCache } from '../../../backend/text-index/list-cache.ts';
import { temporaryDirectory } from '../storage/harness.ts';

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
