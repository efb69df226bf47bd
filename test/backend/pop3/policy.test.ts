/** What administrators decide about maildrops: a lock, a delay between logins, how long messages stay, whether they count as read. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Flag } from '../../../backend/storage/storage.ts';
import { Maildrops, maildropDesk } from '../../../shared/access/maildrop-desk.ts';
import type { LoginDelays, MaildropsOptions } from '../../../shared/access/maildrop-desk.ts';
import type { Siblings } from '../../../shared/service/siblings.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { deliver, inboxOf, password, startServer } from './harness.ts';
import type { TestServer, TestServerOptions } from './harness.ts';

const address = 'policy@example.com';
const dayMs = 86_400_000;

/** The desk without the way to it. */
function deskSiblings(desk: ReturnType<typeof maildropDesk>): Siblings {
  return { ask: async (topic, question) => Promise.resolve({ answers: topic === 'maildrop' ? [null, desk.maildrop(JSON.parse(JSON.stringify(question)))] : [null], silent: 0 }), answer: () => undefined, onSilence: () => undefined };
}

/** The same for all but those of `slow.example`. */
function delaysOf(usual: number, slow = usual): LoginDelays {
  return { of: (who) => (who.endsWith('@slow.example') ? slow : usual), longest: Math.max(usual, slow), differ: usual === slow ? 'no' : 'yes' };
}

function maildropsWith(options: Partial<MaildropsOptions>, desk = maildropDesk()): Maildrops {
  return new Maildrops({ siblings: deskSiblings(desk), lock: 'shared', loginDelays: delaysOf(0), ...options });
}

async function serverWith(t: TestContext, options: TestServerOptions): Promise<TestServer> {
  const server = await startServer(options);
  t.after(async () => server.stop());
  return server;
}

/** Connects and sends name and password; answers the last line and the dialogue. */
async function tryLogin(server: TestServer, user = address, word = password): Promise<{ readonly line: string; readonly dialogue: Dialogue }> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  await dialogue.expect(/^\+OK/);
  dialogue.sayRaw(`USER ${user}\r\nPASS ${word}\r\n`);
  await dialogue.expect(/^\+OK/);
  return { line: await dialogue.line(), dialogue };
}

/** Logs in, says commands that are answered by one line each, and QUIT. */
async function visit(server: TestServer, ...commands: readonly string[]): Promise<void> {
  const { line, dialogue } = await tryLogin(server);
  assert.match(line, /^\+OK/);
  for (const command of commands) {
    dialogue.say(command);
    await dialogue.expect(/^\+OK/);
    if (command.startsWith('RETR')) await dialogue.until(/^\.$/);
  }
  dialogue.say('QUIT');
  await dialogue.expect(/^\+OK goodbye/);
  dialogue.close();
}

async function capabilities(server: TestServer): Promise<string[]> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say('CAPA');
  await dialogue.expect(/^\+OK/);
  await dialogue.expect(/^\+OK/);
  const lines: string[] = [];
  for (let line = await dialogue.line(); line !== '.'; line = await dialogue.line()) lines.push(line);
  dialogue.close();
  return lines;
}

async function uidsOf(server: TestServer): Promise<number[]> {
  return (await inboxOf(server, address)).rows().map(({ uid }) => uid);
}

const three = ['one', 'two', 'three'].map((word) => Buffer.from(`Subject: ${word}\r\n\r\n`));

test('with an exclusive lock a second session is told that the maildrop is in use, until the first has said QUIT or is gone', async (t) => {
  const server = await serverWith(t, { maildrops: maildropsWith({ lock: 'exclusive' }) });
  const first = await tryLogin(server);
  assert.match(first.line, /^\+OK/);
  const second = await tryLogin(server);
  assert.equal(second.line, '-ERR [IN-USE] another session has this maildrop open');
  assert.match((await tryLogin(server, 'other@example.com')).line, /^\+OK/);
  assert.match((await tryLogin(server, address, 'wrong')).line, /^-ERR \[AUTH\]/, 'that it is in use is told to its owner alone');
  first.dialogue.say('QUIT');
  await first.dialogue.expect(/^\+OK/);
  // The refused session may try again, and whoever reads the answer to QUIT finds the maildrop free.
  second.dialogue.sayRaw(`USER ${address}\r\nPASS ${password}\r\n`);
  await second.dialogue.expect(/^\+OK/);
  await second.dialogue.expect(/^\+OK maildrop/);
  second.dialogue.close();
  for (const deadline = Date.now() + 10_000; ;) {
    const { line, dialogue } = await tryLogin(server);
    dialogue.close();
    if (line.startsWith('+OK')) break;
    assert.ok(Date.now() < deadline, 'a line that was cut frees the maildrop');
  }
});

test('without a lock two sessions have the same maildrop, and each its own snapshot', async (t) => {
  const server = await serverWith(t, { maildrops: maildropsWith({}) });
  const [first, second] = [await tryLogin(server), await tryLogin(server)];
  assert.match(first.line + second.line, /^\+OK.*\+OK/);
  for (const { dialogue } of [first, second]) dialogue.close();
});

test('what a worker held that died is free', async () => {
  const desk = maildropDesk();
  const child = fork(path.join(import.meta.dirname, 'holder-process.ts'));
  const [holder] = (await once(child, 'message')) as [string];
  const open = (who: string): unknown => desk.maildrop({ step: 'open', account: 'a', holder: who, lock: 'exclusive', delayMs: 0 });
  assert.deepEqual(open(`${holder}#1`), { kind: 'open' });
  const here = maildropsWith({ lock: 'exclusive' }, desk);
  await assert.rejects(here.open({ id: 'a', address }), /has this maildrop open/);
  child.disconnect();
  await once(child, 'exit');
  const close = await here.open({ id: 'a', address });
  await close();
  await close();
  assert.deepEqual(desk.maildrop('nonsense'), null);
});

