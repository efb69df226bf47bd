/** How long a message may take to come in, and that it may take longer to be taken. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
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
