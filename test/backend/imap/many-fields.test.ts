/** A header with more fields than any mail program writes: FETCH takes it apart piece by piece, and tells what it tells of any. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { countTurns } from '../../harness/event-loop-turns.ts';
import { deliver, password, startServer } from './harness.ts';

const count = 30_000;
const fields = Array.from({ length: count }, (_, index) => `X-${String(index)}: a\r\n${index % 4096 < 2 || index % 4096 === 4095 ? '\tfolded\r\n' : ''}`);

test('Of a header with many thousand fields each is found, and the process has its turns meanwhile', { timeout: 60_000 }, async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  await deliver({ storage: server.storage, address: 'many@example.com', mailbox: 'INBOX' }, Buffer.from(`${fields.join('')}\r\nBody.\r\n`));
  const client = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  t.after(() => client.close());
  client.say(`a LOGIN many@example.com "${password}"`);
  await client.until(/^a OK/);
  client.say('b SELECT INBOX');
  await client.until(/^b OK/);
  const fetched = async (section: string): Promise<string> => {
    client.say(`c FETCH 1 (BODY.PEEK[${section}])`);
    const [, size = ''] = await client.expect(/^\* 1 FETCH .*\{(\d+)\}$/);
    const bytes = await client.bytes(Number(size));
    await client.expect(/^\)$/);
    await client.expect(/^c OK/);
    return bytes.toString('latin1');
  };
  const wanted = [0, 4095, 4096, 8191, 8192, count - 1];
  const names = wanted.map((index) => `X-${String(index)}`).join(' ');
  mock.method(performance, 'now', ((now: () => number) => {
    let passedMs = 0;
    return () => now() + (passedMs += 20); // each step takes long
  })(performance.now.bind(performance)));
  t.after(() => mock.restoreAll());
  const turns = countTurns(t);
  assert.equal(await fetched(`HEADER.FIELDS (${names})`), `${wanted.map((index) => fields[index]).join('')}\r\n`);
  assert.ok(turns() >= count / 4096, String(turns()));
  assert.equal(await fetched(`HEADER.FIELDS.NOT (${names})`), `${fields.filter((_, index) => !wanted.includes(index)).join('')}\r\n`);
});
