/** COMPRESS=DEFLATE (RFC 4978) on real connections: what it carries, what it refuses, and what hostile streams can do. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import * as zlib from 'node:zlib';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

let server: TestServer;

before(async () => {
  server = await startServer();
});
after(async () => server.stop());

async function logIn(user: string, port: 'tls' | 'startTls' = 'tls'): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: server.ports[port], tls: port === 'tls' ? 'implicit' : 'none' });
  if (port === 'startTls') {
    dialogue.say('s STARTTLS');
    await dialogue.until(/^s OK/);
    await dialogue.startTls();
  }
  dialogue.say(`l LOGIN ${user}@example.com "${password}"`);
  await dialogue.until(/^l OK .*COMPRESS=DEFLATE/);
  return dialogue;
}

test('Everything passes compressed in both directions, above TLS, with every answer whole as soon as it is said.', { timeout: 60_000 }, async () => {
  const dialogue = await logIn('whole', 'startTls');
  await dialogue.startDeflate();
  dialogue.say('a SELECT INBOX');
  await dialogue.until(/^a OK/);
  const message = Buffer.concat([messageAbout('compressed'), Buffer.from(randomBytes(700_000).toString('base64').replaceAll(/(.{76})/g, '$1\r\n'))]);
  dialogue.say(`b APPEND INBOX {${String(message.length)}}`);
  await dialogue.expect(/^\+ /);
  dialogue.sayRaw(message);
  dialogue.say('');
  await dialogue.until(/^b OK/);
  dialogue.say('c FETCH 1 BODY.PEEK[]');
  await dialogue.expect(new RegExp(`^\\* 1 FETCH \\(BODY\\[\\] \\{${String(message.length)}\\}$`));
  assert.ok((await dialogue.bytes(message.length)).equals(message));
  await dialogue.until(/^c OK/);
  dialogue.say('d IDLE');
  await dialogue.expect(/^\+ /);
  await deliver({ storage: server.storage, address: 'whole@example.com', mailbox: 'INBOX' }, messageAbout('news'));
  await dialogue.expect(/^\* 2 EXISTS/);
  dialogue.say('DONE');
  await dialogue.until(/^d OK/);
  dialogue.say('e COMPRESS DEFLATE');
  await dialogue.expect(/^e BAD DEFLATE is active already/);
  dialogue.say('f LOGOUT');
  await dialogue.expect(/^\* BYE/);
  await dialogue.expect(/^f OK/);
  await dialogue.closed();
});

test('COMPRESS is refused before login, for other algorithms and with other words.', async () => {
  const early = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  early.say('a COMPRESS DEFLATE');
  await early.until(/^a BAD/);
  early.close();
  const dialogue = await logIn('refused');
  for (const words of ['LZW', 'DEFLATE x', '']) {
    dialogue.say(`b COMPRESS ${words}`);
    await dialogue.expect(/^b BAD/);
  }
  dialogue.say('c NOOP');
  await dialogue.expect(/^c OK/);
  dialogue.close();
});

test('What is no DEFLATE stream ends the session with the reason, also what a client said too early.', async () => {
  const garbled = await logIn('garbled');
  const sink = await garbled.startDeflate();
  sink.unpipe();
  sink.destroy();
  garbled.sayPast(Buffer.from('x NOOP\r\nand so on\r\n'));
  await garbled.expect(/^\* BAD that is no DEFLATE stream/);
  await garbled.expect(/^\* BYE/);
  await garbled.closed();
  const early = await logIn('early');
  early.sayRaw('a COMPRESS DEFLATE\r\nb NOOP\r\n');
  await early.expect(/^a OK/);
  await early.closed();
});

test('A client that ends its compressed stream, in order or not, ends its session alone.', async () => {
  const ordered = await logIn('ordered');
  (await ordered.startDeflate()).end();
  await ordered.closed();
  const cut = await logIn('cut');
  await cut.startDeflate();
  cut.say('a SELECT INBOX');
  cut.close();
  const other = await logIn('other');
  other.say('a NOOP');
  await other.expect(/^a OK/);
  other.close();
});

test('A stream of some hundred kilobytes that unfolds to hundreds of megabytes is read no further than its first line may go.', { timeout: 60_000 }, async () => {
  const bomb = await logIn('bomb');
  const sink = await bomb.startDeflate();
  sink.unpipe();
  const folded = zlib.deflateRawSync(Buffer.alloc(400 * 1024 * 1024, 'x'), { level: 9, finishFlush: zlib.constants.Z_SYNC_FLUSH });
  assert.ok(folded.length < 500_000);
  const before = process.memoryUsage();
  bomb.sayPast(folded);
  await bomb.expect(/^\* BAD line too long/);
  await bomb.closed();
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 20 * 1024 * 1024, `${String(after.arrayBuffers - before.arrayBuffers)} bytes more`);
});
