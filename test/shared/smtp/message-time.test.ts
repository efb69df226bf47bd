/** How long a message may take to come in, and that it may take longer to be taken. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeReply } from '../../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../../shared/smtp/refusal.ts';
import { greeted, startRecordingServer, takingItsTime, toData } from './recording-server.ts';

test('a message that takes too long is cut off', async (t) => {
  const server = await startRecordingServer(t, { limits: { maxDataMs: 100 } });
  const client = await greeted(t, server.port);
  await toData(client);
  client.sayRaw('slow\r\n');
  await client.reply(/^421 4\.4\.2 /);
  assert.deepEqual(server.messages, []);
});

test('a message that came in time is answered however long it takes to be taken', async (t) => {
  const server = await startRecordingServer(t, { limits: { maxDataMs: 200 }, handlers: { message: takingItsTime('taken after all') } });
  const client = await greeted(t, server.port);
  await toData(client);
  client.sayRaw('in time\r\n.\r\n');
  await client.reply(/^250 2\.6\.0 taken after all/);
});

test('a message that is refused before its end has no more time than another', async (t) => {
  const refuse = async (): Promise<never> => {
    await Promise.resolve();
    throw new SmtpRefused('message', makeReply(554, '5.7.1', 'not this one'));
  };
  for (const how of ['DATA', 'BDAT'] as const) {
    const server = await startRecordingServer(t, { limits: { maxDataMs: 200 }, handlers: { message: refuse } });
    const client = await greeted(t, server.port);
    await client.ask('EHLO c', 250);
    await client.ask('MAIL FROM:<s@example.net>', 250);
    await client.ask('RCPT TO:<r@example.com>', 250);
    if (how === 'DATA') await client.ask('DATA', 354);
    else client.sayRaw('BDAT 1000000\r\n');
    const drip = new AbortController();
    const dripping = (async () => {
      for (let turn = 0; turn < 100 && !drip.signal.aborted; turn += 1) {
        client.sayRaw('x'); // never silent
        await sleep(20);
      }
    })();
    await client.reply(/^421 4\.4\.2 /);
    drip.abort();
    await dripping;
    await client.closed();
  }
});
