/** A message that holds NUL (RFC 3516, RFC 9051 section 4.3): it comes in and goes out as a literal8. */
import { test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { password, startServer } from './harness.ts';

test('BINARY[] of a message that holds NUL is a literal8, and a literal of one that does not, or where none is in the part that is asked for.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const client = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  t.after(() => client.close());
  client.say(`a LOGIN nul@example.com "${password}"`);
  await client.until(/^a OK/);
  client.sayRaw('b APPEND INBOX ~{11+}\r\nA: b\r\n\r\nx\0y\r\nc APPEND INBOX {10+}\r\nA: b\r\n\r\nxy\r\nd SELECT INBOX\r\n');
  await client.until(/^d OK/);
  client.say('e FETCH 1 (BINARY.PEEK[] BINARY.PEEK[]<0.9> BINARY.SIZE[])');
  for (const line of [/^\* 1 FETCH \(BINARY\[\] ~\{11\}$/, /^A: b$/, /^$/, /^x\0y BINARY\[\]<0> \{9\}$/, /^A: b$/, /^$/, /^x BINARY\.SIZE\[\] 11\)$/, /^e OK/]) await client.expect(line);
  client.say('f FETCH 2 BINARY.PEEK[]');
  for (const line of [/^\* 2 FETCH \(BINARY\[\] \{10\}$/, /^A: b$/, /^$/, /^xy\)$/, /^f OK/]) await client.expect(line);
});