test('with a login delay the next login is refused until the time is over, at whatever worker, and wrong passwords count for nothing', async (t) => {
  let now = 0;
  const desk = maildropDesk(() => now);
  const [one, other] = [await serverWith(t, { maildrops: maildropsWith({ loginDelays: delaysOf(60_000) }, desk) }), await serverWith(t, { maildrops: maildropsWith({ loginDelays: delaysOf(60_000) }, desk) })];
  assert.ok((await capabilities(one)).includes('LOGIN-DELAY 60'));
  const { id } = await one.storage.createAccount(address);
  assert.match((await tryLogin(one, address, 'wrong')).line, /^-ERR \[AUTH\]/);
  const logins = await Promise.all(Array.from({ length: 5 }, async () => tryLogin(one)));
  assert.equal(logins.filter(({ line }) => line.startsWith('+OK')).length, 1, 'of several at once one gets in');
  now = 59_000;
  assert.equal((await tryLogin(one)).line, '-ERR [LOGIN-DELAY] you logged in lately; the next login is possible in 1 seconds');
  await assert.rejects(maildropsWith({ loginDelays: delaysOf(60_000) }, desk).open({ id, address }), /logged in lately/);
  assert.match((await tryLogin(other, 'nobody-else@example.com')).line, /^\+OK/);
  assert.match((await tryLogin(one, address, 'wrong')).line, /^-ERR \[AUTH\]/, 'the delay is told to its owner alone');
  now = 60_000;
  assert.match((await tryLogin(one)).line, /^\+OK/);
});

test('where domains have delays of their own the longest is announced before login, and after it the user\'s own, which alone holds; by AUTH as by PASS', async (t) => {
  let now = 0;
  const server = await serverWith(t, { maildrops: maildropsWith({ loginDelays: delaysOf(0, 90_000) }, maildropDesk(() => now)) });
  assert.ok((await capabilities(server)).includes('LOGIN-DELAY 90 USER'));
  for (const [user, own] of [['quick@example.com', 'LOGIN-DELAY 0'], ['one@slow.example', 'LOGIN-DELAY 90']] as const) {
    const { line, dialogue } = await tryLogin(server, user);
    assert.match(line, /^\+OK/);
    dialogue.say('CAPA');
    await dialogue.until(new RegExp(`^${own}$`));
    dialogue.close();
  }
  now = 30_000;
  assert.match((await tryLogin(server, 'quick@example.com')).line, /^\+OK/);
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  await dialogue.expect(/^\+OK/);
  dialogue.say(`AUTH PLAIN ${Buffer.from(`\0one@slow.example\0${password}`).toString('base64')}`);
  await dialogue.expect(/^-ERR \[LOGIN-DELAY\] .* in 60 seconds$/);
  now = 90_000;
  assert.match((await tryLogin(server, 'one@slow.example')).line, /^\+OK/);
});

test('with EXPIRE 0 what a session has retrieved is removed at its QUIT, and nothing when its line is cut', async (t) => {
  const server = await serverWith(t, { policy: { retrieved: 'as before', expireDays: 0 } });
  assert.ok((await capabilities(server)).includes('EXPIRE 0'));
  await deliver(server, address, ...three);
  const { dialogue } = await tryLogin(server);
  dialogue.say('RETR 1');
  await dialogue.until(/^\.$/);
  dialogue.close();
  await visit(server, 'RETR 2');
  assert.deepEqual(await uidsOf(server), [1, 3]);
});

test('after some days what was read is removed at the end of a session, and what nobody has read stays', async (t) => {
  let now = Date.now();
  const server = await serverWith(t, { policy: { retrieved: 'seen', expireDays: 30 }, now: () => now });
  assert.ok((await capabilities(server)).includes('EXPIRE 30'));
  await deliver(server, address, ...three);
  await visit(server, 'RETR 1');
  await (await inboxOf(server, address)).changeFlags([2], { mode: 'add', flags: Flag.Seen, keywords: [] });
  now += 30 * dayMs - 60_000;
  await visit(server);
  assert.deepEqual(await uidsOf(server), [1, 2, 3]);
  now += 120_000;
  const { dialogue } = await tryLogin(server);
  dialogue.close();
  await visit(server, 'STAT');
  assert.deepEqual(await uidsOf(server), [3]);
});

test('RETR leaves a message unseen where that is wanted, TOP always', async (t) => {
  const [seen, asBefore] = [await serverWith(t, {}), await serverWith(t, { policy: { retrieved: 'as before', expireDays: undefined } })];
  for (const [server, flags] of [[seen, [Flag.Seen, 0, 0]], [asBefore, [0, 0, 0]]] as const) {
    await deliver(server, address, ...three);
    await visit(server, 'RETR 1');
    const { dialogue } = await tryLogin(server);
    dialogue.sayRaw('TOP 2 5\r\nQUIT\r\n');
    await dialogue.until(/^\+OK goodbye/);
    dialogue.close();
    assert.deepEqual((await inboxOf(server, address)).rows().map((row) => row.flags), flags);
  }
});

test('a name that is no UTF-8 is refused', async (t) => {
  const server = await serverWith(t, {});
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  await dialogue.expect(/^\+OK/);
  dialogue.sayRaw(Buffer.from('USER j\xf6rg@example.com\r\n', 'latin1'));
  await dialogue.expect(/^-ERR that is not UTF-8$/);
  dialogue.close();
});
