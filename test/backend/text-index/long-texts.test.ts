/** Headers longer than any mail program writes them, and long HTML: they are searched up to bounds, by a look into the message and by the index alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderOf } from '../../../backend/text-index/index-folder.ts';
import { indexMailbox } from '../../../backend/text-index/index-mailbox.ts';
import { temporaryDirectory } from '../storage/harness.ts';
import { compare, deliverMail, openGround } from './harness.ts';

test('Of a header the first megabyte is searched, and all of the body behind it', { timeout: 60_000 }, async (t) => {
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  const words = ' filler'.repeat(6000);
  await deliverMail(ground, Buffer.from(`Subject: begins\r\nX-Long: early${`\r\n${words}`.repeat(30)} late\r\nX-Last: last\r\n\r\nThe body.\r\n`));
  const hits = async (value: string): Promise<number> => (await compare(ground, { in: 'text', value })).hits;
  const found = async (): Promise<object> => ({ begins: await hits('BEGINS'), early: await hits('EARLY'), filler: await hits('FILLER'), late: await hits('LATE'), last: await hits('LAST'), body: await hits('BODY') });
  const expected = { begins: 1, early: 1, filler: 1, late: 0, last: 0, body: 1 };
  assert.deepEqual(await found(), expected);
  await indexMailbox({ mailbox: ground.mailbox, folder: folderOf(ground.mailbox), least: 1, report: () => undefined, signal: new AbortController().signal });
  assert.deepEqual(await found(), expected);
  assert.deepEqual(await compare(ground, { in: 'header', name: 'X-LAST', value: 'LAST' }).then(({ hits }) => hits), 0);
});

test('Of HTML that is read in pieces what is shown is found, too, up to a megabyte', { timeout: 60_000 }, async (t) => {
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  const page = (kilobytes: number, word: string): Buffer => Buffer.from(`Subject: page\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>${word}&eacute;</p>\r\n${'<p>more</p>\r\n'.repeat(kilobytes * 80)}<b>en</b>d\r\n`);
  for (const bytes of [page(200, 'first'), page(500, 'second'), page(1300, 'third')]) await deliverMail(ground, bytes);
  const found = async (): Promise<number[]> => {
    const counts: number[] = [];
    for (const value of ['FIRST\u0045\u0301', 'SECOND\u0045\u0301', 'THIRD\u0045\u0301', 'THIRD&EACUTE;']) counts.push((await compare(ground, { in: 'body', value })).hits);
    return counts;
  };
  assert.deepEqual(await found(), [1, 1, 0, 1]);
  await indexMailbox({ mailbox: ground.mailbox, folder: folderOf(ground.mailbox), least: 1, report: () => undefined, signal: new AbortController().signal });
  assert.deepEqual(await found(), [1, 1, 0, 1]);
});

test('Charsets whose line ends are not single bytes, or whose bytes mean what came before says, are read in pieces as well', { timeout: 60_000 }, async (t) => {
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  const mail = (type: string, text: Buffer): Buffer => Buffer.from(`Subject: long\r\nContent-Type: text/${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${text.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`);
  const page = (lines: number, word: string): Buffer => Buffer.from(`<p>${word}&eacute;</p>\r\n${'<p>mehr 日本</p>\r\n'.repeat(lines)}end${word}\r\n`, 'utf16le');
  await deliverMail(ground, mail('html; charset=utf-16', page(6000, 'first')));
  await deliverMail(ground, mail('html; charset=utf-16le', page(24_000, 'second')));
  await deliverMail(ground, mail('plain; charset=utf-16le', Buffer.from(`begins ${'ohne 日本 Zeilenende '.repeat(8000)}endless\u{1f642}`, 'utf16le')));
  // One run of two-byte characters, longer than a piece, then ASCII.
  await deliverMail(ground, mail('plain; charset=iso-2022-jp', Buffer.from(`\x1b$B${'%F'.repeat(150_000)}%9%H\x1b(B\r\nneedle\r\n`)));
  const found = async (): Promise<readonly number[]> => {
    const counts: number[] = [];
    for (const value of ['FIRST\u0045\u0301', 'ENDFIRST', 'SECOND\u0045\u0301', 'SECOND&EACUTE;', 'ENDSECOND', 'BEGINS', 'ENDLESS\u{1f642}', '\u30c6\u30b9\u30c8', 'NEEDLE', '%F']) counts.push((await compare(ground, { in: 'body', value })).hits);
    return counts;
  };
  const expected = [1, 1, 0, 1, 1, 1, 1, 1, 1, 0];
  assert.deepEqual(await found(), expected);
  await indexMailbox({ mailbox: ground.mailbox, folder: folderOf(ground.mailbox), least: 1, report: () => undefined, signal: new AbortController().signal });
  assert.deepEqual(await found(), expected);
});
