/** Rights of those who are gone are taken back by the name by which they were given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { startServer } from './harness.ts';
import { demandOk } from './two-nodes.ts';

test('what was given to a group that is gone is taken back by its whole name and by the bare one', async (t) => {
  const server = await startServer({});
  t.after(async () => server.stop());
  const owner = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  owner.say('l LOGIN owner@example.com "secret word"');
  await owner.until(/^l OK/);
  const record = server.storage.find('owner@example.com');
  assert.ok(record.at === 'live');
  for (const given of ['$gone', '$Gone@example.com']) {
    await record.account.changeRights('INBOX', '$gone@example.com', (entry) => ({ ...entry, allow: 'lr' }));
    await demandOk(owner, `DELETEACL INBOX ${given}`);
    assert.deepEqual(record.account.folderRights('INBOX').own, []);
  }
  owner.close();
});
