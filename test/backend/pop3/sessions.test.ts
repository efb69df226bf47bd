/** What needs more than a text file: front-ends with certificates, injected clear text, other sessions' doings, and the end of the service. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { logInAtNode } from '../../../frontend/pop3-proxy/backend-login.ts';
import { Flag } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { connectTo } from '../../../shared/net/connect.ts';
import { Connection } from '../../../shared/net/connection.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { certificateOf, deliver, inboxOf, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

let server: TestServer;

before(async () => {
  server = await startServer();
});
after(async () => server.stop());

async function connectAs(node: 'fe1' | 'fe9' | 'be2' | 'nobody', port = server.ports.trusted): Promise<Connection> {
  const { certificate, key, authority } = certificateOf(node === 'nobody' ? 'fe1' : node);
  const identity = node === 'nobody' ? {} : { cert: certificate, key };
  const socket = await connectTo({ host: '127.0.0.1', port, timeoutMs: 5000, tls: { ca: authority, servername: 'localhost', ...identity } });
  return new Connection(socket, { maxLineBytes: 1000, idleTimeoutMs: 5000 });
}

async function logIn(address: string, at = server): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: at.ports.tls, tls: 'implicit' });
  await dialogue.expect(/^\+OK/);
  dialogue.sayRaw(`USER ${address}\r\nPASS ${password}\r\n`);
  await dialogue.expect(/^\+OK/);
  await dialogue.expect(/^\+OK maildrop/);
  return dialogue;
}

const client = { address: '192.0.2.7', port: 4711, session: 'abcdefgh23456789' };

test('a front-end logs a user in by its certificate, names the client, and is told of neither afterwards', async () => {
  const connection = await connectAs('fe1');
  assert.equal(await logInAtNode(connection, { address: 'external@example.com', password: undefined }, client), 'maildrop has 0 messages (0 octets)');
  await connection.write('CAPA\r\nXCLIENT ADDR=192.0.2.8\r\n');
  const lines: (string | undefined)[] = [];
  for (let line = await connection.readLine(); line !== '.'; line = await connection.readLine()) lines.push(line);
  assert.ok(lines.includes('SASL PLAIN LOGIN') && !lines.includes('XCLIENT'), String(lines));
  assert.match((await connection.readLine()) ?? '', /^-ERR XCLIENT is not allowed after login/);
  connection.destroy();
});

test('a front-end sees what it may do before login', async () => {
  const connection = await connectAs('fe1');
  await connection.write('CAPA\r\n');
  const lines: (string | undefined)[] = [];
  for (let line = await connection.readLine(); line !== '.'; line = await connection.readLine()) lines.push(line);
  assert.ok(lines.includes('SASL PLAIN LOGIN EXTERNAL') && lines.includes('XCLIENT'), String(lines));
  connection.destroy();
});

test('a front-end is referred to the node that keeps the account, and told of an outage as one', async () => {
  const connection = await connectAs('fe1');
  await assert.rejects(logInAtNode(connection, { address: 'elsewhere@example.com', password: undefined }, client), (thrown) => isFailure(thrown, 'not-kept-here') && thrown.node === 'be2');
  connection.destroy();
  const other = await connectAs('fe1');
  await assert.rejects(logInAtNode(other, { address: 'outage@example.com', password: undefined }, client), (thrown) => isFailure(thrown, 'backend-unavailable'));
  other.destroy();
});

test('nobody else may assert identities: no certificate, an unlisted front-end, a back-end, a listener that is not trusted', async () => {
  for (const [node, port] of [['nobody', server.ports.trusted], ['fe9', server.ports.trusted], ['be2', server.ports.trusted], ['fe1', server.ports.tls]] as const) {
    const connection = await connectAs(node, port);
    await connection.write(`AUTH EXTERNAL ${Buffer.from('external@example.com').toString('base64')}\r\nXCLIENT ADDR=192.0.2.7\r\n`);
    assert.match((await connection.readLine()) ?? '', /^\+OK/);
    assert.equal(await connection.readLine(), '-ERR no such mechanism', node);
    assert.equal(await connection.readLine(), '-ERR unknown command', node);
    connection.destroy();
  }
});

test('commands pipelined behind STLS in the clear are thrown away', async () => {
  const dialogue = await Dialogue.connect({ port: server.ports.plain });
  await dialogue.expect(/^\+OK/);
  dialogue.sayRaw('STLS\r\nCAPA\r\n');
  await dialogue.expect(/^\+OK begin TLS/);
  await dialogue.startTls();
  dialogue.say('NOOP');
  await dialogue.expect(/^-ERR NOOP is not allowed before login/);
  dialogue.close();
});

test('an overlong line is refused and ends the session', async () => {
  const dialogue = await Dialogue.connect({ port: server.ports.plain });
  await dialogue.expect(/^\+OK/);
  dialogue.sayRaw('x'.repeat(20_000));
  await dialogue.expect(/^-ERR line too long/);
  await dialogue.closed();
  dialogue.close();
});

test('a message that another session removed can not be read, and deleting it is no error', async () => {
  const address = 'gone@example.com';
  await deliver(server, address, Buffer.from('Subject: 1\r\n\r\n'), Buffer.from('Subject: 2\r\n\r\n'));
  const dialogue = await logIn(address);
  const inbox = await inboxOf(server, address);
  await inbox.expunge([1]);
  dialogue.say('RETR 1');
  await dialogue.expect(/^-ERR \[SYS\/PERM\] message 1 was removed by another session/);
  dialogue.sayRaw('DELE 1\r\nDELE 2\r\nQUIT\r\n');
  for (const pattern of [/^\+OK/, /^\+OK/, /^\+OK goodbye/]) await dialogue.expect(pattern);
  assert.deepEqual(inbox.rows(), []);
  dialogue.close();
});

test('QUIT counts of what the client was shown what is there still, neither what others removed nor what came meanwhile', async () => {
  const address = 'counted@example.com';
  await deliver(server, address, ...Array.from({ length: 5 }, (_, index) => Buffer.from(`Subject: ${String(index + 1)}\r\n\r\n`)));
  const dialogue = await logIn(address);
  const inbox = await inboxOf(server, address);
  await inbox.expunge([1, 5]);
  await deliver(server, address, Buffer.from('Subject: 6\r\n\r\n'));
  dialogue.sayRaw('DELE 1\r\nDELE 2\r\nQUIT\r\n');
  for (const pattern of [/^\+OK/, /^\+OK/, /^\+OK goodbye, 2 messages left$/]) await dialogue.expect(pattern);
  assert.deepEqual(inbox.uids(), [3, 4, 6]);
  dialogue.close();
});

test('what is asked for at once is answered in order, whatever happened in between, and what has left is marked as seen before QUIT is answered', async () => {
  const address = 'pipelined@example.com';
  const messages = ['plain', '.dots\r\n..\r\n.', `long ${'x'.repeat(200_000)}\r\n.end`, 'Grüße'].map((body, index) => Buffer.from(`Subject: ${index === 3 ? 'schöne ' : ''}${String(index + 1)}\r\n\r\n${body}\r\n`));
  await deliver(server, address, ...messages);
  const inbox = await inboxOf(server, address);
  const dialogue = await logIn(address);
  dialogue.sayRaw('RETR 1\r\nRETR 9\r\nRETR 3\r\nTOP 2 0\r\nRETR 4\r\nNOOP\r\nQUIT\r\n');
  const wire = (bytes: Buffer): string => bytes.toString('latin1').replace(/^\./gm, '..');
  const [one = '', , three = ''] = messages.map(wire);
  const retrieved = (text: string, octets: number): string => `+OK ${String(octets)} octets\r\n${text}.\r\n`;
  const four = `Subject: =?utf-8?B?${Buffer.from('schöne 4').toString('base64')}?=\r\n\r\n${Buffer.from('Grüße').toString('latin1')}\r\n`;
  const expected = [
    retrieved(one, messages[0]?.length ?? 0), '-ERR no such message, there are 4\r\n', retrieved(three, messages[2]?.length ?? 0),
    '+OK top of message follows\r\nSubject: 2\r\n\r\n.\r\n', retrieved(four, four.length), '+OK nothing done\r\n', '+OK goodbye, 4 messages left\r\n',
  ].join('');
  assert.equal((await dialogue.bytesUntil('messages left\r\n')).toString('latin1'), expected);
  assert.deepEqual(inbox.rows().map(({ flags }) => flags), [Flag.Seen, 0, Flag.Seen, Flag.Seen]);
  dialogue.close();
});

test('messages that are read along with the first come out as they are, and one that is removed between two commands is not sent', async () => {
  const address = 'along@example.com';
  const bodies = ['first', '.\r\n..dots\r\n.', 'no line end', 'a\n.bare', 'Grüße', ''];
  const messages = bodies.map((body, index) => Buffer.from(`Subject: ${String(index + 1)}\r\n\r\n${body}${index === 2 ? '' : '\r\n'}`));
  await deliver(server, address, ...messages);
  const inbox = await inboxOf(server, address);
  const dialogue = await logIn(address);
  const answer = (bytes: Buffer): string => `+OK ${String(bytes.length)} octets\r\n${bytes.toString('latin1').replace(/^\./gm, '..')}${bytes.toString().endsWith('\r\n') ? '' : '\r\n'}.\r\n`;
  dialogue.sayRaw(`${messages.map((_, index) => `RETR ${String(index + 1)}\r\n`).join('')}NOOP\r\n`);
  assert.equal((await dialogue.bytesUntil('nothing done\r\n')).toString('latin1'), `${messages.map(answer).join('')}+OK nothing done\r\n`);
  const trash = (await server.storage.createAccount(address)).mailbox('Trash');
  assert.ok(trash !== undefined);
  await inbox.moveTo([2], trash); // its bytes are there still
  dialogue.sayRaw('RETR 1\r\nRETR 2\r\nRETR 2 3\r\nRETR 3\r\nQUIT\r\n');
  const [one = Buffer.alloc(0), , three = Buffer.alloc(0)] = messages;
  assert.equal((await dialogue.bytesUntil('messages left\r\n')).toString('latin1'), [
    answer(one), '-ERR [SYS/PERM] message 2 was removed by another session\r\n', '-ERR the form is: RETR number\r\n', answer(three), '+OK goodbye, 5 messages left\r\n',
  ].join(''));
  assert.ok(inbox.rows().every(({ flags }) => flags === Flag.Seen));
  dialogue.close();
});

test('who is too slow to log in, or silent, is sent away', async () => {
  const impatient = await startServer({ limits: { loginTimeoutMs: 200, idleTimeoutMs: 300 } });
  try {
    const slow = await Dialogue.connect({ port: impatient.ports.plain });
    await slow.expect(/^\+OK/);
    await slow.closed();
    slow.close();
    await deliver(impatient, 'idle@example.com', Buffer.from('Subject: x\r\n\r\n'));
    const silent = await logIn('idle@example.com', impatient);
    silent.say('DELE 1');
    await silent.expect(/^\+OK/);
    await silent.closed();
    silent.close();
    assert.equal((await inboxOf(impatient, 'idle@example.com')).rows().length, 1, 'autologout removes nothing');
  } finally {
    await impatient.stop();
  }
});

test('when the service stops, sessions are told so and nothing is deleted', async () => {
  const stopping = await startServer();
  await deliver(stopping, 'stop@example.com', Buffer.from('Subject: x\r\n\r\n'));
  const dialogue = await logIn('stop@example.com', stopping);
  dialogue.say('DELE 1');
  await dialogue.expect(/^\+OK/);
  const stopped = stopping.service.stop(3000);
  await dialogue.expect(/^-ERR \[SYS\/TEMP\] server is going down/);
  await dialogue.closed();
  dialogue.close();
  await stopped;
  assert.equal((await inboxOf(stopping, 'stop@example.com')).rows().length, 1);
  await stopping.stop();
});

test('a client whose account went to another node is sent away at once; what it had marked as deleted stays', async () => {
  const address = 'leaving@example.com';
  const inbox = await inboxOf(server, address);
  await deliver(server, address, Buffer.from('Subject: one\r\n\r\n'));
  const dialogue = await logIn(address);
  dialogue.say('DELE 1');
  await dialogue.expect(/^\+OK/);
  await server.storage.markMoved(address, 'be2', 2);
  await dialogue.expect(/^-ERR \[SYS\/TEMP\] the mailbox has moved, nothing was deleted/);
  await dialogue.closed();
  assert.equal(inbox.rows().length, 1);
});

for (const end of ['release', 'seal'] as const) {
  test(`QUIT while the last bit of the account is moved waits for the end, which is a ${end}`, async () => {
    const address = `held-${end}@example.com`;
    const inbox = await inboxOf(server, address);
    await deliver(server, address, Buffer.from('Subject: one\r\n\r\n'));
    const dialogue = await logIn(address);
    dialogue.say('DELE 1');
    await dialogue.expect(/^\+OK/);
    const { leaving } = server.storage.transfers;
    await leaving.hold(address, { token: 'be2/1', forMs: 4000 });
    dialogue.say('QUIT');
    await sleep(200);
    assert.equal(inbox.rows().length, 1);
    if (end === 'release') await leaving.release(address, 'be2/1');
    else await leaving.seal(address, { token: 'be2/1', node: 'be2', epoch: 2 });
    await dialogue.expect(end === 'release' ? /^\+OK goodbye/ : /^-ERR \[SYS\/TEMP\]/);
    assert.equal(inbox.rows().length, end === 'release' ? 0 : 1);
    dialogue.close();
  });
}

test('what was retrieved counts as seen also where the session is ended with the answers still collected', async () => {
  const address = 'sent-away@example.com';
  await deliver(server, address, Buffer.from('Subject: one\r\n\r\nbody\r\n'));
  const dialogue = await logIn(address);
  dialogue.sayRaw(`RETR 1\r\n${'NONSENSE\r\n'.repeat(6)}`);
  for (const line of [/^\+OK 22 octets/, /^Subject: one/, /^$/, /^body/, /^\.$/]) await dialogue.expect(line);
  await dialogue.closed();
  const inbox = await inboxOf(server, address);
  for (const deadlineMs = performance.now() + 10_000; ((inbox.row(1)?.flags ?? 0) & Flag.Seen) === 0; await sleep(10)) assert.ok(performance.now() < deadlineMs, 'it is not seen');
});
