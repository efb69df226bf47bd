/** What strangers, front-ends and the supervisor do to the server: STARTTLS, trust, hostile input, time limits, draining. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as tls from 'node:tls';
import { after, before, test } from 'node:test';
import { Connection } from '../../../shared/net/connection.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { certificates, deliver, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

let server: TestServer;

before(async () => {
  server = await startServer({ limits: { loginTimeoutMs: 1500 } });
});
after(async () => server.stop());

/** A node's connection to the trusted listener, with its certificate. */
async function connectAs(node: string, port = server.ports.trusted): Promise<Connection> {
  const own = certificates[node];
  if (own === undefined) throw new Error(`no certificate of ${node}`);
  const socket = tls.connect({ host: '127.0.0.1', port, cert: own.certificate, key: own.key, ca: own.authority, servername: 'localhost' });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return new Connection(socket, { maxLineBytes: 10_000, idleTimeoutMs: 5000 });
}

async function answer(connection: Connection, tag: string): Promise<string> {
  for (;;) {
    const line = (await connection.readLine()) ?? 'closed';
    if (line.startsWith(`${tag} `) || line === 'closed') return line;
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('A listed front-end logs users in by its certificate and says who they are.', { timeout: 60_000 }, async () => {
  const connection = await connectAs('fe1');
  assert.match((await connection.readLine()) ?? '', /AUTH=EXTERNAL/);
  await connection.write(
    `F1 ID ("x-originating-ip" "192.0.2.7" "x-originating-port" "40000" "x-session-id" "abc123")\r\nF2 AUTHENTICATE EXTERNAL ${base64('fred@example.com')}\r\nF3 SELECT INBOX\r\n`,
  );
  assert.match(await answer(connection, 'F1'), /^F1 OK/);
  assert.match(await answer(connection, 'F2'), /^F2 OK \[CAPABILITY .* IDLE .*\] logged in$/);
  assert.match(await answer(connection, 'F3'), /^F3 OK/);
  connection.destroy();
});

test('EXTERNAL is refused to front-ends that are not listed, to other back-ends, without a certificate, and on other listeners.', { timeout: 60_000 }, async () => {
  const tries = [connectAs('fe9'), connectAs('be2'), connectAs('fe1', server.ports.tls)];
  for (const connection of await Promise.all(tries)) {
    assert.doesNotMatch((await connection.readLine()) ?? '', /EXTERNAL/);
    await connection.write(`F2 AUTHENTICATE EXTERNAL ${base64('fred@example.com')}\r\n`);
    assert.match(await answer(connection, 'F2'), /^F2 NO/);
    connection.destroy();
  }
  const stranger = await Dialogue.connect({ port: server.ports.trusted, tls: 'implicit' });
  stranger.say(`F2 AUTHENTICATE EXTERNAL ${base64('fred@example.com')}`);
  await stranger.until(/^F2 NO/);
  stranger.close();
});

test('EXTERNAL answers unknown owners, outages and missing names each in its own words.', { timeout: 60_000 }, async () => {
  const connection = await connectAs('fe1');
  await connection.write(`F1 AUTHENTICATE EXTERNAL ${base64('elsewhere@example.com')}\r\n`);
  assert.match(await answer(connection, 'F1'), /^F1 NO \[REFERRAL imap:\/\/elsewhere%40example.com@be2\/\]/);
  await connection.write(`F2 AUTHENTICATE EXTERNAL ${base64('outage@example.com')}\r\n`);
  assert.match(await answer(connection, 'F2'), /^F2 NO \[UNAVAILABLE\]/);
  await connection.write('F3 AUTHENTICATE EXTERNAL =\r\n');
  assert.match(await answer(connection, 'F3'), /^F3 NO \[AUTHORIZATIONFAILED\]/);
  connection.destroy();
});

test('After STARTTLS a user can log in, and commands pipelined ahead of it are thrown away.', { timeout: 60_000 }, async () => {
  const dialogue = await Dialogue.connect({ port: server.ports.startTls });
  await dialogue.expect(/STARTTLS LOGINDISABLED/);
  dialogue.sayRaw('a1 STARTTLS\r\na2 NOOP\r\na3 LOGOUT\r\n');
  await dialogue.expect(/^a1 OK/);
  await dialogue.startTls();
  dialogue.say('a4 CAPABILITY');
  await dialogue.expect(/^\* CAPABILITY .*AUTH=PLAIN/);
  await dialogue.expect(/^a4 OK/);
  dialogue.say('a5 STARTTLS');
  await dialogue.expect(/^a5 BAD/);
  dialogue.say(`a6 AUTHENTICATE PLAIN ${base64(`\0tls@example.com\0${password}`)}`);
  await dialogue.expect(/^a6 OK/);
  dialogue.close();
});

test('Overlong lines, NUL and endless literals get BAD or BYE, and another session notices nothing.', { timeout: 60_000 }, async () => {
  const other = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  other.say(`a LOGIN other@example.com "${password}"`);
  await other.until(/^a OK/);
  const hostile = await Dialogue.connect({ port: server.ports.startTls });
  await hostile.expect(/^\* OK/);
  hostile.sayRaw('a1 NOOP\0\r\n');
  await hostile.expect(/^a1 BAD NUL/);
  hostile.sayRaw(`a2 ${'x'.repeat(20_000)}\r\n`);
  await hostile.expect(/^a2 BAD \[TOOBIG\] command too long/);
  hostile.sayRaw('a3 LOGIN {99999999}\r\n');
  await hostile.expect(/^a3 BAD \[TOOBIG\] command too long/);
  hostile.sayRaw('a4 APPEND INBOX {10+}\r\n0123456789\r\n');
  await hostile.expect(/^a4 BAD APPEND is not allowed now/);
  hostile.sayRaw('a5 LOGIN {99999999+}\r\n');
  await hostile.expect(/^\* BYE \[TOOBIG\]/);
  await hostile.closed();
  const endless = await Dialogue.connect({ port: server.ports.startTls });
  endless.sayRaw('x'.repeat(70_000));
  await endless.until(/^\* BAD line too long/);
  await endless.closed();
  other.say('b NOOP');
  await other.expect(/^b OK/);
  other.close();
});

test('NUL in a message is taken in a literal8 alone: else the command is refused, nothing of it is kept, and the next one is understood.', { timeout: 60_000 }, async () => {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`a LOGIN nul@example.com "${password}"`);
  await dialogue.until(/^a OK/);
  const long = Buffer.alloc(9000, 'x');
  long.writeUInt8(0, 10);
  dialogue.sayRaw('b APPEND INBOX {3+}\r\na:b {8+}\r\na: b\0c\r\n {3+}\r\na:b\r\n');
  await dialogue.until(/^b BAD NUL is not allowed in a literal/);
  dialogue.say(`c APPEND INBOX {${String(long.length)}}`);
  await dialogue.until(/^\+ /);
  dialogue.sayRaw(Buffer.concat([long, Buffer.from('\r\n')]));
  await dialogue.until(/^c BAD NUL is not allowed in a literal/);
  dialogue.say('d STATUS INBOX (MESSAGES)');
  await dialogue.until(/^\* STATUS "?INBOX"? \(MESSAGES 0\)/);
  dialogue.sayRaw(Buffer.concat([Buffer.from(`e APPEND INBOX ~{${String(long.length)}+}\r\n`), long, Buffer.from('\r\n')]));
  await dialogue.until(/^e OK \[APPENDUID/);
  dialogue.close();
});

test('Who does not log in in time is sent away.', { timeout: 60_000 }, async () => {
  const dialogue = await Dialogue.connect({ port: server.ports.startTls });
  await dialogue.until(/^\* BYE (too slow|autologout)/);
  await dialogue.closed();
});

test('A stream that breaks off in the middle of APPEND leaves nothing behind.', { timeout: 60_000 }, async () => {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`a LOGIN cut@example.com "${password}"`);
  await dialogue.until(/^a OK/);
  dialogue.sayRaw('b APPEND INBOX {1000}\r\n');
  await dialogue.expect(/^\+ /);
  dialogue.sayRaw('Subject: half a mess');
  dialogue.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const account = await server.storage.createAccount('cut@example.com');
  assert.equal(account.mailbox('INBOX')?.state().messages, 0);
});

test('Even when hints are lost, the next command tells of new mail.', { timeout: 60_000 }, async () => {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`a LOGIN lost@example.com "${password}"`);
  dialogue.say('b SELECT INBOX');
  await dialogue.until(/^b OK/);
  server.hints.silence = 'yes';
  await deliver({ storage: server.storage, address: 'lost@example.com', mailbox: 'INBOX' }, messageAbout('news'));
  server.hints.silence = 'no';
  dialogue.say('c NOOP');
  await dialogue.expect(/^\* 1 EXISTS/);
  await dialogue.expect(/^\* 1 RECENT/);
  await dialogue.expect(/^c OK/);
  dialogue.close();
});

