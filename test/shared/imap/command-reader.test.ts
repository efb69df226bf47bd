/** Commands put together from the stream: literals, limits, and any splitting of the bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCommand } from '../../../shared/imap/command-reader.ts';
import type { ByteSource, ReadCommand } from '../../../shared/imap/command-reader.ts';
import { listen } from '../../../shared/net/listener.ts';
import { Connection } from '../../../shared/net/connection.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import { createLog } from '../../../shared/log/log.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import * as net from 'node:net';

const { be1 } = await makeCertificates({ be1: 'backend' });

/** Sends the chunks over a real socket, each by itself, and reads all commands at the other end. */
async function readAll(chunks: readonly Buffer[]): Promise<{ readonly commands: ReadCommand[]; readonly invitations: number }> {
  if (be1 === undefined) throw new Error('no certificate');
  const log = createLog({ node: 'test', level: 'silent' });
  const accepted = Promise.withResolvers<net.Socket>();
  const listener = await listen({ host: '127.0.0.1', port: 0, tls: 'none', serverTls: createServerTls(be1), requestCertificate: 'no', protocol: 'imap', log }, accepted.resolve);
  const client = net.connect({ port: listener.port, host: '127.0.0.1', noDelay: true });
  const socket = await accepted.promise;
  const connection = new Connection(socket, { maxLineBytes: 1000, idleTimeoutMs: 5000 });
  const reading = readToEnd(connection);
  for (const chunk of chunks) {
    await new Promise<void>((resolve) => client.write(chunk, () => setImmediate(resolve)));
  }
  client.end();
  try {
    return await reading;
  } finally {
    client.destroy();
    connection.destroy();
    await listener.close();
  }
}

async function readToEnd(source: ByteSource): Promise<{ readonly commands: ReadCommand[]; readonly invitations: number }> {
  const commands: ReadCommand[] = [];
  let invitations = 0;
  const invite = async (): Promise<void> => {
    invitations += 1;
    await Promise.resolve();
  };
  for (;;) {
    const command = await readCommand(source, { maxBytes: 200, maxDiscardedBytes: 500, invite, takesOver: (text) => text.startsWith('big ') });
    commands.push(command);
    if (command.kind === 'end' || command.kind === 'hopeless') return { commands, invitations };
    if (command.kind === 'literal') for await (const piece of source.readStream(command.literal.size)) void piece;
  }
}

const stream =
  'a1 NOOP\r\na2 LOGIN {3}\r\nann {4+}\r\n{9}\r\r\nbig APPEND INBOX {12}\r\nHello\r\nWorld\r\n' +
  `a3 ${'x'.repeat(300)}\r\na4 SEARCH TEXT {300+}\r\n${'y'.repeat(300)} {2+}\r\nzz\r\na5 {300}\r\n\na6 ~{2}\r\n\0\n\na7 unfinished`;

const expected: ReadCommand[] = [
  { kind: 'command', text: 'a1 NOOP' },
  { kind: 'command', text: 'a2 LOGIN {3}\r\nann {4+}\r\n{9}\r' },
  { kind: 'literal', text: 'big APPEND INBOX ', literal: { size: 12, kind: 'synchronizing', holds: 'text' } },
  { kind: 'command', text: '' },
  { kind: 'too-long', text: `a3 ${'x'.repeat(197)}` },
  { kind: 'too-long', text: 'a4 SEARCH TEXT {300+}' },
  { kind: 'too-long', text: 'a5 {300}' },
  { kind: 'command', text: '' },
  { kind: 'command', text: 'a6 ~{2}\r\n\0\n' },
  { kind: 'end' },
];

test('Every splitting of the stream into pieces gives the same commands.', { timeout: 60_000 }, async () => {
  const bytes = Buffer.from(stream, 'latin1');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 30 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      const { commands, invitations } = await readAll(chunks);
      assert.deepEqual(commands, expected);
      assert.equal(invitations, 2);
    }),
    { numRuns: 25 },
  );
});

test('One byte at a time gives the same commands, too.', { timeout: 60_000 }, async () => {
  const { commands } = await readAll([...Buffer.from(stream, 'latin1')].map((byte) => Buffer.from([byte])));
  assert.deepEqual(commands, expected);
});

test('A refused literal that is too long to be read past ends the matter.', async () => {
  const { commands } = await readAll([Buffer.from('a1 X {501+}\r\n')]);
  assert.deepEqual(commands, [{ kind: 'hopeless', text: 'a1 X {501+}' }]);
});
