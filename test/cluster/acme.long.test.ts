/**
 * Certificates from a real ACME server (pebble): ordered by one back-end, proven at any front-end, shown by all nodes, also by those that can't
 * write them; renewed before they end, gone on with after a crash, and not asked for again and again where they are refused.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { freePort } from '../harness/free-port.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { startPebble } from '../harness/pebble.ts';
import type { Pebble } from '../harness/pebble.ts';

let cluster: Cluster;
let pebble: Pebble | undefined;
let ports: { readonly http: number; readonly acme: number };
/** fe1 listens at 127.0.0.1 for proofs, fe2 at 127.0.0.2. */
let frontends = 0;
const validSeconds = 75;

before(async () => {
  ports = { http: await freePort(), acme: await freePort() };
  cluster = await startCluster({
    nodes: ['be1', 'fe1', 'fe2'],
    changeConfig: (yaml) => yaml
      .replace(/^ {4}certificate: .*\n {4}key: .*\n/m, '    certificate: nowhere/mail.pem\n    key: nowhere/mail.key\n')
      .replace(/^ {2}tls:\n/m, `$&    virtualHosts: [{ names: [web.example.net, www.example.net], certificate: nowhere/web.pem, key: nowhere/web.key, acme: true }, { names: [refused.example.net], certificate: nowhere/refused.pem, key: nowhere/refused.key, acme: true }]
    acme: { node: be1, termsOfServiceAgreed: true, directoryUrl: "https://localhost:${String(ports.acme)}/dir", ca: tls/authority.pem, folder: acme, contacts: [postmaster@example.com], names: [mail.example.net] }
`)
      .replace(/webmailProxy:\n {8}listeners:\n/g, (lines) => `${lines}          - { address: "127.0.0.${String(frontends += 1)}:${String(ports.http)}", tls: none }\n`),
  });
});
after(async () => {
  await pebble?.stop();
  await cluster.stop();
});

async function shown(node: NodeName, servername: string): Promise<X509Certificate> {
  const socket = tls.connect({ host: '127.0.0.1', port: cluster.port(node, 'imaps'), servername, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  assert.ok(certificate);
  return certificate;
}

/** Another one than before, if that is given. */
async function shownByPebble(node: NodeName, name: string, before?: X509Certificate): Promise<X509Certificate> {
  for (const deadline = Date.now() + 150_000; Date.now() < deadline; await sleep(200)) {
    const certificate = await shown(node, name);
    if (/Pebble/.test(certificate.issuer) && certificate.serialNumber !== before?.serialNumber) return certificate;
  }
  return assert.fail(`${node} does not show it:\n${[...cluster.log('be1').split('\n'), ...cluster.log(node).split('\n')].filter((line) => /certificate|ACME/.test(line)).join('\n')}`);
}

test('from the order to the handshake at both front-ends, and nobody\'s session ends', async () => {
  assert.match((await shown('fe1', 'mail.example.net')).subject, /no certificate yet/);
  await logLine(cluster, 'be1', { words: ['could not be had by ACME'], from: 0, patienceMs: 30_000 }); // the server is not there yet
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  pebble = await startPebble(cluster.folder, { httpPort: ports.http, certificate: path.join(cluster.folder, 'tls', 'server.pem'), privateKey: path.join(cluster.folder, 'tls', 'server-key.pem'), port: ports.acme, validSeconds, refused: ['refused.example.net'] });
  for (const node of ['fe1', 'fe2'] as const) {
    assert.equal((await shownByPebble(node, 'mail.example.net')).checkHost('mail.example.net'), 'mail.example.net');
    const web = await shownByPebble(node, 'www.example.net');
    assert.deepEqual([web.checkHost('web.example.net'), web.checkHost('www.example.net'), web.checkHost('mail.example.net')], ['web.example.net', 'www.example.net', undefined]);
  }
  assert.ok(!fs.existsSync(path.join(cluster.folder, 'nowhere')), 'nodes that have no place for them hold them in memory');
  await session.ok('NOOP');
});

test('what nobody waits for is not answered at the place of challenges', async () => {
  for (const token of ['a'.repeat(43), 'x', '..%2f..%2fsecrets']) assert.equal((await fetch(`http://127.0.0.1:${String(ports.http)}/.well-known/acme-challenge/${token}`)).status, 404, token);
});

test('it is renewed before it ends, proven by whichever front-end is there', async () => {
  const before = await shownByPebble('fe2', 'www.example.net');
  await cluster.kill('fe1');
  await pebble?.resolveTo('127.0.0.2');
  const after = await shownByPebble('fe2', 'www.example.net', before);
  assert.ok(before.validToDate.getTime() > Date.now(), 'the one before was still good');
  assert.ok(after.validToDate.getTime() > before.validToDate.getTime());
});

test('an order that a crash interrupts is gone on with: the certificate is for the key that was made before it', async () => {
  const folder = path.join(cluster.folder, 'acme');
  const files = (): string[] => fs.readdirSync(folder).filter((name) => !name.endsWith('.new'));
  const before = await shownByPebble('fe2', 'mail.example.net');
  for (const name of files()) if (name.startsWith('mail.')) fs.rmSync(path.join(folder, name)); // as if there were none
  let order: string | undefined;
  for (const deadline = Date.now() + 90_000; order === undefined; await sleep(10)) {
    assert.ok(Date.now() < deadline, files().join(' '));
    order = files().find((name) => name.startsWith('order-mail.'));
  }
  await cluster.kill('be1');
  const { place, key } = JSON.parse(fs.readFileSync(path.join(folder, order), 'utf8')) as { place: string; key: string };
  assert.match(place, /^https:\/\/localhost:/);
  for (const name of files()) {
    assert.match(name, /^(?:account-[0-9a-f]{16}\.pem|(?:order-)?(?:mail|web)\.example\.net-[0-9a-f]{16}\.json|challenge-[\w-]+)$/);
    assert.equal(fs.statSync(path.join(folder, name)).mode & 0o777, 0o600, name);
  }
  fs.writeFileSync(path.join(folder, `challenge-${'a'.repeat(43)}`), 'left behind');
  const from = cluster.log('be1').length;
  await cluster.startNode('be1');
  await logLine(cluster, 'be1', { words: ['goes on with an order'], from, patienceMs: 60_000 });
  const after = await shownByPebble('fe2', 'mail.example.net', before);
  assert.ok(after.checkPrivateKey(createPrivateKey(key)));
  assert.deepEqual(files().filter((name) => name.startsWith('order-mail.') || name.includes('aaaa')), []);
});

test('what the server refuses is asked for less and less often', () => {
  const tries = cluster.log('be1').split('\n').filter((line) => line.includes('could not be had by ACME') && line.includes('refused.example.net') && line.includes('rejectedIdentifier'))
    .map((line) => JSON.parse(line) as { time: string; pid: number; againInSeconds: number });
  assert.ok(tries.length > 0);
  for (const [index, { time, pid, againInSeconds }] of tries.entries()) {
    const before = tries[index - 1];
    if (before?.pid !== pid) assert.equal(againInSeconds, 60);
    else {
      assert.equal(againInSeconds, before.againInSeconds * 2);
      assert.ok(Date.parse(time) - Date.parse(before.time) >= before.againInSeconds * 900, 'it waited');
    }
  }
});
