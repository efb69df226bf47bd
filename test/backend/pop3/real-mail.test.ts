/** Real messages through curl, byte for byte, and big ones to slow clients within bounds of memory. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import { Flag } from '../../../backend/storage/storage.ts';
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
      // The response ends with CRLF in any case (RFC 1939 section 3).
      const expected = message.toString('latin1').endsWith('\r\n') ? message : Buffer.concat([message, Buffer.from('\r\n')]);
      assert.ok(fetched.equals(expected), realMailNames[index]);
    }
    const inbox = await inboxOf(server, address);
    assert.equal(inbox.rows().filter((row) => (row.flags & Flag.Seen) === 0).length, 0);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

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
