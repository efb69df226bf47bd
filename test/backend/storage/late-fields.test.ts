/** Header fields of messages that an earlier version has stored are kept when somebody asks for them, without harm to who reads. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEnvironment, openStorage } from '../../../backend/storage/storage.ts';
import { chooseFields } from '../../../shared/mime/kept-fields.ts';
import { inIndex, packWith } from './damage.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

test('Of a message that can not be read nothing is kept, of its neighbours it is; while the storage is locked nobody waits, and once it is closed nobody hears of it', async (t) => {
  const directory = temporaryDirectory(t);
  for (const subject of ['one', 'two', 'three']) {
    const writer = await openStorage(storageOptions(directory)); // so each has a pack of its own
    const found = writer.find('alice@example.com');
    const account = found.at === 'live' ? found.account : await writer.createAccount('alice@example.com');
    await deliver({ storage: writer, account, mailbox: mailboxOf(account) }, sampleMessage(subject));
    await writer.close();
  }
  await inIndex(directory, 'header-fields', (table) => {
    for (const { key } of table.range({ from: [], to: ['\u{10ffff}'] })) table.remove(key);
  });
  const { path } = packWith(directory, 'Subject: two');
  renameSync(path, `${path}.away`);
  const storage = await openStorage(storageOptions(directory));
  const found = storage.find('alice@example.com');
  assert.ok(found.at === 'live');
  const mailbox = mailboxOf(found.account);
  const subjects = (): (string | undefined)[] => mailbox.rows().map(mailbox.headerFields(chooseFields(['SUBJECT'])));

  const other = openEnvironment(join(directory, 'index'));
  await other.lock(Date.now() + 10_000); // who waited for its end would have written then
  await mailbox.keepFields(mailbox.rows());
  assert.deepEqual(subjects(), [undefined, undefined, undefined]);
  await other.unlock();
  await other.close();
  await mailbox.keepFields(mailbox.rows());
  assert.deepEqual(subjects(), ['Subject: one\r\n', undefined, 'Subject: three\r\n']);
  const rows = mailbox.rows();
  await storage.close();
  await mailbox.keepFields(rows);
});
