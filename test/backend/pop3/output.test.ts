/** Answers are collected in memory that is used again: whoever is slow gets what was his, on real loopback sockets. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, test } from 'node:test';
import { Output } from '../../../backend/pop3/output.ts';
import { Connection } from '../../../shared/net/connection.ts';

const server = net.createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
after(() => server.close());

/** Both ends; the client reads nothing yet. */
async function pair(): Promise<{ readonly client: net.Socket; readonly connection: Connection }> {
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect({ port, host: '127.0.0.1' });
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  return { client, connection: new Connection(socket, { maxLineBytes: 100, idleTimeoutMs: 20_000 }) };
}

/** Answers of all lengths around those of the memory; all bytes of one are the same, and another's for each client. */
function answersOf(seed: number): readonly { readonly text: string; readonly bytes: Buffer }[] {
  return Array.from({ length: 400 }, (_, index) => ({ text: `+OK ${String(seed)}.${String(index)} é\r\n`, bytes: Buffer.alloc((index * 7919 * seed) % (index % 10 === 0 ? 200_000 : 6000), index * 2 + seed) }));
}

async function say(connection: Connection, answers: ReturnType<typeof answersOf>): Promise<void> {
  const output = new Output(connection);
  for (const { text, bytes } of answers) {
    const passing = Buffer.from(bytes);
    output.say(text);
    output.add(passing);
    passing.fill(0xff); // whoever added them needs them no more
    if (output.full) await output.flush();
  }
  output.end('+OK goodbye\r\n');
}

async function digestOf(client: net.Socket): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of client) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

test('who reads late gets the answers as they were, whatever others were told meanwhile', { timeout: 60_000 }, async () => {
  const seeds = [1, 3, 5];
  const expected = seeds.map((seed) => createHash('sha256').update(Buffer.concat([...answersOf(seed).flatMap(({ text, bytes }) => [Buffer.from(text), bytes]), Buffer.from('+OK goodbye\r\n')])).digest('hex'));
  const late = await pair();
  const said = say(late.connection, answersOf(1));
  for (const [index, seed] of seeds.entries()) {
    if (index === 0) continue;
    const { client, connection } = await pair();
    const [digest] = await Promise.all([digestOf(client), say(connection, answersOf(seed))]);
    assert.equal(digest, expected[index]);
  }
  assert.ok(late.connection.socket.writableLength > 0, 'something waits for the late one');
  const [digest] = await Promise.all([digestOf(late.client), said]);
  assert.equal(digest, expected[0]);
});

test('a long text leaves whole', async () => {
  const { client, connection } = await pair();
  const text = Array.from({ length: 50_000 }, (_, index) => `${String(index)} ünïcode\r\n`).join('');
  const output = new Output(connection);
  output.add(Buffer.from('first\r\n'));
  output.say(text);
  output.end('last\r\n');
  assert.equal(await digestOf(client), createHash('sha256').update(`first\r\n${text}last\r\n`).digest('hex'));
});
