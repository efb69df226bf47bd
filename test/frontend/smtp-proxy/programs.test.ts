/** Programs that people use get through: swaks in the clear, curl over TLS. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startCluster } from './cluster.ts';

async function run(program: string, words: readonly string[], input = ''): Promise<void> {
  const running = promisify(execFile)(program, words, { timeout: 60_000 });
  running.child.stdin?.end(input);
  await running;
}

const letter = 'Subject: by curl\r\n\r\n.dot\r\n';

async function curl(...words: string[]): Promise<void> {
  await run('curl', ['-sS', '--insecure', '--ssl-reqd', '--upload-file', '-', ...words], letter);
}

test('swaks brings mail to the MX, pipelined, for users of both back-ends', async (t) => {
  const cluster = await startCluster(t);
  const words = ['--server', '127.0.0.1', '--port', String(cluster.mx), '--helo', 'laptop.example.net', '--from', 's@example.net', '--to', 'alice@example.com,bob@example.com'];
  await run('swaks', [...words, '--pipeline']);
  assert.deepEqual(cluster.be1.messages.map(({ recipients }) => recipients), [['alice@example.com', 'bob@example.com']]);
});

test('curl brings mail to the MX under STARTTLS', async (t) => {
  const cluster = await startCluster(t);
  await curl(`smtp://127.0.0.1:${String(cluster.mx)}/laptop.example.net`, '--mail-from', 's@example.net', '--mail-rcpt', 'bob@example.com');
  assert.deepEqual(cluster.be2.messages.map(({ text }) => text), [letter]);
  assert.equal(cluster.be2.mails[0]?.peer.protocol, 'ESMTPS');
});

test('curl submits on 587 and 465, with PLAIN and LOGIN', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const who = ['--mail-from', 'alice@example.com', '--mail-rcpt', 'x@example.org', '--user', 'alice@example.com:secret'];
  await curl(`smtp://127.0.0.1:${String(cluster.submission)}`, '--login-options', 'AUTH=PLAIN', ...who);
  await curl(`smtps://127.0.0.1:${String(cluster.submissions)}`, '--login-options', 'AUTH=LOGIN', ...who);
  assert.deepEqual(cluster.be1.messages.map(({ text }) => text), [letter, letter]);
});
