/** Places for commands: never more at work than allowed, in order, and none for who waits for a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandSlots, SessionSlot } from '../../../shared/workers/command-slots.ts';

/** Long enough for everything that can go on to have gone on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('so many commands work at the same time, further ones in the order in which they came', async () => {
  const slots = new CommandSlots('imap', 2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const running = [0, 1, 2, 3, 4].map(async (number) => new SessionSlot(slots).run(async () => {
    begun.push(number);
    await new Promise<void>((resolve) => { ends[number] = resolve; });
  }));
  await settle();
  assert.deepEqual(begun, [0, 1]);
  ends[1]?.();
  await settle();
  assert.deepEqual(begun, [0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await settle();
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
  ends[3]?.();
  ends[4]?.();
  await Promise.all(running);
});

test('a command that waits for its client gives its place to others, and goes on when there is one again', async () => {
  const slots = new CommandSlots('imap', 1);
  const told: string[] = [];
  const [client, work] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = new SessionSlot(slots);
  const first = slow.run(async () => {
    // Two waits at once, as for two writes: the place is given up once.
    await Promise.all([slow.without(async () => client.promise), slow.without(async () => client.promise)]);
    told.push('slow goes on');
  });
  const second = new SessionSlot(slots).run(async () => {
    told.push('other works');
    await work.promise;
    told.push('other is done');
  });
  await settle();
  assert.deepEqual(told, ['other works']);
  client.resolve();
  await settle();
  assert.deepEqual(told, ['other works'], 'the place is taken');
  work.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(told, ['other works', 'other is done', 'slow goes on']);
});

test('no place is lost or won, whatever fails, and whatever ends before its waits do', async () => {
  const slots = new CommandSlots('imap', 1);
  const client = Promise.withResolvers<void>();
  let left: Promise<void> | undefined;
  const slot = new SessionSlot(slots);
  await slot.run(async () => {
    left = slot.without(async () => client.promise);
    await Promise.resolve();
  });
  await assert.rejects(new SessionSlot(slots).run(async () => Promise.reject(new Error('broken'))), /broken/);
  client.resolve();
  await left;
  const working: string[] = [];
  const end = Promise.withResolvers<void>();
  const both = ['one', 'two'].map(async (name) => new SessionSlot(slots).run(async () => {
    working.push(name);
    await end.promise;
  }));
  await settle();
  assert.deepEqual(working, ['one']);
  end.resolve();
  await Promise.all(both);
});

test('a wait that begins while the command is getting its place again takes none', async () => {
  const slots = new CommandSlots('imap', 1);
  const [input, output, work, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const session = new SessionSlot(slots);
  const command = session.run(async () => {
    const reads = session.without(async () => input.promise);
    await reads;
    await done.promise;
  });
  const other = new SessionSlot(slots).run(async () => work.promise);
  await settle();
  input.resolve(); // it wants its place again, which the other has
  await settle();
  const writes = session.without(async () => output.promise);
  work.resolve();
  await other;
  await settle();
  let third = 'waits';
  await new SessionSlot(slots).run(async () => Promise.resolve(void (third = 'worked')));
  assert.equal(third, 'worked', 'nobody holds a place for a client');
  output.resolve();
  await writes;
  done.resolve();
  await command;
  await new SessionSlot(slots).run(async () => Promise.resolve());
});

test('work that needs no wait is done at once where a place is free, and waits for one where none is; none is lost or won', async () => {
  const slots = new CommandSlots('imap', 1);
  const one = new SessionSlot(slots);
  assert.equal(one.runNow(() => 'done'), 'done');
  assert.throws(() => one.runNow(() => { throw new Error('refused'); }), /refused/);
  const client = Promise.withResolvers<void>();
  assert.equal(one.runNow(() => {
    void one.without(async () => client.promise); // nobody waits for that
    return 'said';
  }), 'said');
  const work = Promise.withResolvers<string>();
  const long = one.runNow(async () => work.promise);
  assert.ok(long instanceof Promise);
  const told: string[] = [];
  const other = Promise.resolve(new SessionSlot(slots).runNow(() => told.push('other')));
  client.resolve();
  await settle();
  assert.deepEqual(told, [], 'there is one place');
  work.resolve('long is done');
  assert.equal(await long, 'long is done');
  await other;
  assert.deepEqual(told, ['other']);
  assert.equal(one.runNow(() => 'done'), 'done');
});
