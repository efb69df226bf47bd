/** The index follows by itself: a mailbox that is searched gets one, later mail comes into it, and nobody asks for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TextIndexing } from '../../../backend/text-index/text-index.ts';
import { createLog } from '../../../shared/log/log.ts';
import { temporaryDirectory } from '../storage/harness.ts';
import { compare, deliverMail, mails, openGround } from './harness.ts';
import type { Ground } from './harness.ts';

const patienceMs = 60_000;

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

test('A mailbox that is searched gets an index, and what is delivered later comes into it.', { timeout: 150_000 }, async (t) => {
  const ground = await openGround(temporaryDirectory(t));
  const order = { clusterName: 'test', nodeName: 'be1', directories: [ground.directory], indexed: 'searched' as const };
  const indexing = new TextIndexing({ order, hints: ground.hints, log: createLog({ node: 'be1', level: 'silent' }), delayMs: 50 });
  t.after(async () => {
    await indexing.stop();
    await ground.storage.close();
  });
  for (const bytes of mails) await deliverMail(ground, bytes);
  await unknownAtMost(ground, 0);
  for (const bytes of mails) await deliverMail(ground, bytes);
  await unknownAtMost(ground, 63); // fewer than 64 may be missing
  await compare(ground, { in: 'body', value: 'NEEDLE' });
});
