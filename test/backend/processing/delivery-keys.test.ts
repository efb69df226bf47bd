import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { accept, acceptFirst, countMessages, deliveryKey, forgetAcceptances, judge, settleAcceptance } from '../../../backend/processing/delivery-keys.ts';
import type { Acceptance, Confirmation, KeyRules } from '../../../backend/processing/delivery-keys.ts';
import { openEnvironment } from '../../../backend/storage/storage.ts';
import type { Environment, Table } from '../../../backend/storage/storage.ts';

const rules: KeyRules = { retryWindowMs: 1000, isAlive: (holder) => holder === 'alive' };

function acceptance(id: string, acceptedAtMs: number, confirmation: Confirmation): Acceptance {
  return { id, acceptedAtMs, confirmation, holder: 'alive' };
}

async function withEnvironment(work: (environment: Environment) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-keys-'));
  const environment = openEnvironment(directory);
  try {
    await work(environment);
  } finally {
    await environment.close();
    rmSync(directory, { recursive: true });
  }
}

test('a loose acceptance and the next one within the window are one message; everything else is not', () => {
  const count = (...acceptances: Acceptance[]): number => countMessages(acceptances, rules);
  assert.equal(count(acceptance('a', 0, 'loose'), acceptance('b', 10, 'confirmed')), 1);
  assert.equal(count(acceptance('a', 0, 'confirmed'), acceptance('b', 10, 'confirmed')), 2);
  assert.equal(count(acceptance('a', 0, 'open'), acceptance('b', 10, 'confirmed')), 2);
  assert.equal(count({ ...acceptance('a', 0, 'open'), holder: 'dead' }, acceptance('b', 10, 'confirmed')), 1);
  assert.equal(count(acceptance('a', 0, 'confirmed'), acceptance('b', 10, 'loose')), 2, 'a loss after a delivery is no retry of it');
  assert.equal(count(acceptance('a', 0, 'loose'), acceptance('b', 10, 'loose'), acceptance('c', 20, 'confirmed'), acceptance('d', 30, 'confirmed')), 2);
  assert.equal(count(acceptance('a', 0, 'loose'), acceptance('b', 1001, 'confirmed')), 2, 'too late for a retry');
});

test('whatever the order of arrival, as many enter as there are messages, and a repeated id never enters', async () => {
  await withEnvironment(async (environment) => {
    const table = environment.table('records');
    let round = 0;
    const arrivals = fc.uniqueArray(fc.record({ time: fc.integer({ min: 0, max: 900 }), confirmation: fc.constantFrom<Confirmation>('confirmed', 'loose') }), { selector: ({ time }) => time, maxLength: 8 });
    await fc.assert(fc.asyncProperty(arrivals, async (list) => {
      round += 1;
      const key = deliveryKey('s', 'r', String(round));
      const acceptances = list.map(({ time, confirmation }, index) => acceptance(`id${String(index)}`, time, confirmation));
      const answers = await environment.write(() => [...acceptances, ...acceptances].map((one) => accept(table, key, { acceptance: one, rules })));
      assert.equal(answers.filter((answer) => answer === 'new').length, countMessages(acceptances, rules));
    }), { numRuns: 60 });
  });
});

test('a message that came ten thousand times is judged as fast as one that came twice', async (t) => {
  await withEnvironment(async (environment) => {
    const table = environment.table('records');
    const timeOf = async (copies: number): Promise<number> => {
      const key = deliveryKey('s', 'r', `copies ${String(copies)}`);
      await environment.write(() => {
        for (let index = 0; index < copies; index += 1) accept(table, key, { acceptance: acceptance(`id${String(index)}`, index, 'confirmed'), rules });
      });
      const begin = performance.now();
      for (let turn = 0; turn < 200; turn += 1) environment.read(() => judge(table, key, { acceptance: acceptance('x', Math.floor(copies / 2) + 0.5, 'loose'), rules }));
      return (performance.now() - begin) / 200;
    };
    const [few, many] = [await timeOf(2), await timeOf(10_000)];
    t.diagnostic(`${few.toFixed(3)} ms with 2 copies, ${many.toFixed(3)} ms with 10000`);
    assert.ok(many < few * 10 + 1, `${String(many)} ms beside ${String(few)} ms`);
  });
});

test('the end of a session settles its acceptance, and old records are forgotten', async () => {
  await withEnvironment(async (environment) => {
    const table = environment.table('records');
    const take = (id: string, acceptedAtMs: number): Promise<string> => environment.write(() => accept(table, 'k', { acceptance: acceptance(id, acceptedAtMs, 'open'), rules }));
    const settle = (id: string, acceptedAtMs: number, confirmation: 'confirmed' | 'loose'): Promise<void> => environment.write(() => settleAcceptance(table, 'k', { name: { id, acceptedAtMs }, confirmation }));
    assert.equal(await take('a', 1), 'new');
    await settle('a', 1, 'loose');
    assert.equal(await take('b', 2), 'known', 'the retry of a');
    await settle('b', 2, 'confirmed');
    await settle('b', 2, 'loose'); // only the first word counts
    assert.equal(await take('c', 3), 'new');
    const store = { read: <T>(action: (records: typeof table) => T): T => environment.read(() => action(table)), write: <T>(action: (records: typeof table) => T): Promise<T> => environment.write(() => action(table)) };
    assert.equal(await forgetAcceptances(store, 3), 2);
    assert.equal(await forgetAcceptances(store, 3), 0);
  });
});

test('acceptances of one key are not counted with each that comes, however many there are; and once they are forgotten the next is new', async () => withEnvironment(async (environment) => {
  const table = environment.table('deliveries');
  let counts = 0;
  const counting = new Proxy<Table>(table, {
    get: (target, name: keyof Table) => (name === 'count' ? (...range: Parameters<Table['count']>): number => {
      counts += 1;
      return target.count(...range);
    } : target[name].bind(target)),
  });
  const key = deliveryKey('s@example.net', 'alice@example.com', 'the same over and over');
  assert.equal(await environment.write(() => acceptFirst(counting, key, acceptance('first', 0, 'confirmed'))), 'new');
  for (let time = 1; time <= 20; time += 1) {
    const next = acceptance(String(time), time, 'confirmed');
    assert.equal(await environment.write(() => acceptFirst(counting, key, next)), 'not the first');
    assert.equal(await environment.write(() => accept(counting, key, { acceptance: next, rules })), 'new');
  }
  assert.equal(counts, 2);
  await forgetAcceptances({ read: (action) => environment.read(() => action(table)), write: async (action) => environment.write(() => action(table)) }, 1000);
  assert.equal(await environment.write(() => accept(counting, key, { acceptance: acceptance('later', 2000, 'confirmed'), rules })), 'new');
}));
