/** A client library that people use (imapflow) does its daily work on our server. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { ImapFlow } from 'imapflow';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

let server: TestServer;

before(async () => {
  server = await startServer();
});
after(async () => server.stop());

async function connect(user: string, options: { readonly qresync?: boolean; readonly port?: number; readonly secure?: boolean } = {}): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: '127.0.0.1', port: options.port ?? server.ports.tls, secure: options.secure ?? true, tls: { rejectUnauthorized: false },
    auth: { user, pass: password }, logger: false, qresync: options.qresync ?? false,
  });
  await client.connect();
  return client;
}

test('imapflow lists, appends, fetches, flags, searches, moves and deletes.', { timeout: 60_000 }, async () => {
  const client = await connect('flow@example.com', { port: server.ports.startTls, secure: false });
  const names = (await client.list()).map(({ path, specialUse }) => `${path} ${specialUse}`);
  assert.deepEqual(names.toSorted(), ['Drafts \\Drafts', 'INBOX \\Inbox', 'Junk \\Junk', 'Sent \\Sent', 'Trash \\Trash']);
  await client.mailboxCreate('Entwürfe/2026');
  const appended = await client.append('INBOX', messageAbout('one'), ['\\Seen', '$Label'], new Date('2026-02-01T12:00:00Z'));
  assert.ok(appended !== false && appended.uid === 1);
  await client.append('INBOX', messageAbout('two'));
  const lock = await client.getMailboxLock('INBOX');
  try {
    const one = await client.fetchOne('1', { envelope: true, bodyStructure: true, flags: true, source: true, internalDate: true, uid: true });
    assert.ok(one !== false);
    assert.equal(one.envelope?.subject, 'one');
    assert.equal(one.envelope.from?.[0]?.address, 'ann@example.org');
    assert.deepEqual([...(one.flags ?? [])].toSorted(), ['$Label', '\\Seen']);
    assert.ok(one.source?.equals(messageAbout('one')));
    assert.equal(new Date(one.internalDate ?? 0).toISOString(), '2026-02-01T12:00:00.000Z');
    await client.messageFlagsAdd('2', ['\\Flagged']);
    assert.deepEqual(await client.search({ flagged: true }), [2]);
    assert.deepEqual(await client.search({ body: 'of ONE' }), [1]);
    const moved = await client.messageMove('1', 'Entwürfe/2026');
    assert.ok(moved !== false && moved.uidMap?.get(1) === 1);
    assert.equal(client.mailbox !== false && client.mailbox.exists, 1);
    await client.messageDelete('1:*');
    assert.equal(client.mailbox !== false && client.mailbox.exists, 0);
  } finally {
    lock.release();
  }
  const status = await client.status('Entwürfe/2026', { messages: true, uidNext: true });
  assert.ok(status !== false && status.messages === 1);
  await client.mailboxRename('Entwürfe/2026', 'Pläne');
  await client.mailboxDelete('Pläne');
  await client.logout();
});

test('A client in IDLE hears of a new message within a second.', { timeout: 60_000 }, async () => {
  const client = await connect('idle@example.com', { qresync: true });
  await client.mailboxOpen('INBOX');
  const heard = new Promise<number>((resolve) => {
    client.on('exists', () => resolve(performance.now()));
  });
  const idling = client.idle();
  await sleep(200);
  const sent = performance.now();
  await deliver({ storage: server.storage, address: 'idle@example.com', mailbox: 'INBOX' }, messageAbout('news'));
  const latencyMs = (await heard) - sent;
  assert.ok(latencyMs < 1000, `${String(latencyMs)} ms`);
  await client.logout();
  await idling;
});
