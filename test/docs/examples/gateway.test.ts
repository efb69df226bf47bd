/** docs/examples/gateway.yaml: front-ends before one Dovecot, without any user map. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
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
  example = await prepareExample({ file: 'gateway.yaml', replace: server.replace('mail.internal.example.com', '/etc/waybill/tls/internal-authority.pem') });
  await example.start(['frontend', '--node', 'gw1']);
});
after(async () => {
  await example.stop();
  await server.stop();
});

test('its configuration is good', async () => {
  await isGood(example);
});

test('mail goes to the server behind, which checks the passwords of whoever comes', async () => {
  await worksFromOutside(example, { node, address: 'anybody@example.com' }, ['imap', 'pop3']);
  assert.match(server.dovecot.log(), /Login: user=<anybody@example\.com>/);
});

test('mail for other domains is refused here', async () => {
  assert.match(await tried(example, 'mx', { node, address: 'somebody@example.net', expect: 'odd' }), /^550 5\.7\.1 /);
});

test('while the server behind is away, logins and mail hear of something temporary', async () => {
  await server.dovecot.stop();
  await tried(example, 'imap', { node, address: 'anybody@example.com', expect: 'temporary' });
  await tried(example, 'pop3', { node, address: 'anybody@example.com', expect: 'temporary' });
  assert.match(await tried(example, 'mx', { node, address: 'anybody@example.com', expect: 'odd' }), /^451 4\.4\.1 /);
});
