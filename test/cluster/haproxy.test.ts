/** HAProxy in front of both front-ends, by the files of docs/load-balancer: the client's own address is in the front-end's log and in the back-end's. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { runCommand } from '../harness/command.ts';
import { haproxyAddress, startDocumentedHaproxy, startHaproxy } from '../harness/haproxy.ts';
import type { Haproxy, HaproxyRoad } from '../harness/haproxy.ts';
import { logLine } from '../harness/log-lines.ts';

const versions = { v1: 'send-proxy', v2: 'send-proxy-v2-ssl proxy-v2-options crc32c,unique-id' } as const;
const documents = join(import.meta.dirname, '..', '..', 'docs', 'load-balancer');
const nodes = ['fe1', 'fe2'] as const;
type Place = { readonly port: number; readonly from: string };

let cluster: Cluster;
let haproxy: Haproxy;
let documented: Haproxy;
let ending: Haproxy;

before(async () => {
  cluster = await startCluster({
    changeConfig: (yaml) => yaml.replace('\nnodes:\n', `\nfrontends:\n  proxyProtocolFrom: ["${haproxyAddress}"]\n  trustProxyTls: true\n  services: { admin: { observers: ["${haproxyAddress}"] } }\nbackends:\n  proxyProtocolFrom: ["${haproxyAddress}"]\n\nnodes:\n`),
  });
  const roads = nodes.flatMap((node) => Object.entries(versions).flatMap(([version, how]) =>
    ['imaps', 'pop3s', 'smtp', 'https'].map((service): HaproxyRoad => ({ name: `${service}-${version}-${node}`, port: cluster.port(node, service), how }))));
  const pair = join(cluster.folder, 'pair.pem');
  writeFileSync(pair, readFileSync(join(cluster.folder, 'tls', 'server.pem'), 'utf8') + readFileSync(join(cluster.folder, 'tls', 'server-key.pem'), 'utf8'));
  haproxy = await startHaproxy([
    ...roads,
    { name: 'backend-imap', port: cluster.port('be1', 'imap'), how: 'send-proxy-v2' },
    { name: 'backend-pop3', port: cluster.port('be1', 'pop3'), how: 'send-proxy' },
    { name: 'backend-smtp', port: cluster.port('be1', 'smtp'), how: 'send-proxy-v2' },
    { name: 'imap-clear', port: cluster.port('fe1', 'imap'), how: 'send-proxy-v2' },
    { name: 'imap-headerless', port: cluster.port('fe1', 'imap'), how: '' },
  ]);
  const services: Readonly<Record<number, string>> = { 25: 'smtp', 587: 'submission', 465: 'submissions', 143: 'imap', 993: 'imaps', 110: 'pop3', 995: 'pop3s', 443: 'https' };
  const node = (address: string): 'fe1' | 'fe2' => (address === '10.0.0.11' ? 'fe1' : 'fe2');
  const places = { certificate: pair, admin: (address: string) => cluster.port(node(address), 'admin'), port: (address: string, port: number) => cluster.port(node(address), services[port] ?? '') };
  documented = await startDocumentedHaproxy(join(documents, 'haproxy.cfg'), places);
  ending = await startDocumentedHaproxy(join(documents, 'haproxy-tls.cfg'), places);
});

after(async () => {
  await Promise.all([haproxy, documented, ending].map(async (one) => one.stop()));
  await cluster.stop();
});

/** Says what has to be said until the user is known, or the message is delivered; alice lives on be1. */
const dialogues: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  imaps: async (place) => {
    const imap = await Dialogue.connect({ ...place, tls: 'implicit' });
    await imap.expect(/^\* OK/);
    imap.say(`a LOGIN alice ${cluster.password}`);
    await imap.until(/^a OK/);
    imap.close();
  },
  pop3s: async (place) => {
    const pop3 = await Dialogue.connect({ ...place, tls: 'implicit' });
    await pop3.expect(/^\+OK/);
    pop3.say('USER alice');
    await pop3.expect(/^\+OK/);
    pop3.say(`PASS ${cluster.password}`);
    await pop3.expect(/^\+OK/);
    pop3.say('QUIT');
    await pop3.expect(/^\+OK/);
    pop3.close();
  },
  smtp: async (place) => {
    const smtp = await Dialogue.connect(place);
    await smtp.reply(220);
    for (const line of ['EHLO client.example.net', 'MAIL FROM:<x@example.net>', 'RCPT TO:<alice@example.com>']) await smtp.ask(line, 250);
    await smtp.ask('DATA', 354);
    await smtp.ask(`Subject: by ${place.from}\r\n\r\nhello\r\n.`, 250);
    await smtp.ask('QUIT', 221);
    smtp.close();
  },
  https: async (place) => {
    const body = JSON.stringify({ name: 'alice@example.com', password: cluster.password });
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'waybill-request': 'user' };
      httpsRequest({ host: '127.0.0.1', port: place.port, localAddress: place.from, path: '/api/sign-in', method: 'POST', rejectUnauthorized: false, agent: false, headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).on('error', reject).end(body);
    });
    assert.equal(status, 200);
  },
};

