/** Needles of several tokens: by the places of words the index answers as a look into each message does, and mostly without any look. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { folderOf } from '../../../backend/text-index/index-folder.ts';
import { indexMailbox } from '../../../backend/text-index/index-mailbox.ts';
import { casemap } from '../../../shared/mime/casemap.ts';
import { Dice } from '../../torture/dice.ts';
import { temporaryDirectory } from '../storage/harness.ts';
import { compare, deliverMail, openGround } from './harness.ts';
import type { Ground } from './harness.ts';

const seed = Number(process.env['WAYBILL_FUZZ_SEED'] ?? Date.now() % 1_000_000);
const questions = Number(process.env['WAYBILL_PHRASES'] ?? 100);

/** So few that needles are nearly there, again and again: words, what is in pieces, scripts without spaces, and what is between them. */
const tokens = ['ab', 'b', 'cab', 'abcab', 'a1b2c3', 'c3ab', '1234567', '日', '日本', '本日本', '🎉', 'é'];
const gaps = [' ', ' ', ' ', ' ', '@', '.', '-', '\'', '/', '  ', ', ', '\n', '', ''];

function chanceText(dice: Dice, length: number): string {
  return Array.from({ length }, () => `${dice.pick(tokens)}${dice.pick(gaps)}`).join('');
}

async function indexed(t: TestContext, texts: readonly string[]): Promise<Ground> {
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  const half = Math.ceil(texts.length / 2);
  for (const part of [texts.slice(0, half), texts.slice(half)]) {
    for (const text of part) await deliverMail(ground, Buffer.from(`From: a@example.com\r\nSubject: ${text.split('\n', 1)[0] ?? ''}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text.replaceAll('\n', '\r\n')}\r\n`));
    await indexMailbox({ mailbox: ground.mailbox, folder: folderOf(ground.mailbox), least: 1, report: () => undefined, signal: new AbortController().signal });
  }
  return ground;
}

test(`Whatever follows whatever, the index finds it where it is and nowhere else (seed ${String(seed)}).`, { timeout: 120_000 }, async (t) => {
  const dice = new Dice(seed);
  const texts = Array.from({ length: 80 }, () => chanceText(dice, 3 + dice.below(12)));
  const ground = await indexed(t, texts);
  let [hits, proven] = [0, 0];
  for (let asked = 0; asked < questions; asked += 1) {
    const text = casemap((dice.oneIn(4) ? chanceText(dice, 4) : dice.pick(texts)).replaceAll('\n', '\r\n'));
    const from = dice.below(text.length);
    const value = text.slice(from, from + 1 + dice.below(12)).toWellFormed();
    const outcome = await compare(ground, dice.oneIn(3) ? { in: 'header', name: 'subject', value } : { in: dice.oneIn(2) ? 'text' : 'body', value });
    hits += outcome.hits;
    if (outcome.unknown === 0) proven += outcome.hits;
  }
  assert.ok(hits > questions, `${String(hits)} hits`);
  assert.ok(proven > hits / 8, `${String(proven)} of ${String(hits)} hits needed no look into messages`);
});

test('Phrases, addresses and scripts without spaces need no look into messages.', { timeout: 60_000 }, async (t) => {
  const texts = ['Meet me at the old bridge, at nine.', 'Write to john.doe@mail.example.com today', 'at the\nold bridge', 'at  the old bridge', 'don\'t panic', '全文検索は空白なしで書かれる', '文検と全', 'well-known and/or unknown'];
  const ground = await indexed(t, [...texts, ...Array.from({ length: 72 }, (_, index) => `the bridge at old ${String(index)} john doe example mail com well known 検索全文`)]);
  const expected: readonly (readonly [needle: string, hits: number])[] = [
    ['at the old bridge', 1], ['the old bridge', 2], ['t the old brid', 1], ['the bridge at', 72], ['john.doe@mail.example.com', 1], ['john doe', 72], ['don\'t panic', 1], ['on\'t pan', 1],
    ['全文検索', 1], ['文検', 2], ['空白なしで', 1], ['検索全', 72], ['well-known', 1], ['and/or un', 1], ['old bridge at', 0],
  ];
  for (const [needle, hits] of expected) assert.deepEqual(await compare(ground, { in: 'body', value: casemap(needle) }), { unknown: 0, hits }, needle);
  assert.deepEqual(await compare(ground, { in: 'text', value: casemap('at  the old') }), { unknown: 1, hits: 1 }); // what is between is not kept: it is looked at, where all else is right
});
