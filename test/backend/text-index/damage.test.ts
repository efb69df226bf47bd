/** An index that is damaged, half made or gone never makes a search wrong: it is set aside and made anew. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { indexMailbox } from '../../../backend/text-index/index-mailbox.ts';
import { folderOf } from '../../../backend/text-index/index-folder.ts';
import { runIndexer } from '../../../backend/text-index/run-indexer.ts';
import type { IndexerOrder } from '../../../backend/text-index/indexer-notice.ts';
import { Dice } from '../../torture/dice.ts';
import { temporaryDirectory } from '../storage/harness.ts';
import { chanceQuestion, compare, deliverMail, mails, newAnswers, openGround } from './harness.ts';
import type { Ground } from './harness.ts';

const seed = Number(process.env['WAYBILL_FUZZ_SEED'] ?? Date.now() % 1_000_000);

async function openFilled(t: TestContext): Promise<Ground & { readonly folder: string; index(): Promise<void> }> {
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  for (const bytes of mails) await deliverMail(ground, bytes);
  const folder = folderOf(ground.mailbox);
  return { ...ground, folder, index: async () => void (await indexMailbox({ mailbox: ground.mailbox, folder, least: 1, report: () => undefined, signal: new AbortController().signal })) };
}

function order({ directory }: Ground): IndexerOrder {
  return { clusterName: 'test', nodeName: 'be1', directories: [directory], indexed: 'all', extent: 'as-configured' };
}

/** Flips a bit, cuts the file, or empties it. */
function spoil(path: string, dice: Dice): string {
  const bytes = readFileSync(path);
  const at = dice.below(bytes.length);
  const how = dice.pick(['flip', 'flip', 'flip', 'cut', 'empty'] as const);
  if (how === 'flip') {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
    writeFileSync(path, bytes);
  } else truncateSync(path, how === 'cut' ? at : 0);
  return `${path}: ${how} at ${String(at)}`;
}

test(`A spoilt index gives right answers or none, is set aside, and is made anew (seed ${String(seed)}).`, { timeout: 120_000 }, async (t) => {
  const dice = new Dice(seed);
  const ground = await openFilled(t);
  let found = 0;
  for (let round = 0; round < 12; round += 1) {
    await ground.index();
    const what = spoil(join(ground.folder, dice.pick(readdirSync(ground.folder).filter((name) => name !== 'wanted'))), dice);
    const fresh = { ...ground, answers: newAnswers(ground.hints) }; // another process: nothing is in its memory
    for (let asked = 0; asked < 3; asked += 1) await compare(fresh, await chanceQuestion(ground, dice)).catch((error: unknown) => assert.fail(`${what}: ${String(error)}`));
    if (existsSync(`${ground.folder}.damaged`)) found += 1;
    fresh.answers.close();
  }
  assert.ok(found > 2, `only ${String(found)} of 12 were noticed`); // the others lie where nobody looked
  await ground.index();
  assert.equal((await compare(ground, { in: 'text', value: 'EXAMPLE' })).unknown, 0);
});

test(`A killed indexer leaves an index that counts as far as it got; the next one ends the work and removes what was left over (seed ${String(seed)}).`, { timeout: 120_000 }, async (t) => {
  const dice = new Dice(seed);
  const ground = await openFilled(t);
  for (let round = 0; round < 4; round += 1) {
    const run = runIndexer(order(ground), () => undefined);
    setTimeout(() => run.stop(), dice.below(400));
    await run.ended.catch(() => undefined); // whether it was done before is chance
    await compare(ground, await chanceQuestion(ground, dice));
    for (const bytes of mails.slice(0, 30)) await deliverMail(ground, bytes);
  }
  mkdirSync(ground.folder, { recursive: true });
  writeFileSync(join(ground.folder, '00ff00ff00ff00ff.segment'), 'half of a segment');
  const end = await runIndexer({ ...order(ground), extent: 'make' }, () => undefined).ended;
  assert.deepEqual({ is: end.is, missing: end.is === 'done' ? end.missing : undefined }, { is: 'done', missing: 0 });
  assert.ok(!existsSync(join(ground.folder, '00ff00ff00ff00ff.segment')), 'what was half made is still there');
  assert.deepEqual(await compare(ground, { in: 'text', value: 'JOERG@EXAMPLE' }).then(({ hits }) => hits > 5), true);
  assert.equal((await compare(ground, { in: 'text', value: 'EXAMPLE' })).unknown, 0);
});

test('Two indexers never write at the same time, and an index that disappears while it is used costs nothing but time.', { timeout: 60_000 }, async (t) => {
  const ground = await openFilled(t);
  const ends = await Promise.all([runIndexer(order(ground), () => undefined).ended, runIndexer(order(ground), () => undefined).ended]);
  assert.ok(ends.some(({ is }) => is === 'done'));
  assert.equal((await compare(ground, { in: 'body', value: 'NEEDLE' })).hits, 1);
  rmSync(join(ground.directory, 'text-index'), { recursive: true });
  assert.ok((await compare(ground, { in: 'body', value: 'NEEDLE' })).unknown > 0);
  mkdirSync(ground.folder, { recursive: true });
  await ground.index();
  assert.equal((await compare(ground, { in: 'body', value: 'NEEDLE' })).unknown, 1); // the endless line is always looked into
});
