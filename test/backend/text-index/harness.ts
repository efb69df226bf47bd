/** What the tests of the text index share: a storage with real messages, questions out of them, and the answers side by side. */
import assert from 'node:assert/strict';
import { Verdict } from '../../../backend/text-index/text-index.ts';
import { holds } from '../../../backend/text-index/text-index.ts';
import type { TextQuestion } from '../../../backend/text-index/text-index.ts';
import { fieldsOf, fieldText, hearTexts, isText, partsOf, valueText } from '../../../backend/text-index/message-texts.ts';
import { TextAnswers } from '../../../backend/text-index/text-answers.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Mailbox, Storage } from '../../../backend/storage/storage.ts';
import { createLog } from '../../../shared/log/log.ts';
import { deliver, mailboxOf, realMessages, RecordingHints, storageOptions } from '../storage/harness.ts';
import type { Dice } from '../../torture/dice.ts';

export interface Ground {
  readonly directory: string;
  readonly storage: Storage;
  readonly account: Account;
  readonly mailbox: Mailbox;
  readonly answers: TextAnswers;
  readonly hints: RecordingHints;
}

export const address = 'reader@example.com';

export async function openGround(directory: string): Promise<Ground> {
  const hints = new RecordingHints();
  const storage = await openStorage(storageOptions(directory, { hints }));
  const account = await storage.createAccount(address);
  return { directory, storage, account, mailbox: mailboxOf(account), answers: newAnswers(hints), hints };
}

export function newAnswers(hints = new RecordingHints()): TextAnswers {
  return new TextAnswers({ indexed: 'searched', log: createLog({ node: 'be1', level: 'silent' }), hints });
}

const crlf = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');

/** Real messages, and made up ones for scripts and shapes that are rare among them. */
export const mails: readonly Buffer[] = [...realMessages().filter(({ name }) => name.endsWith('.eml')).map(({ bytes }) => crlf(bytes)), ...madeUp().map((text) => crlf(Buffer.from(text)))];

function madeUp(): string[] {
  const plain = (subject: string, text: string): string => `From: =?utf-8?q?J=C3=B6rg?= <joerg@example.com>\nTo: b@example.com\nSubject: ${subject}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${text}\n`;
  return [
    plain('全文検索', '日本語の全文検索は空白なしで書かれる。東京都に住んでいます。ガギグゲゴ'),
    plain('=?utf-8?b?zp/OlM6fzqM=?=', 'ΟΔΟΣ οδος Ελληνικά ΆΛΦΑ'),
    plain('Straße', 'Die Straße nach Görlitz; STRASSE, İstanbul, ﬁnden, Ⅳ, ½'),
    plain('ภาษาไทย', 'ภาษาไทยไม่มีช่องว่าง แต่ก็ค้นหาได้'),
    plain('🙂 smile', 'party 🎉🎉 time 👩‍👩‍👧 done'),
    plain('ids', `X7f3a9c0-11ee be9e4b4e5d0c4a6f9d1f2e3a4b5c6d7e ${'ab12'.repeat(200)} version 1.2.3 ${'looooong'.repeat(5)}`),
    plain('한국어', '안녕하세요 한국어 메일입니다'),
    `From: a@example.com\nTo: b@example.com\nSubject: page\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<html><head><title>t</title></head><body>caf&eacute; <b>Men&uuml;</b> of\n the&nbsp;day<br>na&#239;ve</body></html>\n`,
    `From: a@example.com\nTo: b@example.com\nSubject: large\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n${'A line of a long text that goes on and on.\n'.repeat(7000)}needle at the end\n`,
    `From: a@example.com\nTo: b@example.com\nSubject: endless\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n${'endless words without any line end '.repeat(9000)}\n`,
  ];
}

export async function deliverMail(ground: Ground, bytes: Buffer): Promise<void> {
  await deliver(ground, bytes);
}

/** All casemapped texts of a message in which needles are looked for, by where they are. */
async function textsOf(mailbox: Mailbox, uid: number): Promise<readonly (readonly [question: 'body' | 'text' | { readonly name: string }, text: string])[]> {
  const message = mailbox.message(uid);
  const texts: (readonly ['body' | 'text' | { readonly name: string }, string])[] = [];
  if (message === undefined) return texts;
  const { root } = message.structure;
  for (const part of partsOf(root)) {
    for (const field of await fieldsOf(message, part)) {
      texts.push(['text', fieldText(field)]);
      if (part === root) texts.push([{ name: field.name }, valueText(field)]);
    }
    if (isText(part)) await hearTexts(message, part, { hear: ({ text }) => {
      texts.push(['body', text]);
      return 'more';
    } });
  }
  return texts.filter(([, text]) => text.length > 0);
}

/** A question about something that some message says, sometimes spoilt so that none does. */
export async function chanceQuestion({ mailbox }: Ground, dice: Dice): Promise<TextQuestion> {
  const uids = mailbox.rows().map(({ uid }) => uid);
  const texts = await textsOf(mailbox, dice.pick(uids));
  if (texts.length === 0) return { in: 'text', value: 'NOTHING' };
  const [where, text] = dice.pick(texts);
  const length = 1 + dice.below(dice.below(2) === 0 ? 4 : 16);
  const from = dice.below(Math.max(1, text.length - length));
  const cut = text.slice(from, from + length);
  const value = dice.below(8) === 0 ? `${cut.slice(0, -1)}Q` : cut;
  if (typeof where === 'object') return dice.below(3) === 0 ? { in: 'text', value } : { in: 'header', name: where.name, value };
  return { in: dice.below(3) === 0 ? 'text' : where, value };
}

/** Asks the index, and compares with what looking into every message says; answers for how many messages the index could not tell. */
export async function compare(ground: Pick<Ground, 'mailbox' | 'answers'>, question: TextQuestion): Promise<{ readonly unknown: number; readonly hits: number }> {
  const { mailbox, answers } = ground;
  const uids = mailbox.rows().map(({ uid }) => uid);
  const verdicts = await answers.verdicts(mailbox, question, uids);
  let [unknown, hits] = [0, 0];
  const read = mailbox.series();
  for (const [position, uid] of uids.entries()) {
    const message = read(uid);
    assert.ok(message !== undefined);
    const truth = await holds(message, question);
    const verdict = verdicts?.[position] ?? Verdict.unknown;
    if (truth) hits += 1;
    if (verdict === Verdict.unknown) unknown += 1;
    else assert.equal(verdict === Verdict.yes, truth, `${JSON.stringify(question)}, UID ${String(uid)}`);
  }
  return { unknown, hits };
}
