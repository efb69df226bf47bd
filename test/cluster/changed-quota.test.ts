/** What an account may hold changes while a client is logged in: the session that goes on is held to it, also at a worker that has retired. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { after, before, test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { newMessage } from '../harness/messages.ts';
import { eventually } from '../harness/people.ts';

let cluster: Cluster;
let session: ImapSession;

before(async () => {
  cluster = await startCluster({
    nodes: ['fe1', 'be1'],
    changeConfig: (yaml) => yaml
      .replace('      searchPattern:', '      attributes: { quotaMessages: mailQuotaCount }\n      searchPattern:')
      .replace('\nnodes:\n', '\n  routing: { positiveAgeSeconds: 1 }\n  domainSettings:\n    example.com: { quota: { maxMessages: 30 } }\n\nnodes:\n'),
  });
  session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  await session.append('INBOX', newMessage().bytes);
  await session.ok('SELECT INBOX');
});
after(async () => cluster.stop());

async function messagesLimit(): Promise<string | undefined> {
  const { untagged: [quota] } = await session.ok('GETQUOTA ""');
  return /MESSAGE \d+ (\d+)/.exec(quota?.text ?? '')?.[1];
}

async function inDirectory(change: string): Promise<void> {
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const { code, complaint } = await runTool('ldapmodify', { uri, as: [adminDn, adminPassword], input: `dn: uid=alice,ou=people,dc=example,dc=com\nchangetype: modify\n${change}\n` });
  assert.equal(code, 0, complaint);
}

test('what the directory says anew holds for a session that does nothing but fill the mailbox, once the entry has its age', async () => {
  assert.equal(await messagesLimit(), '30');
  await inDirectory('add: mailQuotaCount\nmailQuotaCount: 2');
  await eventually(async () => await messagesLimit() === '2');
  await session.ok('COPY 1 INBOX');
  assert.match((await session.run('COPY 1 INBOX')).completion, /^NO \[OVERQUOTA\]/);
  await inDirectory('delete: mailQuotaCount');
  await eventually(async () => await messagesLimit() === '30');
  await session.ok('COPY 1 INBOX');
});

test('what the configuration says anew holds for a session at a worker that has retired', async () => {
  fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace('maxMessages: 30', 'maxMessages: 3'));
  await eventually(async () => await messagesLimit() === '3');
  assert.match((await session.run('COPY 1 INBOX')).completion, /^NO \[OVERQUOTA\]/);
  fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace('maxMessages: 3 ', 'maxMessages: 4 '));
  await eventually(async () => await messagesLimit() === '4');
  await session.ok('COPY 1 INBOX');
  assert.match((await session.run('COPY 1 INBOX')).completion, /^NO \[OVERQUOTA\]/);
});
