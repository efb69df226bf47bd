/** Headers that are longer than any mail program writes them: they are searched up to a bound, by a look into the message and by the index alike. */
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