test('On a full disk APPEND is refused for now, the session keeps its place, and everything else goes on.', { timeout: 60_000 }, async (t) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-imap-full-'));
  const roomy = await startServer({ directory });
  await roomy.storage.createAccount('full@example.com');
  await roomy.stop();
  const full = await startServer({ directory, reserveBytes: Number.MAX_SAFE_INTEGER });
  t.after(async () => {
    await full.stop();
    fs.rmSync(directory, { recursive: true });
  });
  const dialogue = await Dialogue.connect({ port: full.ports.tls, tls: 'implicit' });
  dialogue.say(`a LOGIN full@example.com "${password}"`);
  await dialogue.until(/^a OK/);
  dialogue.sayRaw(`b APPEND INBOX {300000+}\r\n${'x'.repeat(300_000)}\r\nc APPEND INBOX {5+}\r\na: b\n {5+}\r\nc: d\n\r\nd SELECT INBOX\r\n`);
  await dialogue.expect(/^b NO \[UNAVAILABLE\]/);
  await dialogue.expect(/^c NO \[UNAVAILABLE\]/);
  await dialogue.until(/^\* 0 EXISTS/);
  await dialogue.until(/^d OK/);
  dialogue.close();
});

test('IDLE looks for itself now and then, should hints be lost.', { timeout: 60_000 }, async (t) => {
  const watchful = await startServer({ limits: { idleRecheckMs: 100 } });
  t.after(async () => watchful.stop());
  const dialogue = await Dialogue.connect({ port: watchful.ports.tls, tls: 'implicit' });
  dialogue.say(`a LOGIN lost@example.com "${password}"`);
  dialogue.say('b SELECT INBOX');
  dialogue.say('c IDLE');
  await dialogue.until(/^\+ idling/);
  watchful.hints.silence = 'yes';
  await deliver({ storage: watchful.storage, address: 'lost@example.com', mailbox: 'INBOX' }, messageAbout('news'));
  await dialogue.expect(/^\* 1 EXISTS/);
  dialogue.close();
});

