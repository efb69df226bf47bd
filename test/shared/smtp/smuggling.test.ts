/** Lines that two servers could read differently never get through, however the bytes are cut. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dialogue } from '../../harness/dialogue.ts';
import { startRecordingServer } from './recording-server.ts';
import type { Recorded } from './recording-server.ts';

const smuggled = 'MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@example.com>\r\nDATA\r\nfake\r\n';

const falseEnds: readonly [string, string][] = [
  ['LF . LF', '\n.\n'], ['LF . CRLF', '\n.\r\n'], ['CRLF . LF', '\r\n.\n'], ['CR . CR', '\r.\r'], ['CR . CRLF', '\r.\r\n'], ['CRLF . CR', '\r\n.\rx'],
  ['CRLF . CRCRLF', '\r\n.\r\r\n'], ['CRLF NUL . CRLF', '\r\n\0.\r\n'],
];

async function inTransaction(t: TestContext): Promise<[Recorded, Dialogue]> {
  const server = await startRecordingServer(t);
  const client = await Dialogue.connect({ port: server.port });
  t.after(() => client.close());
  await client.reply(220);
  await client.ask('EHLO client.example.net', 250);
  await client.ask('MAIL FROM:<s@example.net>', 250);
  await client.ask('RCPT TO:<r@example.com>', 250);
  await client.ask('DATA', 354);
  return [server, client];
}

for (const [name, end] of falseEnds) {
  test(`a message with ${name} in it is refused whole, and what follows is no command`, async (t) => {
    const [server, client] = await inTransaction(t);
    client.sayRaw(`Subject: x\r\n\r\nbody${end}${smuggled}.\r\n`);
    const [answer] = await client.reply(550);
    assert.match(answer ?? '', /^550 5\.6\.0 (bare <(CR|LF)>|NUL) in the message/);
    await client.ask('NOOP', 250);
    assert.deepEqual(server.events, ['mail s@example.net', 'rcpt r@example.com']);
    assert.deepEqual(server.messages, []);
  });
}

test('a defect is found when the bytes come one by one', async (t) => {
  const [server, client] = await inTransaction(t);
  for (const byte of 'a\r\n.\nb\r\n.\r\n') {
    client.sayRaw(byte);
    await sleep(2);
  }
  await client.reply(550);
  assert.deepEqual(server.messages, []);
});

test('a message of clean lines passes byte for byte, dots at line starts included', async (t) => {
  const [server, client] = await inTransaction(t);
  client.sayRaw('..\r\n...\r\nx.\r\n\r\n..end\r\n.\r\n');
  await client.reply(250);
  assert.deepEqual(server.messages, ['.\r\n..\r\nx.\r\n\r\n.end\r\n']);
});

for (const [name, bytes] of [['LF', 'MAIL FROM:<s@example.net>\n'], ['CR', 'NOOP\rMAIL FROM:<s@example.net>\r\n'], ['NUL', 'NOOP\0\r\n']] as const) {
  test(`a command with a bare ${name} is refused and not run`, async (t) => {
    const server = await startRecordingServer(t);
    const client = await Dialogue.connect({ port: server.port });
    await client.reply(220);
    await client.ask('EHLO client.example.net', 250);
    client.sayRaw(bytes);
    await client.reply(/^500 5\.5\.2 (bare <(CR|LF)>|NUL) received/);
    await client.closed();
    assert.deepEqual(server.events.filter((event) => event.startsWith('mail')), []);
  });
}

test('an unfinished command at the end of the stream is not run', async (t) => {
  const server = await startRecordingServer(t);
  const socket = net.connect(server.port, '127.0.0.1');
  await once(socket, 'data');
  socket.end('EHLO c\r\nMAIL FROM:<s@example.net>');
  await once(socket, 'close');
  await sleep(20);
  assert.deepEqual(server.events, ['close cut']);
});

test('pipelined commands and message in one segment are taken in their order', async (t) => {
  const server = await startRecordingServer(t);
  const client = await Dialogue.connect({ port: server.port });
  await client.reply(220);
  client.sayRaw('EHLO c\r\nMAIL FROM:<s@example.net>\r\nRCPT TO:<r@example.com>\r\nDATA\r\nhello\r\n.\r\nNOOP\r\nQUIT\r\n');
  for (const code of [250, 250, 250, 354, 250, 250, 221]) await client.reply(code);
  await client.closed();
  assert.deepEqual(server.messages, ['hello\r\n']);
});

test('replies to commands that came in one segment leave in one, and none waits for a command that is not whole yet', { timeout: 20_000 }, async (t) => {
  const server = await startRecordingServer(t, { handlers: { recipient: async () => sleep(50) } }); // a reply that did not wait would be here long before
  const socket = net.connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const heard = async (): Promise<string> => String((await once(socket, 'data'))[0]);
  await heard();
  socket.write('EHLO c\r\n');
  await heard();
  socket.write('MAIL FROM:<s@example.net>\r\nRCPT TO:<r@example.com>\r\nDATA\r\n');
  assert.match(await heard(), /^250 .*\r\n250 .*\r\n354 .*\r\n$/);
  socket.write('hello\r\n.\r\n');
  await heard();
  socket.write('MAIL FROM:<s@example.net>\r\nRCPT TO:<r@exa');
  assert.match(await heard(), /^250 .*\r\n$/);
  socket.write('mple.com>\r\nBDAT 5\r\nhe');
  assert.match(await heard(), /^250 .*\r\n$/, 'the chunk is not whole');
  socket.write('llo');
  assert.match(await heard(), /^250 .*5 octets.*\r\n$/);
});
