/** A line that is waited for ahead of time costs the session's commands nothing: not their place among those at work either. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { LineAhead } from '../../../backend/imap/line-ahead.ts';
import { Connection } from '../../../shared/net/connection.ts';
import { CommandSlots, SessionSlot } from '../../../shared/workers/command-slots.ts';

test('a command that begins while a line is waited for keeps its place, and who takes the line gives it up until it is there', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const near = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = await accepted;
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  const slots = new CommandSlots('imap', 1);
  const slot = new SessionSlot(slots);
  const lines = new LineAhead(new Connection(near, { maxLineBytes: 100, idleTimeoutMs: 0, slot }), slot);
  let others = 0;
  const other = async (): Promise<void> => slots.take().then(() => {
    others += 1;
  });
  await slot.run(async () => slot.without(async () => lines.listen(() => undefined))); // as IDLE does
  await slot.run(async () => {
    await slot.without(async () => Promise.resolve());
    void other();
    await new Promise(setImmediate);
    assert.equal(others, 0, 'the command has its place again after it has waited for something else');
    const line = lines.take();
    while (others === 0) await new Promise(setImmediate);
    far.write('said\r\n');
    slots.giveBack();
    assert.equal(await line, 'said');
  });
});
