/** The index and a look into every message say the same, while messages come and go: real messages, needles cut out of them by chance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzyScore, unknownScore } from '../../../backend/text-index/text-index.ts';
import type { TextQuestion } from '../../../backend/text-index/text-index.ts';
import { indexMailbox } from '../../../backend/text-index/index-mailbox.ts';
import { folderOf } from '../../../backend/text-index/index-folder.ts';
import { Dice } from '../../torture/dice.ts';
import { temporaryDirectory } from '../storage/harness.ts';
import { chanceQuestion, compare, deliverMail, mails, openGround } from './harness.ts';
import type { Ground } from './harness.ts';

const seed = Number(process.env['WAYBILL_FUZZ_SEED'] ?? Date.now() % 1_000_000);
const rounds = Number(process.env['WAYBILL_TEXT_ROUNDS'] ?? 2);

async function index({ mailbox }: Ground, least: number): Promise<void> {
  await indexMailbox({ mailbox, folder: folderOf(mailbox), least, report: () => undefined, signal: new AbortController().signal });
}

async function changeMailbox(ground: Ground, dice: Dice): Promise<void> {
  for (let left = dice.below(30); left > 0; left -= 1) await deliverMail(ground, dice.pick(mails));
  const uids = ground.mailbox.rows().map(({ uid }) => uid);
  await ground.mailbox.expunge(uids.filter(() => dice.below(8) === 0));
  const archive = ground.account.mailbox('Trash');
  if (archive !== undefined && dice.below(2) === 0) {
    await ground.mailbox.moveTo(uids.filter(() => dice.below(20) === 0), archive);
    await archive.copyTo(archive.rows().slice(0, 5).map(({ uid }) => uid), ground.mailbox);
  }
}

test(`The index answers as a look into each message does, whatever is asked and whatever came and went (seed ${String(seed)}).`, { timeout: 120_000 }, async (t) => {
  const dice = new Dice(seed);
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  for (const bytes of mails) await deliverMail(ground, bytes);
  const fresh = { asked: 0, open: 0 };
  let hits = 0;
  for (let round = 0; round < rounds; round += 1) {
    await index(ground, 1);
    for (let question = 0; question < 20; question += 1) {
      const outcome = await compare(ground, await chanceQuestion(ground, dice));
      fresh.asked += ground.mailbox.state().messages;
      fresh.open += Math.max(0, outcome.unknown - outcome.hits); // phrases name candidates, which are hits mostly
      hits += outcome.hits;
    }
    await changeMailbox(ground, dice);
    if (dice.oneIn(3)) await index(ground, 20);
    for (let question = 0; question < 10; question += 1) await compare(ground, await chanceQuestion(ground, dice));
  }
  assert.ok(hits > 40, `${String(hits)} hits`);
  assert.ok(fresh.open < fresh.asked * 0.25, `a look into ${String(fresh.open)} of ${String(fresh.asked)} messages was in vain`);
});

test(`FUZZY questions have the same scores by the index as by a look into each message (seed ${String(seed)}).`, { timeout: 120_000 }, async (t) => {
  const dice = new Dice(seed + 1);
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  for (const bytes of mails) await deliverMail(ground, bytes);
  await index(ground, 1);
  const uids = ground.mailbox.rows().map(({ uid }) => uid);
  const read = ground.mailbox.series();
  let alike = 0;
  const questions: TextQuestion[] = [{ in: 'text', value: 'EXAMPEL' }, { in: 'body', value: 'ENDLES WORD' }, { in: 'header', name: 'subject', value: 'TESTING' }];
  for (let asked = 0; asked < 10; asked += 1) questions.push(await chanceQuestion(ground, dice));
  for (const question of questions) {
    const scores = await ground.answers.scores(ground.mailbox, question, uids);
    for (const [position, uid] of uids.entries()) {
      const score = scores?.[position] ?? unknownScore;
      const message = read(uid);
      if (score === unknownScore || message === undefined) continue;
      assert.equal(score, await fuzzyScore(message, question), `${JSON.stringify(question)}, UID ${String(uid)}`);
      if (score > 0 && score < 100) alike += 1;
    }
  }
  assert.ok(alike > 3, `${String(alike)} were alike`);
});
