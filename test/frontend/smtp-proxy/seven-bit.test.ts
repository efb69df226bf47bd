/** A mailbox on a foreign server without 8BITMIME, at a front-end that has no back-end to convert messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { mxClient, sendMessage, startCluster } from './cluster.ts';

test('8-bit bytes are never sent to a server that takes 7-bit messages only; other messages go there', async (t) => {
  const taken: string[] = [];
  const server = new SMTPServer({
    authOptional: true, hide8BITMIME: true, disabledCommands: ['STARTTLS', 'AUTH'], disableReverseLookup: true,
    onData: (stream, _, done) => {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        taken.push(Buffer.concat(pieces).toString());
        done();
      });
    },
  });
  server.on('error', () => undefined); // of a line that is cut in the middle of a message
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close(() => undefined));
  const { port } = server.server.address() as AddressInfo;
  const foreign = { node: 'old.example', host: '127.0.0.1', port, tls: undefined, foreign: { protocol: 'smtp', startTls: 'none', tlsOptions: {}, proxyProtocol: 'none' } } as const;
  const cluster = await startCluster(t, { backends: { lmtp: () => foreign, submission: () => undefined, custodians: () => [] } });
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com'], 'Subject: plain\r\n\r\nbody\r\n');
  await client.reply(250);
  await sendMessage(client, ['alice@example.com'], 'Subject: eight\r\n\r\nk\u00f6rper\r\n');
  await client.reply(/^554 5\.6\.3 /);
  await client.ask('QUIT', 221);
  assert.deepEqual(taken.filter((text) => text.includes('Subject: plain')).length, 1);
  assert.ok(!taken.some((text) => text.includes('rper')));
});
