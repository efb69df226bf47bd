/** docs/examples/migration.yaml: users move from a Dovecot to a back-end of ours, one by one, while all use the same front-end. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareExample } from '../../harness/example-cluster.ts';
import type { Example } from '../../harness/example-cluster.ts';
import { startForeignServer } from '../../harness/foreign-server.ts';
import type { ForeignServer } from '../../harness/foreign-server.ts';
import { isGood, tried, worksFromOutside } from './from-outside.ts';

const node = '10.0.0.11';
let server: ForeignServer;
let example: Example;

before(async () => {
  server = await startForeignServer();
  example = await prepareExample({ file: 'migration.yaml', files: { moved: '' }, replace: server.replace('old.example.com', '/etc/waybill/tls/old-authority.pem') });
  for (const words of [['backend', '--node', 'be1'], ['frontend', '--node', 'fe1']]) await example.start(words);
});
after(async () => {
  await example.stop();
  await server.stop();
});

test('its configuration is good', async () => {
  await isGood(example);
});

test('whom the map file doesn\'t list is passed through to the old server', async () => {
  for (const name of ['alice', 'bob']) {
    await worksFromOutside(example, { node, address: `${name}@example.com` }, ['imap', 'pop3']);
    assert.match(server.dovecot.log(), new RegExp(`Login: user=<${name}@example\\.com>`));
  }
});

test('a line in the map file and a password move a user, without a restart', async () => {
  fs.appendFileSync(path.join(example.folder, 'etc', 'moved'), 'alice@example.com   be1\n');
  await sleep(500); // the file is looked at four times a second
  const { code, complaint } = await example.command(['account', 'add', 'alice@example.com', '--stdin', '--config', example.configFile], 'new-password\n');
  assert.equal(code, 0, complaint);
  await tried(example, 'imap', { node, address: 'alice@example.com', password: 'new-password', subject: 'nothing-yet', expect: 'empty' });
  await sleep(5500); // routing.negativeAgeSeconds: who wasn't in the map is remembered so long
  await worksFromOutside(example, { node, address: 'alice@example.com', password: 'new-password' });
});

test('the others still live on the old server', async () => {
  await worksFromOutside(example, { node, address: 'bob@example.com' }, ['imap', 'pop3']);
});
