/** What front-ends announce before login: what all back-ends have, nodes of ours and a Dovecot that changes its mind. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { startDovecot } from '../harness/dovecot.ts';
import type { Dovecot, DovecotOptions } from '../harness/dovecot.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { Pop3Session } from '../harness/pop3-session.ts';

let cluster: Cluster;
let options: DovecotOptions;
let dovecot: Dovecot;

before(async () => {
  cluster = await startCluster({ nodes: [] });
  options = {
    certificate: join(cluster.folder, 'tls', 'server.pem'), key: join(cluster.folder, 'tls', 'server-key.pem'),
    password: cluster.password, master: { user: 'boss', password: 'boss-password' }, trustedNetworks: '127.0.0.1/32',
  };
  dovecot = await startDovecot(options);
  options = { ...options, ports: dovecot.ports };
  writeFileSync(cluster.configFile, readFileSync(cluster.configFile, 'utf8').replace('\nnodes:\n', `
frontends:
  workers: 1
  foreignBackends: { tls: implicit, ca: tls/authority.pem }
  services:
    imapProxy: { mappingPort: ${String(dovecot.ports.imaps)}, capabilityPollSeconds: 1 }
    pop3Proxy: { mappingPort: ${String(dovecot.ports.pop3s)}, capabilityPollSeconds: 1 }

nodes:
`));
  await cluster.startNode('be1');
  await cluster.startNode('fe1');
});
after(async () => {
  await dovecot.stop();
  await cluster.stop();
});

/** Of the greeting on 993; the command tells the same, except while nodes come and go (`unsettled`). */
async function announced(service: 'imap' | 'imaps' = 'imaps', nodes: 'settled' | 'unsettled' = 'settled'): Promise<string[]> {
  const dialogue = await Dialogue.connect({ port: cluster.port('fe1', service), tls: service === 'imaps' ? 'implicit' : 'none' });
  const [, list = ''] = await dialogue.expect(/^\* OK \[CAPABILITY ([^\]]*)\]/);
  dialogue.say('a CAPABILITY');
  await dialogue.expect(nodes === 'settled' ? new RegExp(`^\\* CAPABILITY ${list.replaceAll('+', '\\+')}$`) : /^\* CAPABILITY /);
  dialogue.close();
  return list.split(' ');
}

async function capa(): Promise<string[]> {
  const pop3 = await Pop3Session.connect(cluster, 'fe1');
  const lines = await pop3.lines('CAPA');
  pop3.close();
  return lines;
}

/** What a user is told after login, without what concerns logins. */
async function afterLogin(user: string): Promise<string[]> {
  const imap = await ImapSession.connect(cluster, 'fe1');
  const { completion } = await imap.ok(`LOGIN ${user} ${cluster.password}`);
  imap.close();
  return (/\[CAPABILITY ([^\]]*)\]/.exec(completion)?.[1] ?? '').split(' ');
}

/** Waits for a round of questions or two. */
async function soon(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 45_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `announced: ${(await announced()).join(' ')}`);
    await sleep(200);
  }
}

const ofLogin = new Set(['SASL-IR', 'ID', 'AUTH=PLAIN', 'AUTH=LOGIN', 'STARTTLS', 'LOGINDISABLED']);

test('the first greeting has all that the nodes have, and nothing else but what the proxy does itself', async () => {
  const [before, then] = [await announced(), await afterLogin(await addPerson(cluster, 'be1'))];
  assert.deepEqual(before.filter((word) => !ofLogin.has(word)).toSorted(), then.filter((word) => !ofLogin.has(word)).toSorted());
  assert.deepEqual(before.filter((word) => ofLogin.has(word)), ['SASL-IR', 'ID', 'AUTH=PLAIN', 'AUTH=LOGIN']);
  assert.deepEqual((await announced('imap')).filter((word) => ofLogin.has(word)), ['SASL-IR', 'ID', 'STARTTLS', 'LOGINDISABLED']);
  assert.deepEqual((await capa()).toSorted(), ['AUTH-RESP-CODE', 'EXPIRE NEVER', 'LANG', 'PIPELINING', 'RESP-CODES', 'SASL PLAIN LOGIN', 'TOP', 'UIDL', 'USER', 'UTF8 USER', 'XCLIENT']);
});

