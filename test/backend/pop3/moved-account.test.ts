/** What a client left on the server it still knows after its account has moved to another node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { startNodes } from '../account-move/nodes.ts';
import { deliver, inboxOf, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

async function uniqueIds(server: TestServer, address: string): Promise<string[]> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  await dialogue.expect(/^\+OK/);
  dialogue.sayRaw(`USER ${address}\r\nPASS ${password}\r\nUIDL\r\n`);
  await dialogue.until(/^\+OK \d+ messages/);
  const lines: string[] = [];
  for (let line = await dialogue.line(); line !== '.'; line = await dialogue.line()) lines.push(line);
  dialogue.close();
  return lines;
}

test('UIDL tells the same after the account has moved to another node, and new messages have new ids', { timeout: 60_000 }, async (t) => {
  const nodes = await startNodes(t);
  const address = 'uidl@example.com';
  nodes.directory.set(address, 'be1');
  const [before, after] = [await startServer({ storage: nodes.storages.be1 }), await startServer({ storage: nodes.storages.be2 })];
  t.after(async () => Promise.all([before.stop(), after.stop()]));
  await deliver(before, address, ...['one', 'two', 'three'].map((word) => Buffer.from(`Subject: ${word}\r\n\r\n`)));
  await (await inboxOf(before, address)).expunge([2]);
  const ids = await uniqueIds(before, address);
  assert.equal(ids.length, 2);
  await nodes.move(address, 'be2');
  assert.deepEqual(await uniqueIds(after, address), ids);
  await deliver(after, address, Buffer.from('Subject: four\r\n\r\n'));
  const [, , newest] = await uniqueIds(after, address);
  assert.ok(newest?.startsWith('3 ') === true && !ids.some((line) => line.split(' ')[1] === newest.split(' ')[1]), newest);
});
