/** Certificates from a real ACME server (pebble): ordered by one back-end, proven at a front-end, shown by all nodes, also by those that can't write them. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
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

before(async () => {
  ports = { http: await freePort(), acme: await freePort() };
  cluster = await startCluster({
    nodes: ['be1', 'fe1', 'fe2'],
    changeConfig: (yaml) => yaml
      .replace(/^ {4}certificate: .*\n {4}key: .*\n/m, '    certificate: nowhere/mail.pem\n    key: nowhere/mail.key\n')
      .replace(/^ {2}tls:\n/m, `$&    virtualHosts: [{ names: [web.example.net, www.example.net], certificate: nowhere/web.pem, key: nowhere/web.key, acme: true }]
    acme: { node: be1, termsOfServiceAgreed: true, directoryUrl: "https://localhost:${String(ports.acme)}/dir", ca: tls/authority.pem, folder: acme, contacts: [postmaster@example.com], names: [mail.example.net] }
`)
      .replace(/(webmailProxy:\n {8}listeners:\n)/, `$1          - { address: "127.0.0.1:${String(ports.http)}", tls: none }\n`),
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

async function shownByPebble(node: NodeName, name: string): Promise<X509Certificate> {
  for (const deadline = Date.now() + 150_000; Date.now() < deadline; await sleep(200)) {
    const certificate = await shown(node, name);
    if (/Pebble/.test(certificate.issuer)) return certificate;
  }
  return assert.fail(`${node} does not show it:\n${[...cluster.log('be1').split('\n'), ...cluster.log(node).split('\n')].filter((line) => /certificate|ACME/.test(line)).join('\n')}`);
}

test('from the order to the handshake at both front-ends, and nobody\'s session ends', async () => {
  assert.match((await shown('fe1', 'mail.example.net')).subject, /no certificate yet/);
  await logLine(cluster, 'be1', { words: ['could not be had by ACME'], from: 0, patienceMs: 30_000 }); // the server is not there yet
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  pebble = await startPebble(cluster.folder, { httpPort: ports.http, certificate: path.join(cluster.folder, 'tls', 'server.pem'), privateKey: path.join(cluster.folder, 'tls', 'server-key.pem'), port: ports.acme });
  for (const node of ['fe1', 'fe2'] as const) {
    assert.equal((await shownByPebble(node, 'mail.example.net')).checkHost('mail.example.net'), 'mail.example.net');
    const web = await shownByPebble(node, 'www.example.net');
    assert.deepEqual([web.checkHost('web.example.net'), web.checkHost('www.example.net'), web.checkHost('mail.example.net')], ['web.example.net', 'www.example.net', undefined]);
  }
  assert.ok(!fs.existsSync(path.join(cluster.folder, 'nowhere')), 'nodes that have no place for them hold them in memory');
  for (const name of fs.readdirSync(path.join(cluster.folder, 'acme'))) assert.equal(fs.statSync(path.join(cluster.folder, 'acme', name)).mode & 0o777, 0o600, name);
  await session.ok('NOOP');
});

test('what nobody waits for is not answered at the place of challenges', async () => {
  for (const token of ['a'.repeat(43), 'x', '..%2f..%2fsecrets']) assert.equal((await fetch(`http://127.0.0.1:${String(ports.http)}/.well-known/acme-challenge/${token}`)).status, 404, token);
});
