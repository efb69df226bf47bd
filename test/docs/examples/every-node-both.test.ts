/** docs/examples/every-node-both.yaml: two machines, each a front-end and a back-end; any of them serves everybody, and the end of one takes only its own users with it. */
import { after, before, test } from 'node:test';
import { lineIn } from '../../harness/log-lines.ts';
import { prepareExample } from '../../harness/example-cluster.ts';
import type { Example } from '../../harness/example-cluster.ts';
import { directoryLdif } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { isGood, tried, worksFromOutside } from './from-outside.ts';

const machines = ['10.0.0.11', '10.0.0.12'] as const;
let slapd: Slapd;
let example: Example;

before(async () => {
  slapd = await startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'mail1' }, { name: 'bob', mailHost: 'mail2' }]) });
  example = await prepareExample({
    file: 'every-node-both.yaml', secrets: { directory: slapdBase.adminPassword },
    replace: { 'ldap://10.0.0.11:389': slapd.uri, 'ldap://10.0.0.12:389': slapd.uri.replace('127.0.0.1', 'localhost'), 'cn=waybill,dc=example,dc=com': slapdBase.adminDn },
  });
});
after(async () => {
  await example.stop();
  await slapd.stop();
});

test('its configuration is good', async () => {
  await isGood(example);
});

test('each machine serves the users of both, by every protocol', async () => {
  await Promise.all([['front1,mail1'], ['front2,mail2']].map(async ([nodes = '']) => example.start(['machine', '--nodes', nodes])));
  for (const address of ['alice@example.com', 'bob@example.com']) await worksFromOutside(example, { node: machines[0], at: machines, address });
});

test('sessions go to the owner\'s node, from its own machine and from the other', async () => {
  const log = { name: 'the machines', read: () => example.log() };
  for (const front of ['front1', 'front2']) {
    for (const [account, node] of [['alice', 'mail1'], ['bob', 'mail2']]) await lineIn(log, [`"host":"${front}"`, `"account":"${account}@example.com"`, `"node":"${node}"`, '"msg":"logged in"']);
  }
});

test('without the second machine the first goes on serving its own users; the others\' mail waits, their logins are temporary errors', async () => {
  await example.stopCommand(1);
  await worksFromOutside(example, { node: machines[0], address: 'alice@example.com' });
  await tried(example, 'imap', { node: machines[0], address: 'bob@example.com', expect: 'temporary' });
  const subject = 'while-away';
  await tried(example, 'mx', { node: machines[0], address: 'bob@example.com', subject });
});
