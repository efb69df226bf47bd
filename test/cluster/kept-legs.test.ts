/** Connections from a front-end to a back-end outlive sessions: how many are made, who may be whose successor, and what happens when they die. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { metricsPage } from '../harness/metrics-page.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';

let cluster: Cluster;
let imap: TcpProxy;
let pop3: TcpProxy;

const trustedListener = /^( *)- \{ address: "127\.0\.0\.1:(\d+)", tls: implicit, trusted: true \}$/gm;

before(async () => {
  cluster = await startCluster({
    nodes: ['be1', 'fe1'],
    changeConfig: async (yaml) => {
      const [imapPort = 0, pop3Port = 0] = [...yaml.matchAll(trustedListener)].map(([, , port]) => Number(port));
      [imap, pop3] = [await TcpProxy.start(imapPort), await TcpProxy.start(pop3Port)];
      // Front-ends go to the port of a node's first trusted listener: at 127.0.0.1 a relay listens there.
      const inFront: Readonly<Record<string, number>> = { [String(imapPort)]: imap.port, [String(pop3Port)]: pop3.port };
      return yaml
        .replace(trustedListener, (line, indent: string, port: string) => (inFront[port] === undefined ? line : `${indent}- { address: "127.0.0.2:${String(inFront[port])}", tls: implicit, trusted: true }\n${line}`))
        .replace('\nnodes:\n', `
frontends:
  services:
    imapProxy: { keptConnections: 2, keptConnectionSeconds: 240 }
    pop3Proxy: { keptConnectionSeconds: 240 }
backends:
  services:
    imap: { maxConnectionsPerUser: 1 }

nodes:
`);
    },
  });
});
after(async () => {
  await cluster.stop();
  await Promise.all([imap, pop3].map(async (relay) => relay.refuse()));
});

/** Each has a socket on both sides of the relay. */
function connectionsOf(relay: TcpProxy): number {
  return relay.openConnections / 2;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; !condition();) {
    assert.ok(Date.now() < deadline, `${what} in time; connections to back-ends: ${String(connectionsOf(imap))}`);
    await sleep(20);
  }
}

/** Logs out; answers all that comes until the front-end closes. */
async function lastWords(session: ImapSession): Promise<string> {
  session.dialogue.sayRaw('z LOGOUT\r\n');
  const bytes = await session.dialogue.bytesUntil('z OK LOGOUT completed\r\n');
  await session.dialogue.closed();
  return bytes.toString('latin1');
}

/** Logins of the front-end that went over a connection which was there already. */
async function usedAgain(): Promise<number> {
  return Number(/^waybill_backend_connection_used_again_total\{node="be1"\} (\d+)$/m.exec(await metricsPage(cluster, 'fe1'))?.[1] ?? 0);
}

/** What the back-end says of its sessions from a place of its log on: session and account of each login. */
function logins(from: number): readonly string[] {
  return cluster.log('be1').slice(from).split('\n').filter((line) => line.includes('"logged in"')).map((line) => {
    const { session, client, account } = JSON.parse(line) as Readonly<Record<string, string>>;
    return `${String(session)} ${String(client)} ${String(account)}`;
  });
}

test('Sessions of different users from different addresses go over one connection, each under its own name, and clients see no trace of it.', async () => {
  const users = [await addPerson(cluster, 'be1'), await addPerson(cluster, 'be1')];
  const start = cluster.log('be1').length;
  for (let turn = 0; turn < 6; turn += 1) {
    const user = users[turn % 2] ?? '';
    const session = await ImapSession.connect(cluster, 'fe1', { from: `127.0.0.${String(50 + turn)}` });
    await session.ok(`LOGIN ${user} ${cluster.password}`);
    if (turn < 2) {
      await session.ok('ENABLE QRESYNC');
      await session.append('INBOX', newMessage({ text: `mail of ${user}\r\n` }).bytes);
    }
    const uids = await session.find('about-');
    assert.equal(uids.length, 1);
    assert.match(String((await session.messages()).get(uids[0] ?? 0)), new RegExp(`mail of ${user}`));
    assert.equal(await lastWords(session), '* BYE goodbye\r\nz OK LOGOUT completed\r\n');
  }
  assert.equal(await usedAgain(), 5, 'all but the first, and no left-over fills the limit of one session for each user');
  await logLine(cluster, 'be1', { words: ['session ends', '127.0.0.55'], from: start });
  const sessions = logins(start);
  assert.deepEqual(sessions.map((line) => line.split(' ').slice(1).join(' ')), Array.from({ length: 6 }, (_, turn) => `127.0.0.${String(50 + turn)} ${users[turn % 2] ?? ''}@example.com`));
  assert.equal(new Set(sessions.map((line) => line.split(' ')[0])).size, 6);
  for (const line of sessions) assert.ok(cluster.log('fe1').includes(line.split(' ')[0] ?? ''), 'under the front-end\'s session id');
});

test('What a client says behind LOGOUT logs nobody in.', async () => {
  const [eve, victim] = [await addPerson(cluster, 'be1'), await addPerson(cluster, 'be1')];
  const start = cluster.log('be1').length;
  const forged = `F1 ID ("x-session-id" "forged")\r\nF2 AUTHENTICATE EXTERNAL ${Buffer.from(`${victim}@example.com`).toString('base64')}\r\nF3 CREATE stolen\r\n`;
  for (const gapMs of [0, 0, 1, 2, 4]) {
    const session = await ImapSession.logIn(cluster, { node: 'fe1', user: eve });
    session.dialogue.sayRaw(gapMs === 0 ? `z LOGOUT\r\n${forged}` : 'z LOGOUT\r\n');
    await sleep(gapMs);
    if (gapMs > 0) session.dialogue.sayRaw(forged);
    await session.dialogue.closed();
  }
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: victim });
  assert.doesNotMatch((await session.ok('LIST "" *')).untagged.map(({ text }) => text).join('\n'), /stolen/);
  await session.ok('NOOP');
  assert.deepEqual(logins(start).filter((line) => line.includes(victim)).length, 1);
  session.close();
});

