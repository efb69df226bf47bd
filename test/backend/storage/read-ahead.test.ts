/** Entries read ahead are those that look-ups would find, in whatever order they are asked for. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { ReadAhead } from '../../../backend/storage/read-ahead.ts';
import { openEnvironment } from '../../../backend/storage/storage.ts';
import type { Environment } from '../../../backend/storage/storage.ts';
import { Dice } from '../../torture/dice.ts';
import { temporaryDirectory } from './harness.ts';

/** As numbers of messages are. */
const base = 1_234_567 * 2 ** 32;

async function withEnvironment(act: (environment: Environment) => Promise<void>, t: Parameters<typeof temporaryDirectory>[0]): Promise<void> {
  const environment = openEnvironment(temporaryDirectory(t), ['t']);
  await act(environment);
  await environment.close();
}

const textOf = (bytes: Buffer, length: number): string => bytes.toString('latin1', 0, length);

test('What is read ahead is what a look-up finds: with gaps, jumps, and entries that are made meanwhile', async (t) => {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${String(seed)}`);
  const dice = new Dice(seed);
  await withEnvironment(async (environment) => {
    const table = environment.table('t');
    const entries = Array.from({ length: 2000 }, (_, place) => ({ number: base + place, value: Buffer.alloc(dice.below(2000), place % 251) })).filter(() => dice.below(20) > 0);
    await environment.write(() => entries.forEach(({ number, value }) => table.put([number], value)));
    const ahead = new ReadAhead(table, textOf);
    let asked = base - 5;
    for (let turn = 0; turn < 5000; turn += 1) {
      asked = dice.below(200) === 0 ? base + dice.below(2100) : asked + (dice.below(20) === 0 ? 2 : 1);
      assert.equal(environment.read(() => ahead.of(asked)), table.text([asked]), `turn ${String(turn)}, number ${String(asked - base)}`);
    }
    const beyond = base + 2000;
    for (let number = beyond - 40; number < beyond; number += 1) ahead.of(number); // the last entries, and what is not there yet
    await environment.write(() => { for (let place = 0; place < 20; place += 1) table.put([beyond + place], Buffer.from(`new ${String(place)}`)); });
    for (let place = 0; place < 20; place += 1) assert.equal(environment.read(() => ahead.of(beyond + place)), `new ${String(place)}`);
  }, t);
});

test('Neighbours come together, and few of them where they are large or not asked for in a row', async (t) => {
  await withEnvironment(async (environment) => {
    const table = environment.table('t');
    await environment.write(() => {
      for (let place = 0; place < 1000; place += 1) table.put([base + place], Buffer.alloc(300));
      for (let place = 1000; place < 1040; place += 1) table.put([base + place], Buffer.alloc(60_000));
    });
    const asking = (places: readonly number[]): { readonly looks: number; readonly scans: number; readonly mostRead: number } => {
      const counts = { looks: 0, scans: 0, mostRead: 0 };
      let read = 0;
      const ahead = new ReadAhead({
        look: (key, take) => { counts.looks += 1; return table.look(key, take); },
        scan: (range, see) => { counts.scans += 1; table.scan(range, see); },
      }, (_, length) => { read += length; return length; });
      for (const place of places) {
        read = 0;
        environment.read(() => assert.ok(ahead.of(base + place) !== undefined));
        counts.mostRead = Math.max(counts.mostRead, read);
      }
      return counts;
    };
    const inARow = Array.from({ length: 1000 }, (_, place) => place);
    const neighbours = asking(inARow);
    assert.ok(neighbours.looks === 8 && neighbours.scans <= 10, JSON.stringify(neighbours));
    assert.deepEqual(asking(inARow.filter((place) => place % 2 === 0)), { looks: 500, scans: 0, mostRead: 300 });
    assert.ok(asking(Array.from({ length: 40 }, (_, place) => 1000 + place)).mostRead <= 180_000);
  }, t);
});
