/** FETCH that marks messages as seen: whatever of their flags the client does not know is told, then or by the command's end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import { ask, demandOk } from './two-nodes.ts';

const address = 'marks@example.com';

/** Two sessions with INBOX open, where these messages are. */
async function twoReaders(t: TestContext, messages: readonly Buffer[]): Promise<[Dialogue, Dialogue]> {
  const server = await startServer();
  t.after(async () => server.stop());
  for (const message of messages) await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, message);
  const open = async (): Promise<Dialogue> => {
    const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
    t.after(() => dialogue.close());
    await demandOk(dialogue, `LOGIN ${address} "${password}"`);
    await demandOk(dialogue, 'SELECT INBOX');
    return dialogue;
  };
  return [await open(), await open()];
}

/** Flags that FETCH responses tell, with the sequence number; lines of a body stand between. */
function toldIn(lines: readonly string[]): string[] {
  const told: string[] = [];
  let sequence = '';
  for (const line of lines) {
    sequence = /^\* (\d+) FETCH/.exec(line)?.[1] ?? sequence;
    const flags = /FLAGS \(([^)]*)\)/.exec(line)?.[1];
    if (flags !== undefined) told.push(`${sequence}: ${flags.replace('\\Recent ', '')}`);
  }
  return told;
}

for (const item of ['BODY[TEXT]', 'BODY[HEADER.FIELDS (SUBJECT)]']) {
  test(`What another session did to a seen message is told by FETCH ${item} that marks others of the batch as seen`, async (t) => {
    const [reader, other] = await twoReaders(t, ['one', 'two', 'three'].map(messageAbout));
    await demandOk(reader, 'STORE 1,3 +FLAGS (\\Seen)');
    await demandOk(other, 'STORE 1 +FLAGS (\\Flagged)');
    assert.deepEqual(toldIn(await demandOk(reader, `FETCH 1:3 ${item}`)), ['1: \\Flagged \\Seen', '2: \\Seen']);
    assert.deepEqual(await demandOk(reader, 'NOOP'), []);
  });
}

test('Where a FETCH is refused half-way, what it marked as seen by then is told by its end', async (t) => {
  const odd = Buffer.from(`MIME-Version: 1.0\r\nContent-Transfer-Encoding: x-odd\r\n${messageAbout('two').toString()}`);
  const [reader] = await twoReaders(t, [messageAbout('one'), odd, messageAbout('three')]);
  const refused = await ask(reader, 'FETCH 1:3 BINARY[1]');
  assert.match(refused.end, /^NO \[UNKNOWN-CTE\]/);
  assert.deepEqual([...new Set(toldIn(refused.lines))], ['1: \\Seen', '2: \\Seen', '3: \\Seen']);
  assert.deepEqual(await demandOk(reader, 'NOOP'), []);
});