test('A session that the client compresses passes through, and takes its connection along; UNAUTHENTICATE is neither announced nor obeyed.', async () => {
  const user = await addPerson(cluster, 'be1');
  const session = await ImapSession.connect(cluster, 'fe1');
  const capabilities = async (): Promise<string> => (await session.ok('CAPABILITY')).untagged.map(({ text }) => text).join('\n');
  assert.doesNotMatch(await capabilities(), /UNAUTHENTICATE/);
  assert.match((await session.run('UNAUTHENTICATE')).completion, /^BAD/);
  await session.ok(`LOGIN ${user} ${cluster.password}`);
  assert.match(await capabilities(), /^(?!.*UNAUTHENTICATE).*COMPRESS=DEFLATE/);
  assert.match((await session.run('UNAUTHENTICATE')).completion, /^BAD/);
  await session.dialogue.startDeflate();
  const { subject, bytes } = newMessage({ text: `${'long '.repeat(10)}\r\n`.repeat(10_000) });
  await session.append('INBOX', bytes);
  const [uid = 0] = await session.find(subject);
  assert.ok((await session.messages(String(uid))).get(uid)?.equals(bytes));
  assert.match((await session.run('UNAUTHENTICATE')).completion, /^BAD/);
  const connections = connectionsOf(imap);
  assert.equal(await lastWords(session), '* BYE goodbye\r\nz OK LOGOUT completed\r\n');
  await until(() => connectionsOf(imap) === connections - 1, 'its connection is not kept');
});

test('A client that hangs up takes its connection along; of those that are left, so many are kept as the configuration says.', async () => {
  const users = await Promise.all(Array.from({ length: 4 }, async () => addPerson(cluster, 'be1')));
  const sessions = await Promise.all(users.map(async (user) => ImapSession.logIn(cluster, { node: 'fe1', user })));
  for (const session of sessions.slice(0, 3)) await lastWords(session);
  await until(() => connectionsOf(imap) === 3, 'two kept and one in use');
  sessions[3]?.close();
  await until(() => connectionsOf(imap) === 2, 'two kept');
});

test('No login fails by a kept connection: neither cut, nor gone without a word, nor of a back-end that was killed.', async () => {
  const user = await addPerson(cluster, 'be1');
  const login = async (): Promise<void> => { await lastWords(await ImapSession.logIn(cluster, { node: 'fe1', user })); };
  await login();
  imap.cutAll();
  await login();
  imap.behaviour = { kind: 'hang' };
  const { swallowed } = imap;
  const late = login();
  await until(() => imap.swallowed > swallowed, 'a login that nobody answers');
  imap.behaviour = { kind: 'pass' };
  await late;
  await cluster.kill('be1');
  await cluster.startNode('be1');
  await login();
});

test('POP3 sessions follow each other, too, and their deletions are done.', async () => {
  const user = await addPerson(cluster, 'be1');
  const imapSession = await ImapSession.logIn(cluster, { node: 'fe1', user });
  for (let count = 0; count < 3; count += 1) await imapSession.append('INBOX', newMessage().bytes);
  imapSession.close();
  const before = await usedAgain();
  for (let left = 3; left > 0; left -= 1) {
    const session = await Pop3Session.logIn(cluster, { node: 'fe1', user });
    assert.match(await session.ok('STAT'), new RegExp(`^\\+OK ${String(left)} `));
    await session.ok('DELE 1');
    session.dialogue.sayRaw('QUIT\r\n');
    assert.match((await session.dialogue.bytesUntil('\r\n')).toString(), /^\+OK goodbye, /);
    await session.dialogue.closed();
  }
  assert.equal(await usedAgain() - before, 2);
  const forger = await Pop3Session.logIn(cluster, { node: 'fe1', user });
  forger.dialogue.sayRaw(`QUIT\r\nAUTH EXTERNAL ${Buffer.from('alice@example.com').toString('base64')}\r\nDELE 1\r\nQUIT\r\n`);
  await forger.dialogue.closed();
  assert.equal(logins(0).filter((line) => line.includes('alice@')).length, 0);
});

test('Another configuration closes what is kept, and its values hold for the next ones; back-ends that retire close theirs.', async () => {
  const user = await addPerson(cluster, 'be1');
  await lastWords(await ImapSession.logIn(cluster, { node: 'fe1', user }));
  assert.ok(connectionsOf(imap) > 0);
  const yaml = readFileSync(cluster.configFile, 'utf8');
  writeFileSync(cluster.configFile, yaml.replace('keptConnections: 2, keptConnectionSeconds: 240', 'keptConnections: 2, keptConnectionSeconds: 1'));
  await until(() => connectionsOf(imap) === 0, 'all closed');
  await lastWords(await ImapSession.logIn(cluster, { node: 'fe1', user }));
  const { accepted } = imap;
  await until(() => connectionsOf(imap) === 0, 'closed after a second');
  await lastWords(await ImapSession.logIn(cluster, { node: 'fe1', user }));
  assert.ok(imap.accepted > accepted);
});