let last = 20;
for (const [service, dialogue] of Object.entries(dialogues)) {
  for (const version of Object.keys(versions)) {
    for (const node of nodes) {
      const from = `127.0.0.${String((last += 1))}`;
      test(`${service} by PROXY ${version} to ${node}: both logs have the client's address`, async () => {
        await dialogue({ port: haproxy.port(`${service}-${version}-${node}`), from });
        await logLine(cluster, node, [`"client":"${from}"`]);
        const atBackend = await logLine(cluster, 'be1', [`"client":"${from}"`]);
        const word = { imaps: 'logged in', pop3s: 'logged in', smtp: 'message delivered', https: 'signed in' }[service] ?? '';
        assert.ok(atBackend.includes(word), atBackend);
        assert.ok(!cluster.log(node).includes(`"client":"${haproxyAddress}"`), 'nobody is taken for the balancer');
      });
    }
  }
}

test('TLS that HAProxy ends counts as TLS: login without STARTTLS, which is not offered', async () => {
  const imap = await Dialogue.connect({ port: ending.port('imaps'), from: '127.0.0.60', tls: 'implicit' });
  const [greeting] = await imap.expect(/^\* OK .*/);
  assert.match(greeting, /AUTH=PLAIN/);
  assert.doesNotMatch(greeting, /STARTTLS|LOGINDISABLED/);
  imap.say(`a LOGIN alice ${cluster.password}`);
  await imap.until(/^a OK/);
  imap.close();
  const smtp = await Dialogue.connect({ port: ending.port('submissions'), from: '127.0.0.60', tls: 'implicit' });
  await smtp.reply(220);
  assert.doesNotMatch((await smtp.ask('EHLO client.example.net', 250)).join(' '), /STARTTLS/);
  await smtp.ask(`AUTH PLAIN ${Buffer.from(`\0alice\0${cluster.password}`).toString('base64')}`, 235);
  smtp.close();
});

test('without TLS between client and HAProxy nobody logs in before STARTTLS', async () => {
  const imap = await Dialogue.connect({ port: haproxy.port('imap-clear'), from: '127.0.0.61' });
  await imap.expect(/STARTTLS LOGINDISABLED/);
  imap.say(`a LOGIN alice ${cluster.password}`);
  await imap.expect(/^a NO \[PRIVACYREQUIRED\]/);
  imap.say('b STARTTLS');
  await imap.expect(/^b OK/);
  await imap.startTls();
  imap.say(`c LOGIN alice ${cluster.password}`);
  await imap.until(/^c OK/);
  imap.close();
});

test('a balancer that sends no header is closed with a line in the log', async () => {
  const imap = await Dialogue.connect({ port: haproxy.port('imap-headerless') });
  imap.say('a LOGIN alice secret');
  await imap.closed();
  await logLine(cluster, 'fe1', [`"balancer":"${haproxyAddress}"`, 'no good PROXY header', '"reason":"no PROXY header"']);
});

test('users and servers that come to a back-end itself are seen behind the balancer too', async () => {
  const imap = await Dialogue.connect({ port: haproxy.port('backend-imap'), from: '127.0.0.70' });
  await imap.expect(/^\* OK/);
  await logLine(cluster, 'be1', ['"service":"imap"', '"client":"127.0.0.70"']);
  const pop3 = await Dialogue.connect({ port: haproxy.port('backend-pop3'), from: '127.0.0.71' });
  await pop3.expect(/^\+OK/);
  await logLine(cluster, 'be1', ['"service":"pop3"', '"client":"127.0.0.71"']);
  await dialogues['smtp']?.({ port: haproxy.port('backend-smtp'), from: '127.0.0.72' });
  await logLine(cluster, 'be1', ['"service":"smtpReceiving"', '"client":"127.0.0.72"']);
  for (const dialogue of [imap, pop3]) dialogue.close();
});

test('the documented file: every service is reached, its client seen; a front-end whose service is stopped gets no clients until it is started again', async () => {
  const words = { smtp: 'smtp', imaps: 'imaps', pop3s: 'pop3s', https: 'https' } as const;
  for (const [index, [road, dialogue]] of Object.entries(words).entries()) {
    const from = `127.0.0.${String(80 + index)}`;
    await dialogues[dialogue]?.({ port: documented.port(road), from });
    await logLine(cluster, 'be1', [`"client":"${from}"`]);
  }
  for (const [road, greeting] of [['imap', /^\* OK/], ['pop3', /^\+OK/], ['submission', /^220 /]] as const) {
    const session = await Dialogue.connect({ port: documented.port(road), from: '127.0.0.90' });
    await session.expect(greeting);
    session.close();
  }
  const submissions = await Dialogue.connect({ port: documented.port('submissions'), from: '127.0.0.90', tls: 'implicit' });
  await submissions.reply(220);
  submissions.close();

  assert.equal((await runCommand(cluster, ['service', 'stop', 'fe1', 'imapProxy'])).code, 0);
  await documented.said(/imaps\/fe1 is DOWN.* code: 503/);
  for (let connection = 0; connection < 4; connection += 1) {
    const from = `127.0.0.${String(100 + connection)}`;
    await dialogues['imaps']?.({ port: documented.port('imaps'), from });
    await logLine(cluster, 'fe2', [`"client":"${from}"`]);
  }
  assert.equal((await runCommand(cluster, ['service', 'start', 'fe1', 'imapProxy'])).code, 0);
  await documented.said(/imaps\/fe1 is UP/);
});
