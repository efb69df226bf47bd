/** docs/examples/two-tiers-edge.yaml and two-tiers-region.yaml: an edge in front of a region's front-end; the region knows the true client. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { prepareExample } from '../../harness/example-cluster.ts';
import type { Example } from '../../harness/example-cluster.ts';
import { lineIn } from '../../harness/log-lines.ts';
import { directoryLdif, peoplesPassword } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { isGood, tried, worksFromOutside } from './from-outside.ts';

const [edgeHost, regionHost] = ['10.0.0.11', '10.0.1.11'] as const;
const address = 'alice@example.com';
const client = '127.55.1.2';
let slapd: Slapd;
let edge: Example;
let region: Example;
const regionLog = { name: 'the region', read: () => region.log() };

before(async () => {
  slapd = await startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1' }]).replace('sn: alice', 'sn: alice\nl: localhost') });
  const directory = { 'ldap://10.0.9.11:389': slapd.uri, 'cn=waybill,dc=example,dc=com': slapdBase.adminDn };
  const secrets = { directory: slapdBase.adminPassword };
  region = await prepareExample({ file: 'two-tiers-region.yaml', replace: directory, secrets });
  edge = await prepareExample({
    file: 'two-tiers-edge.yaml', secrets,
    replace: {
      ...directory, '/etc/waybill/tls/regions-authority.pem': `${region.folder}/etc/tls/authority.pem`,
      'imapProxy: {': `imapProxy: { mappingPort: ${String(region.port(regionHost, 'imaps'))},`,
      'pop3Proxy: {': `pop3Proxy: { mappingPort: ${String(region.port(regionHost, 'pop3s'))},`,
      'mail: { port: 25,': `mail: { port: ${String(region.port(regionHost, 'smtp'))},`,
    },
  });
  await region.start(['backend', '--node', 'be1']);
  await region.start(['frontend', '--node', 'fe1']);
  await edge.start(['frontend', '--node', 'edge1']);
});
after(async () => {
  await edge.stop();
  await region.stop();
  await slapd.stop();
});

test('both configurations are good', async () => {
  for (const example of [edge, region]) {
    await isGood(example);
  }
});

test('users come in by the edge and by their region', async () => {
  await worksFromOutside(edge, { node: edgeHost, address }, ['imap', 'pop3']);
  await worksFromOutside(region, { node: regionHost, address });
  await tried(edge, 'mx', { node: edgeHost, address: 'nobody@example.com', expect: 'refused' });
});

test('IMAP and POP3: the region\'s front-end and back-end know the client of the edge', async () => {
  for (const [protocol, service] of [['imap', 'imapProxy'], ['pop3', 'pop3Proxy']] as const) {
    await tried(edge, protocol, { node: edgeHost, address, from: client, expect: protocol === 'imap' ? 'empty' : 'ok' });
    for (const [host, name] of [['fe1', service], ['be1', protocol]]) await lineIn(regionLog, [`"host":"${host}"`, `"service":"${name}"`, `"client":"${client}"`, '"msg":"logged in"']);
  }
});

test('SMTP: the trace fields name the client of the edge, and only the edge may tell of clients', async () => {
  const subject = 'over-two-tiers';
  await tried(edge, 'mx', { node: edgeHost, address, from: client, subject });
  const imap = await Dialogue.connect({ port: region.port(regionHost, 'imaps'), tls: 'implicit' });
  imap.say(`a LOGIN ${address} ${peoplesPassword}`);
  await imap.until(/^a OK/);
  imap.say('b SELECT INBOX');
  await imap.until(/^b OK/);
  imap.say('c FETCH * (BODY.PEEK[HEADER])');
  const header = (await imap.bytesUntil('c OK')).toString();
  imap.close();
  assert.match(header, new RegExp(`Subject: ${subject}`));
  assert.match(header, /\[127\.55\.1\.2\]/);
  for (const [from, offered] of [[client, false], ['127.0.0.1', true]] as const) {
    const smtp = await Dialogue.connect({ port: region.port(regionHost, 'smtp'), from });
    await smtp.reply(220);
    const lines = await smtp.ask('EHLO client.example.net', 250);
    assert.equal(lines.some((line) => /XCLIENT/.test(line)), offered, from);
    const [answer = ''] = await smtp.ask('XCLIENT ADDR=192.0.2.1', /^\d/);
    assert.match(answer, offered ? /^220 / : /^5\d\d /);
    smtp.close();
  }
});

test('WebMail: a balancer at the edge may tell of its clients', async () => {
  const body = JSON.stringify({ name: address, password: peoplesPassword });
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1', port: region.port(regionHost, 'https'), path: '/api/sign-in', method: 'POST', rejectUnauthorized: false, agent: false,
      headers: { 'content-type': 'application/json', 'waybill-request': 'user', 'content-length': Buffer.byteLength(body), 'x-forwarded-for': '127.55.1.9' },
    });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.end(body);
  });
  assert.equal(status, 200);
  await lineIn(regionLog, ['webmailProxy', '127.55.1.9']);
});
