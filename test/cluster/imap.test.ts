/** IMAP through both front-ends, with the embedded directory and with slapd. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { directoryKinds, frontendNames, startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';

for (const directory of directoryKinds) {
  describe(`IMAP with the ${directory} directory`, () => {
    let cluster: Cluster;
    before(async () => {
      cluster = await startCluster({ directory });
    });
    after(async () => cluster.stop());

    for (const frontend of frontendNames) {
      for (const [user, node] of [['alice', 'be1'], ['bob', 'be2']] as const) {
        test(`${user} logs in through ${frontend} and lands on ${node}`, async (t) => {
          const imap = await Dialogue.connect({ port: cluster.port(frontend, 'imaps'), tls: 'implicit' });
          t.after(() => imap.close());
          await imap.expect(/^\* OK /);
          imap.say(`a LOGIN ${user} ${cluster.password}`);
          await imap.expect(/^a OK /);
          imap.say('b SELECT INBOX');
          await imap.until(/^b OK /);
          assert.match(cluster.log(frontend), new RegExp(`"account":"${user}@example.com","node":"${node}"`));
        });
      }
    }

    test('a wrong password and an unknown user are refused in the same words', async (t) => {
      const imap = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit' });
      t.after(() => imap.close());
      await imap.expect(/^\* OK /);
      imap.say('a LOGIN alice wrong');
      const [, wrong] = await imap.expect(/^a (NO \[AUTHENTICATIONFAILED\] .*)$/);
      imap.say('b LOGIN nobody wrong');
      const [, unknown] = await imap.expect(/^b (NO \[AUTHENTICATIONFAILED\] .*)$/);
      assert.equal(wrong, unknown);
    });
  });
}
