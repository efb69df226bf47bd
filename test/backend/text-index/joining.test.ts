/** Segments of a mailbox stay few, and none grows too large. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderOf, readManifest } from '../../../backend/text-index/index-folder.ts';
import { indexMailbox } from '../../../backend/text-index/index-mailbox.ts';
import { joinable } from '../../../backend/text-index/joining.ts';
import { mostMessages } from '../../../backend/text-index/segment-format.ts';
import { temporaryDirectory } from '../storage/harness.ts';
import { deliverMail, mails, openGround } from './harness.ts';

/** What is left of segments of these sizes, and how many messages were written for it. */
function joined(sizes: readonly number[]): { readonly left: readonly number[]; readonly written: number } {
  let left = [...sizes];
  let written = 0;
  for (let few = joinable(left.map((_, index) => index), (index) => left[index] ?? 0); few !== undefined; few = joinable(left.map((_, index) => index), (index) => left[index] ?? 0)) {
    const chosen = few;
    const size = chosen.reduce((sum, index) => sum + (left[index] ?? 0), 0);
    left = [...left.filter((_, index) => !chosen.includes(index)), size];
    written += size;
  }
  return { left, written };
}

test('Hundred thousand messages that were indexed at once are in four segments in the end, of which none is too large', () => {
  const { left, written } = joined(Array.from({ length: 40 }, () => 2520));
  assert.equal(left.reduce((sum, size) => sum + size, 0), 100_800);
  assert.ok(left.length <= 4, left.join());
  assert.ok(left.every((size) => size <= mostMessages), left.join());
  assert.ok(written <= 2 * 100_800, String(written));
});

test('Messages that come one by one are in few segments at any time, and are written again a few times only', () => {
  let sizes: readonly number[] = [];
  let written = 0;
  let most = 0;
  for (let count = 1; count <= 40_000; count += 1) {
    const outcome = joined([...sizes, 1]);
    sizes = outcome.left;
    written += outcome.written;
    most = Math.max(most, sizes.length);
  }
  assert.equal(sizes.reduce((sum, size) => sum + size, 0), 40_000);
  assert.ok(most <= 27, String(most)); // three of each of the eight sizes, and those that are joined
  assert.ok(written <= 9 * 40_000, String(written));
});

test('While a mailbox is indexed for the first time, searches find few segments at any time', async (t) => {
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  for (const bytes of mails.slice(0, 64)) await deliverMail(ground, bytes);
  const folder = folderOf(ground.mailbox);
  const counts: number[] = [];
  const rest = async (): Promise<void> => void counts.push((await readManifest(folder))?.segments.length ?? 0);
  await indexMailbox({ mailbox: ground.mailbox, folder, least: 1, report: () => undefined, signal: new AbortController().signal, rest, entriesPerSegment: 1 }); // each message makes one
  assert.ok(counts.length > 64);
  assert.ok(Math.max(...counts) <= 10, counts.join()); // three of each of three sizes, and the new one
  assert.equal((await readManifest(folder))?.segments.length, 1);
});
