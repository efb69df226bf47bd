/** docs/examples/one-machine.yaml: front-end and back-end on one host, in one process tree. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { prepareExample } from '../../harness/example-cluster.ts';
import type { Example } from '../../harness/example-cluster.ts';
import { directoryLdif } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { isGood, tried, worksFromOutside } from './from-outside.ts';

let slapd: Slapd;
let example: Example;

before(async () => {
  slapd = await startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'mail' }]) });
  example = await prepareExample({
    file: 'one-machine.yaml', replace: { 'ldap://127.0.0.1:389': slapd.uri, 'cn=waybill,dc=example,dc=com': slapdBase.adminDn }, secrets: { directory: slapdBase.adminPassword },
  });
});
after(async () => {
  await example.stop();
  await slapd.stop();
});

test('its configuration is good', async () => {
  await isGood(example);
});

test('one command runs both nodes; mail comes in and is read by every protocol', async () => {
  await example.start(['machine', '--nodes', 'front,mail']);
  await worksFromOutside(example, { node: '0.0.0.0', address: 'alice@example.com' });
  await tried(example, 'mx', { node: '0.0.0.0', address: 'nobody@example.com', expect: 'refused' });
});

test('a node that ends unasked is started again', async () => {
  const before = example.log().split('"msg":"ready"').length;
  const supervisor = /"host":"mail","pid":(\d+)[^\n]*"msg":"ready"/.exec(example.log())?.[1];
  assert.ok(supervisor !== undefined, example.log().slice(0, 500));
  process.kill(Number(supervisor), 'SIGKILL');
  const deadline = Date.now() + 60_000;
  while (example.log().split('"msg":"ready"').length === before) {
    assert.ok(Date.now() < deadline, 'the back-end did not come back');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await worksFromOutside(example, { node: '0.0.0.0', address: 'alice@example.com' }, ['imap']);
});

test('a node that is none of the configuration\'s is named', async () => {
  const { code, complaint } = await example.command(['machine', '--config', example.configFile, '--nodes', 'front,elsewhere']);
  assert.equal(code, 1);
  assert.match(complaint, /has no node "elsewhere"; there are: front, mail/);
});
