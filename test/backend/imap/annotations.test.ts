/** What METADATA refuses because it is too much, and values of any bytes (RFC 5464 sections 4.1 and 4.3). */
import { test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { password, startServer } from './harness.ts';

test('Annotations that are too long or too many are refused with their codes; a value may hold any bytes.', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const client = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  t.after(() => client.close());
  client.say(`a LOGIN annotations@example.com "${password}"`);
  await client.until(/^a OK/);
  for (const size of [32 * 1024 + 1, 70 * 1024]) {
    client.sayRaw(`b SETMETADATA INBOX (/private/comment {${String(size)}+}\r\n${'x'.repeat(size)})\r\n`);
    await client.expect(/^b NO \[METADATA MAXSIZE 32768\]/);
  }
  client.sayRaw(`c SETMETADATA INBOX (/private/comment {${String(32 * 1024)}+}\r\n${'x'.repeat(32 * 1024)})\r\n`);
  await client.expect(/^c OK/);
  const many = Array.from({ length: 99 }, (_, index) => `/private/vendor/a/${String(index)} "x"`).join(' ');
  client.say(`d SETMETADATA INBOX (${many})`);
  await client.expect(/^d OK/);
  client.say('e SETMETADATA INBOX (/private/vendor/a/0 "changed" /shared/comment "one more")');
  await client.expect(/^e NO \[METADATA TOOMANY\]/);
  client.say('f GETMETADATA INBOX (/private/vendor/a/0 /shared/comment)');
  await client.expect(/^\* METADATA INBOX \(\/private\/vendor\/a\/0 "x" \/shared\/comment NIL\)$/);
  await client.expect(/^f OK/);
  client.sayRaw('g SETMETADATA INBOX (/private/comment ~{4+}\r\n\0\x01\0z)\r\n');
  await client.expect(/^g OK/);
  client.say('h GETMETADATA INBOX /private/comment');
  await client.expect(/^\* METADATA INBOX \(\/private\/comment ~\{4\}$/);
  await client.expect(/^\0\x01\0z\)$/);
  await client.expect(/^h OK/);
  client.sayRaw('i SETMETADATA INBOX (/private/comment {3+}\r\na\0b)\r\n');
  await client.expect(/^i BAD NUL/);
});
