/** A file of messages that is gone: who reads from it is told so, and goes on with what the index keeps (docs/durability.md). */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { deliver, password, startServer } from './harness.ts';

const refused = /^[a-z] NO \[UNAVAILABLE\] the message cannot be read/;

test('FETCH of bytes that are gone is refused, and the session goes on', { timeout: 30_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const text = `Subject: lost\r\n\r\n${'Body.\r\n'.repeat(100_000)}`;
  await deliver({ storage: server.storage, address: 'ann@example.com', mailbox: 'INBOX' }, Buffer.from(text));
  const packs = join(server.directory, 'packs');
  for (const name of readdirSync(packs)) rmSync(join(packs, name));
  const client = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  t.after(() => client.close());
  client.say(`a LOGIN ann@example.com "${password}"`);
  await client.until(/^a OK/);
  client.say('b SELECT INBOX');
  await client.until(/^b OK/);
  for (const item of ['BODY.PEEK[]', 'BODY.PEEK[TEXT]', 'BODY.PEEK[]<5.10>', 'BINARY.PEEK[]', 'BODY.PEEK[HEADER]']) {
    client.say(`c FETCH 1 (UID ${item})`);
    assert.match(await client.line(), refused, item);
  }
  client.say('d FETCH 1 (RFC822.SIZE ENVELOPE)');
  await client.expect(new RegExp(`^\\* 1 FETCH \\(RFC822\\.SIZE ${String(text.length)} ENVELOPE \\(NIL "lost" `));
  await client.expect(/^d OK/);
});
