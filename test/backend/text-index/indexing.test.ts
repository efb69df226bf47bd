/** The index follows by itself: a mailbox that is searched gets one, later mail comes into it, and nobody asks for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IndexerOrder } from '../../../backend/text-index/indexer-notice.ts';
import type { NodeLoad } from '../../../backend/text-index/indexer-pace.ts';
import { runIndexer } from '../../../backend/text-index/run-indexer.ts';
import { IndexCare, TextIndexing } from '../../../backend/text-index/text-index.ts';
import { createLog } from '../../../shared/log/log.ts';
import { RecordingHints, temporaryDirectory } from '../storage/harness.ts';
import { address, compare, deliverMail, mails, openGround } from './harness.ts';
import type { Ground } from './harness.ts';

const patienceMs = 60_000;
const delayMs = 50;

/** The indexer as it is, with what is ordered of it. */
function heardIndexer(): { readonly run: typeof runIndexer; readonly orders: IndexerOrder[] } {
  const orders: IndexerOrder[] = [];
  const run: typeof runIndexer = (order, hear) => {
    orders.push(order);
    return runIndexer(order, hear);
  };
  return { run, orders };
}

async function unknownAtMost(ground: Ground, most: number): Promise<void> {
  const untilMs = Date.now() + patienceMs;
  let unknown = Infinity;
  while (unknown > most && Date.now() < untilMs) {
    await sleep(100);
    const uids = ground.mailbox.rows().map(({ uid }) => uid);
    unknown = (await ground.answers.verdicts(ground.mailbox, { in: 'text', value: 'EXAMPLE' }, uids))?.filter((verdict) => verdict === 2).length ?? uids.length;
  }
  assert.ok(unknown <= most, `${String(unknown)} messages are in no index`);
}

test('A mailbox that is searched gets an index, and what is delivered later comes into it; nobody waits for that, but for what is made anew by command.', { timeout: 150_000 }, async (t) => {
  const ground = await openGround(temporaryDirectory(t));
  const order = { clusterName: 'test', nodeName: 'be1', directories: [ground.directory], indexed: 'searched' as const };
  const { run, orders } = heardIndexer();
  const indexing = new TextIndexing({ order, hints: ground.hints, log: createLog({ node: 'be1', level: 'silent' }), delayMs, run });
  t.after(async () => {
    await indexing.stop();
    await ground.storage.close();
  });
  for (const bytes of mails) await deliverMail(ground, bytes);
  await unknownAtMost(ground, 0);
  for (const bytes of mails) await deliverMail(ground, bytes);
  await unknownAtMost(ground, 63); // fewer than 64 may be missing
  await compare(ground, { in: 'body', value: 'NEEDLE' });
  await indexing.stop();
  const passes = orders.splice(0);
  assert.ok(passes.length >= 2);
  // Each began so long after its oldest change, which came when the one before was at work at the earliest. A timer may be early by a millisecond.
  for (const { haste } of passes) assert.ok(haste.is === 'behind' && haste.sinceMs >= delayMs - 2 && haste.sinceMs < 2 * patienceMs, JSON.stringify(haste));
  await new IndexCare(ground.storage, order, run).rebuild(address, { report: () => undefined, signal: new AbortController().signal });
  assert.deepEqual(orders.map(({ haste, extent }) => ({ haste, extent })), orders.map(() => ({ haste: { is: 'waited-for' }, extent: 'make' })));
  assert.ok(orders.length > 0);
});

test('The indexer hears that the node is busy, also by hints that stand for many changes.', async () => {
  const hints = new RecordingHints();
  const told = Promise.withResolvers<NodeLoad>();
  const { promise: ended, resolve: end } = Promise.withResolvers<Awaited<ReturnType<typeof runIndexer>['ended']>>();
  const run: typeof runIndexer = () => ({ ended, tell: told.resolve, stop: () => end({ is: 'busy' }) });
  const order = { clusterName: 'test', nodeName: 'be1', directories: [], indexed: 'all' as const };
  const indexing = new TextIndexing({ order, hints, log: createLog({ node: 'be1', level: 'silent' }), delayMs: 1, run });
  hints.publish({ account: 'a', mailbox: 1, changes: 1_000_000 });
  assert.equal(await told.promise, 'busy');
  await indexing.stop();
});
