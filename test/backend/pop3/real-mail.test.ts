/** Real messages through curl, byte for byte, and big ones to slow clients within bounds of memory. */
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import { Flag } from '../../../backend/storage/storage.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';
import type { Part } from '../../../shared/mime/structure.ts';
import { readRealMail, realMailNames } from '../../shared/mime/real-mail.ts';
import { deliver, inboxOf, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

const run = promisify(execFile);
let server: TestServer;

before(async () => {
  server = await startServer();
});
after(async () => server.stop());

test('curl fetches every real message over pop3s as it was delivered, and they are seen then', { timeout: 60_000 }, async () => {
  const address = 'curl@example.com';
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-curl-'));
  try {
    const messages = realMailNames.map(readRealMail);
    await deliver(server, address, ...messages);
    const url = `pop3s://127.0.0.1:${String(server.ports.tls)}`;
    const login = ['--silent', '--show-error', '--insecure', '--user', `${address}:${password}`];
    const list = await run('curl', [...login, url]);
    assert.deepEqual(list.stdout.trim().split(/\r?\n/), messages.map((message, index) => `${String(index + 1)} ${String(message.length)}`));
    await run('curl', [...login, `${url}/[1-${String(messages.length)}]`, '--output', path.join(folder, '#1')]);
    for (const [index, message] of messages.entries()) {
      const fetched = fs.readFileSync(path.join(folder, String(index + 1)));
      if (hasUtf8Header(message)) assert.doesNotMatch(fetched.toString('latin1', 0, scanMessage(fetched).root.bodyStart), /[\x80-\xff]/, realMailNames[index]);
      else assert.ok(fetched.equals(withLineEnd(message)), realMailNames[index]);
    }
    const inbox = await inboxOf(server, address);
    assert.equal(inbox.rows().filter((row) => (row.flags & Flag.Seen) === 0).length, 0);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('who has said UTF8 gets every real message as it was delivered', { timeout: 60_000 }, async () => {
  const address = 'utf8@example.com';
  const messages = realMailNames.map(readRealMail);
  assert.ok(messages.some(hasUtf8Header));
  await deliver(server, address, ...messages);
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.sayRaw(`UTF8\r\nUSER ${address}\r\nPASS ${password}\r\n`);
  await dialogue.until(/^\+OK maildrop/);
  for (const [index, message] of messages.entries()) {
    dialogue.say(`RETR ${String(index + 1)}`);
    await dialogue.expect(new RegExp(`^\\+OK ${String(message.length)} octets`));
    const sent = (await dialogue.bytesUntil('\r\n.\r\n')).toString('latin1').slice(0, -3).replaceAll('\n..', '\n.');
    assert.equal(sent.replace(/^\.\./, '.'), withLineEnd(message).toString('latin1'), realMailNames[index]);
  }
  dialogue.close();
});

/** The response ends with CRLF in any case (RFC 1939 section 3). */
function withLineEnd(message: Buffer): Buffer {
  return message.toString('latin1').endsWith('\r\n') ? message : Buffer.concat([message, Buffer.from('\r\n')]);
}

/** In any part: such a message is sent otherwise to who has not said UTF8. */
function hasUtf8Header(message: Buffer): boolean {
  const isIn = (part: Part): boolean => hasUtf8Field(message.subarray(part.headerStart, part.bodyStart)) || part.children.some(isIn);
  return isIn(scanMessage(message).root);
}

function hasUtf8Field(header: Buffer): boolean {
  return header.toString('latin1').split(/\r\n(?![ \t])/).some((field) => /[\x80-\xff]/.test(field) && isUtf8(Buffer.from(field, 'latin1')));
}

test('curl logs in after STLS', async () => {
  await deliver(server, 'stls@example.com', Buffer.from('Subject: x\r\n\r\nhello\r\n'));
  const { stdout } = await run('curl', [
    '--silent', '--show-error', '--insecure', '--ssl-reqd', '--user', `stls@example.com:${password}`, `pop3://127.0.0.1:${String(server.ports.plain)}/1`,
  ]);
  assert.equal(stdout, 'Subject: x\r\n\r\nhello\r\n');
});

test('a big message waits for a slow client outside of memory, and arrives whole', { timeout: 60_000 }, async () => {
  const address = 'slow@example.com';
  const message = Buffer.from(`Subject: big\r\n\r\n${`.${'x'.repeat(70)}\r\n`.repeat(600_000)}`);
  await deliver(server, address, message);
  const socket = tls.connect({ host: '127.0.0.1', port: server.ports.tls, rejectUnauthorized: false });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  socket.write(`USER ${address}\r\nPASS ${password}\r\nRETR 1\r\nQUIT\r\n`);
  const before = process.memoryUsage().arrayBuffers;
  await sleep(500);
  const held = process.memoryUsage().arrayBuffers - before;
  assert.ok(held < 16 * 1024 * 1024, `holds ${String(held)} bytes for a client that reads nothing`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const received = Buffer.concat(chunks).toString('latin1');
  const body = received.slice(received.indexOf('octets\r\n') + 8, received.lastIndexOf('\r\n.\r\n+OK goodbye') + 2);
  assert.equal(body.replaceAll('\n..', '\n.').length, message.length);
  assert.ok(Buffer.from(body.replaceAll('\n..', '\n.'), 'latin1').equals(message));
});
