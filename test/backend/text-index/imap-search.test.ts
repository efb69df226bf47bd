/** SEARCH over IMAP finds the same with an index as without, whatever is combined with NOT, OR, flags and numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexMailbox } from '../../../backend/text-index/index-mailbox.ts';
import { folderOf } from '../../../backend/text-index/index-folder.ts';
import { TextAnswers } from '../../../backend/text-index/text-answers.ts';
import { createLog } from '../../../shared/log/log.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { Dice } from '../../torture/dice.ts';
import { mailboxOf, password, startServer } from '../imap/harness.ts';
import type { TestServer } from '../imap/harness.ts';
import { RecordingHints, temporaryDirectory } from '../storage/harness.ts';
import { address, chanceQuestion, deliverMail, mails } from './harness.ts';
import type { Ground } from './harness.ts';

const seed = Number(process.env['WAYBILL_FUZZ_SEED'] ?? Date.now() % 1_000_000);

async function logIn(server: TestServer): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`a LOGIN ${address} "${password}"`);
  await dialogue.until(/^a OK/);
  dialogue.say('b SELECT INBOX');
  await dialogue.until(/^b OK/);
  return dialogue;
}

function literal(text: string): string {
  return `{${String(Buffer.byteLength(text))}+}\r\n${text}`;
}

/** A search key, as the bytes of a command have it. */
async function chanceKey(ground: Ground, dice: Dice, depth: number): Promise<string> {
  const inner = async (): Promise<string> => chanceKey(ground, dice, depth - 1);
  switch (depth === 0 ? dice.below(3) : dice.below(8)) {
    case 0:
      return dice.pick(['SEEN', 'UNSEEN', 'FLAGGED', 'ALL', 'NEW', 'LARGER 2000', 'SMALLER 1500']);
    case 3:
      return `NOT ${await inner()}`;
    case 4:
      return `OR ${await inner()} ${await inner()}`;
    case 5:
      return `(${await inner()} ${await inner()})`;
    case 6:
      return dice.pick(['1:50', '40:*', 'UID 1:9', 'UID 20:60']);
    default: {
      const question = await chanceQuestion(ground, dice);
      const value = literal(question.value.toWellFormed().replaceAll('\0', ' '));
      return question.in === 'header' ? `HEADER ${literal(question.name)} ${value}` : `${question.in.toUpperCase()} ${value}`;
    }
  }
}

async function answer(dialogue: Dialogue, key: string): Promise<string> {
  dialogue.sayRaw(`c SEARCH CHARSET UTF-8 ${key}\r\n`);
  const [, found = ''] = await dialogue.until(/^\* SEARCH(.*)$/);
  await dialogue.until(/^c OK/);
  return found;
}

test(`SEARCH finds the same with an index and without (seed ${String(seed)}).`, { timeout: 120_000 }, async (t) => {
  const directory = temporaryDirectory(t);
  const dice = new Dice(seed);
  const [plain, indexed] = [await startServer({ directory }), await startServer({ directory, textIndex: 'searched' })];
  t.after(async () => Promise.all([plain.stop(), indexed.stop()]));
  const account = await plain.storage.createAccount(address);
  const mailbox = mailboxOf(account, 'INBOX');
  const hints = new RecordingHints();
  const answers = new TextAnswers({ indexed: 'searched', log: createLog({ node: 'be1', level: 'silent' }), hints });
  const ground: Ground = { directory, storage: plain.storage, account, mailbox, answers, hints };
  for (const bytes of mails) await deliverMail(ground, bytes);
  await mailbox.changeFlags([3, 5, 8, 13, 21, 34, 55, 89], { mode: 'add', flags: 1, keywords: [] });
  const [without, withIndex] = [await logIn(plain), await logIn(indexed)];
  await answer(withIndex, 'TEXT first');
  await indexMailbox({ mailbox, folder: folderOf(mailbox), least: 1, report: () => undefined, signal: new AbortController().signal });
  for (const bytes of mails.slice(0, 15)) await deliverMail(ground, bytes); // the index does not know them
  await mailbox.expunge([10, 11, 60]);
  let hits = 0;
  for (let asked = 0; asked < 60; asked += 1) {
    const key = await chanceKey(ground, dice, 2);
    const expected = await answer(without, key);
    assert.equal(await answer(withIndex, key), expected, key);
    if (expected !== '') hits += 1;
  }
  assert.ok(hits > 10);
  without.close();
  withIndex.close();
});