test('a Dovecot that a login leads to counts from then on, and what is announced shrinks', async () => {
  const user = await addPerson(cluster, 'localhost');
  const theirs = new Set(await afterLogin(user));
  const now = await announced();
  assert.ok(!now.includes('IMAP4rev2') && !now.some((word) => word.startsWith('APPENDLIMIT')), now.join(' '));
  for (const word of now) assert.ok(theirs.has(word) || ofLogin.has(word), word);
  for (const word of ['LITERAL+', 'IDLE', 'MOVE', 'UIDPLUS', 'ESEARCH']) assert.ok(now.includes(word), word);
  await logLine(cluster, 'fe1', ['other capabilities are announced than before', '"removed":["IMAP4rev2"']);
  const told = cluster.log('fe1').split('\n').filter((line) => line.includes('other capabilities are announced than before'));
  assert.deepEqual(told.filter((line) => /"(?:AUTH=|UNAUTHENTICATE|STARTTLS)/.test(line)), [], 'what was never announced is not missed');
  (await Pop3Session.logIn(cluster, { node: 'fe1', user })).close();
  assert.ok(!(await capa()).includes('EXPIRE NEVER'));
});

test('a version with less is noticed by the next login, without waiting', async () => {
  const user = await addPerson(cluster, 'localhost');
  await dovecot.stop();
  dovecot = await startDovecot({ ...options, imapCapability: 'IMAP4rev1 LITERAL- IDLE UIDPLUS' });
  assert.deepEqual(await afterLogin(user), ['IMAP4rev1', 'LITERAL-', 'IDLE', 'UIDPLUS']);
  assert.deepEqual((await announced()).filter((word) => !ofLogin.has(word)), ['IMAP4rev1', 'LITERAL-', 'UIDPLUS', 'IDLE']);
  await logLine(cluster, 'fe1', ['a back-end tells other capabilities than before', `"node":"localhost:${String(dovecot.ports.imaps)}"`, '"MOVE"']);
});

test('a back-end that is down counts with its last word', async () => {
  await dovecot.stop();
  await sleep(2500);
  assert.ok(!(await announced()).includes('MOVE'));
});

test('a version with more is announced after a round or two', async () => {
  const user = await addPerson(cluster, 'localhost');
  dovecot = await startDovecot(options);
  await afterLogin(user);
  await soon(async () => (await announced('imaps', 'unsettled')).includes('MOVE'));
});

test('a front-end whose back-ends are all down promises the least, and more as soon as they are there', async () => {
  await cluster.stopNode('fe1');
  await cluster.kill('be1');
  await cluster.startNode('fe1');
  assert.deepEqual((await announced()).filter((word) => !ofLogin.has(word)), ['IMAP4rev1']);
  await cluster.startNode('be1');
  await soon(async () => (await announced('imaps', 'unsettled')).includes('IMAP4rev2'));
});

test('a configuration that changes what back-ends tell is announced within seconds, though front-ends take it up first', async () => {
  const text = readFileSync(cluster.configFile, 'utf8');
  const changed = text.replaceAll(', capabilityPollSeconds: 1', '').replace('\nfrontends:', '\nbackends:\n  services:\n    pop3: { expireDays: 30, loginDelaySeconds: 7 }\n\nfrontends:');
  assert.notEqual(changed, text);
  await cluster.startNode('be2'); // who has never answered is asked often anyway
  process.kill(cluster.pid('be1'), 'SIGSTOP'); // its workers go on by the old one
  writeFileSync(cluster.configFile, changed);
  await logLine(cluster, 'fe1', ['runs the new configuration']);
  process.kill(cluster.pid('be1'), 'SIGCONT');
  await soon(async () => (await capa()).filter((line) => /^(?:EXPIRE|LOGIN-DELAY) /.test(line)).join() === 'EXPIRE 30,LOGIN-DELAY 7');
});
