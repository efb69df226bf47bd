/** Limits of the login proxies: sessions of one user and of one address, time to log in, silence, and the return of a back-end. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';

const sessionsOfUser = 10;
const releasePerSecond = 5;

let cluster: Cluster;

before(async () => {
  cluster = await startCluster({
    nodes: ['be1', 'fe1'],
    changeConfig: (yaml) => yaml.replace('\nnodes:\n', `
frontends:
  services:
    imapProxy: { idleTimeoutSeconds: 5, releasePerSecond: ${String(releasePerSecond)} }
    pop3Proxy: { loginTimeoutSeconds: 5, peerMaxConnections: 3 }
backends:
  workers: 2
  services:
    imap: { maxConnectionsPerUser: ${String(sessionsOfUser)} }
    pop3: { maxConnectionsPerUser: 2 }

nodes:
`),
  });
});
after(async () => cluster.stop());

test('a user has so many sessions at the back-end, over all its workers, and then NO [LIMIT] until one ends', async () => {
  const [user, other] = [await addPerson(cluster, 'be1'), await addPerson(cluster, 'be1')];
  const open: ImapSession[] = [];
  for (let count = 0; count < sessionsOfUser; count += 1) open.push(await ImapSession.logIn(cluster, { node: 'fe1', user }));
  const late = await ImapSession.connect(cluster, 'fe1');
  assert.match((await late.run(`LOGIN ${user} ${cluster.password}`)).completion, /^NO \[LIMIT\] too many connections of this user: at most 10/);
  (await ImapSession.logIn(cluster, { node: 'fe1', user: other })).close();
  open[0]?.close();
  for (;;) {
    const { completion } = await late.run(`LOGIN ${user} ${cluster.password}`);
    if (completion.startsWith('OK')) break;
    assert.match(completion, /^NO \[LIMIT\]/);
  }
  for (const session of [...open, late]) session.close();
});

test('POP3 counts its sessions of a user for itself, and says -ERR [SYS/TEMP] until one ends', async () => {
  const user = await addPerson(cluster, 'be1');
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
  const connect = async (from: string): Promise<Dialogue> => {
    const pop3 = await Dialogue.connect({ port: cluster.port('fe1', 'pop3s'), tls: 'implicit', from });
    await pop3.expect(/^\+OK/);
    return pop3;
  };
  const logIn = async (pop3: Dialogue): Promise<string> => {
    pop3.say(`USER ${user}`);
    await pop3.expect(/^\+OK/);
    pop3.say(`PASS ${cluster.password}`);
    return pop3.line();
  };
  const [first, second, late] = [await connect('127.0.0.43'), await connect('127.0.0.44'), await connect('127.0.0.45')];
  for (const pop3 of [first, second]) assert.match(await logIn(pop3), /^\+OK/);
  assert.match(await logIn(late), /^-ERR \[SYS\/TEMP\] too many connections of this user: at most 2/);
  first.say('QUIT');
  await first.closed();
  for (let answer = ''; !answer.startsWith('+OK');) {
    answer = await logIn(late);
    assert.match(answer, /^(?:\+OK|-ERR \[SYS\/TEMP\])/);
  }
  for (const session of [second, late, imap]) session.close();
});

test('one address has so many connections to a service; another address is not concerned', async () => {
  const connect = async (from: string): Promise<Dialogue> => Dialogue.connect({ port: cluster.port('fe1', 'pop3'), from });
  const open = [await connect('127.0.0.40'), await connect('127.0.0.40'), await connect('127.0.0.40')];
  for (const dialogue of open) await dialogue.expect(/^\+OK/);
  const late = await connect('127.0.0.40');
  await late.expect(/^-ERR \[SYS\/TEMP\] too many connections from your address/);
  await late.closed();
  await logLine(cluster, 'fe1', ['connection refused: too many', '127.0.0.40', 'peerMaxConnections']);
  await (await connect('127.0.0.41')).expect(/^\+OK/);
  for (const dialogue of open) dialogue.close();
});

test('who does not log in in time is sent away with a word; so is whoever is busy, but never logs in', async () => {
  const [silent, busy] = [await Dialogue.connect({ port: cluster.port('fe1', 'pop3') }), await Dialogue.connect({ port: cluster.port('fe1', 'pop3') })];
  for (const dialogue of [silent, busy]) await dialogue.expect(/^\+OK/);
  const chat = setInterval(() => busy.sayRaw('CAPA\r\n'), 1000);
  try {
    await silent.expect(/^-ERR (?:you took too long to log in|idle for too long)/);
    await silent.closed();
    await busy.until(/^-ERR you took too long to log in/);
    await busy.closed();
  } finally {
    clearInterval(chat);
  }
});

test('a session that is silent for longer than the limit is cut, one that talks goes on', async () => {
  const user = await addPerson(cluster, 'be1');
  const silent = await ImapSession.logIn(cluster, { node: 'fe1', user });
  const begun = Date.now();
  const busy = await ImapSession.logIn(cluster, { node: 'fe1', user });
  const chat = setInterval(() => busy.dialogue.sayRaw('x NOOP\r\n'), 1000);
  try {
    await silent.dialogue.closed();
    assert.ok(Date.now() - begun >= 4500, `cut after ${String(Date.now() - begun)} ms`);
  } finally {
    clearInterval(chat);
  }
  await busy.ok('NOOP');
  busy.close();
});

test('a back-end that was down gets its clients back a few each second; their sessions have waited', async () => {
  const user = await addPerson(cluster, 'be1');
  const clients = await Promise.all(Array.from({ length: 9 }, async () => ImapSession.connect(cluster, 'fe1')));
  await cluster.kill('be1');
  for (const client of clients.slice(0, 2)) assert.match((await client.run(`LOGIN ${user} ${cluster.password}`)).completion, /^NO \[UNAVAILABLE\]/);
  await cluster.startNode('be1');
  const begun = Date.now();
  const times = await Promise.all(clients.map(async (client) => {
    await client.ok(`LOGIN ${user} ${cluster.password}`);
    return Date.now() - begun;
  }));
  // Nine logins, five a second: the last may begin 1.6 s after the first.
  assert.ok(Math.max(...times) >= ((clients.length - 1) * 1000) / releasePerSecond - 100, `all within ${String(Math.max(...times))} ms`);
  for (const client of clients) client.close();
});