test('A stopping server says goodbye to idle clients, in IDLE or not, and lets none in.', { timeout: 60_000 }, async () => {
  const short = await startServer();
  const idle = await Dialogue.connect({ port: short.ports.tls, tls: 'implicit' });
  idle.say(`a LOGIN idle@example.com "${password}"`);
  idle.say('b IDLE');
  await idle.until(/^\+ idling/);
  const quiet = await Dialogue.connect({ port: short.ports.startTls });
  await quiet.expect(/^\* OK/);
  const stopped = short.stop();
  await idle.expect(/^\* BYE \[UNAVAILABLE\]/);
  await quiet.expect(/^\* BYE \[UNAVAILABLE\]/);
  await Promise.all([idle.closed(), quiet.closed(), stopped]);
  await assert.rejects(Dialogue.connect({ port: short.ports.startTls }));
});

test('What is announced to a client stands in docs/imap.md, and nothing else does.', async () => {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`A LOGIN announced@example.com "${password}"`);
  await dialogue.expect(/^\* OK/);
  const [, capabilities = ''] = await dialogue.expect(/^A OK \[CAPABILITY ([^\]]+)\]/);
  dialogue.close();
  const announced = capabilities.split(' ').map((word) => word.replace(/^APPENDLIMIT=\d+$/, 'APPENDLIMIT'));
  const page = fs.readFileSync(path.join(import.meta.dirname, '..', '..', '..', 'docs', 'imap.md'), 'utf8');
  const described = page.split('\n').flatMap((line) => Array.from((/^\| (`[^|]+) \|/.exec(line)?.[1] ?? '').matchAll(/`([^`]+)`/g), ([, word = '']) => word));
  assert.deepEqual(described.toSorted(), announced.toSorted());
});
