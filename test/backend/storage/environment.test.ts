/** The environment by itself: order of keys, transactions whole or not at all, and a disk that refuses. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { isFailure } from '../../../shared/base/failure.ts';
import { WriteJournal } from '../../../backend/storage/lmdb-table.ts';
import { keysUnder, openEnvironment } from '../../../backend/storage/storage.ts';
import type { Environment } from '../../../backend/storage/storage.ts';
import { Dice } from '../../torture/dice.ts';
import { temporaryDirectory } from './harness.ts';

function openTemporary(t: TestContext, gathered: readonly string[] = []): Environment {
  const environment = openEnvironment(temporaryDirectory(t), [], gathered);
  t.after(() => environment.close());
  return environment;
}

test('Keys sort by their parts, numbers by value and before strings, and a range ends before its end', async (t) => {
  const environment = openTemporary(t);
  const table = environment.table('t');
  const keys = [['b'], ['a', 10], ['a', 9], ['a', 'x'], ['a', 2 ** 40], ['a'], [5], ['ab'], ['a', '\u{10ffff}'], [-1]];
  await environment.write(() => keys.forEach((key) => table.put(key, Buffer.from(JSON.stringify(key)))));
  const listed = environment.read(() => table.range(keysUnder([])));
  assert.deepEqual(listed.map(({ key }) => key), [[-1], [5], ['a'], ['a', 9], ['a', 10], ['a', 2 ** 40], ['a', 'x'], ['a', '\u{10ffff}'], ['ab'], ['b']]);
  for (const { key, value } of listed) assert.deepEqual(JSON.parse(value.toString()), key);
  assert.deepEqual(environment.read(() => table.range({ from: ['a', 10], to: ['a', 'x'] })).map(({ key }) => key), [['a', 10], ['a', 2 ** 40]]);
  assert.equal(environment.read(() => table.range(keysUnder(['a']))).length, 6);
  assert.equal(environment.read(() => table.range({ ...keysUnder(['a']), limit: 2 })).length, 2);
});

test('Values that an action borrows are its own until it ends, however many they are, and changing them changes nothing else', async (t) => {
  const environment = openTemporary(t);
  const table = environment.table('t');
  const places = Array.from({ length: 60 }, (_, place) => place);
  const valueAt = (place: number): Buffer => Buffer.alloc(3000 + place * 400, place);
  await environment.write(() => places.forEach((place) => table.put([place], valueAt(place))));
  const changeAll = (): void => {
    const borrowed = places.map((place) => table.borrow([place]));
    assert.ok(borrowed.every((value, place) => value?.equals(valueAt(place)))); // told in words, what differs would be megabytes
    for (const value of borrowed) value?.fill(255);
  };
  const outside = environment.read(() => places.map((place) => table.borrow([place])));
  await Promise.all(places.slice(0, 3).map(async () => environment.write(changeAll))); // in one transaction
  assert.ok(outside.every((value, place) => value?.equals(valueAt(place))), 'for good where no action runs');
  assert.equal(environment.read(() => table.borrow([99])), undefined);
});

test('A value is told as text whatever its size, as it was put, and no longer when the environment is closed', async (t) => {
  const environment = openEnvironment(temporaryDirectory(t));
  const table = environment.table('t');
  const sizes = [0, 5, 8000, 40_000, 3_000_000, 7];
  const values = sizes.map((size) => Buffer.from(Array.from({ length: size }, (_, at) => (at * 31) & 0xff)));
  await environment.write(() => values.forEach((value, index) => table.put([index], value)));
  for (const [index, value] of values.entries()) assert.ok(environment.read(() => table.text([index])) === value.toString('latin1'), String(value.length));
  assert.equal(environment.read(() => table.text([99])), undefined);
  assert.ok(values.every((value, index) => environment.read(() => table.get([index]))?.equals(value)));
  await environment.close();
  assert.throws(() => table.text([0]), /this storage is closed/);
});

test('A range shows its values as they are, whatever their size, until who looks has enough or fails, and begins anew each time', async (t) => {
  const environment = openEnvironment(temporaryDirectory(t), [], ['gathered']);
  const tables = ['t', 'gathered'].map((name) => environment.table(name));
  const sizes = [0, 5, 8000, 40_000, 3_000_000, 7];
  const values = sizes.map((size) => Buffer.from(Array.from({ length: size }, (_, at) => (at * 31) & 0xff)));
  await environment.write(() => tables.forEach((table) => values.forEach((value, index) => table.put([index], value))));
  for (const table of tables) {
    const shown = (from: number, count: number): (string | number | undefined)[] => {
      const keys: (string | number | undefined)[] = [];
      environment.read(() => table.scan({ from: [from], to: [5] }, ([index], bytes, length) => {
        assert.ok(values[Number(index)]?.equals(bytes.subarray(0, length)), String(index));
        return keys.push(index) < count ? 'more' : 'enough';
      }));
      return keys;
    };
    assert.deepEqual([shown(0, 9), shown(1, 9), shown(2, 2)], [[0, 1, 2, 3, 4], [1, 2, 3, 4], [2, 3]]);
    assert.throws(() => environment.read(() => table.scan(keysUnder([]), () => { throw new RangeError('seen enough'); })), /seen enough/);
    const copies = environment.read(() => table.range(keysUnder([])));
    assert.ok(copies.length === values.length && copies.every(({ value }, index) => values[index]?.equals(value)), 'copies of all');
    assert.deepEqual(shown(3, 9), [3, 4]);
  }
  await environment.close();
  assert.throws(() => tables[0]?.scan(keysUnder([]), () => 'more'), /this storage is closed/);
});

test('Reads of one moment see one commit, whatever another process commits meanwhile, also after one that threw; each other read sees the last', async (t) => {
  const path = temporaryDirectory(t);
  await openEnvironment(path, ['t']).close();
  const counting = spawn(process.execPath, [join(import.meta.dirname, 'counting-process.ts'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => counting.kill('SIGKILL'));
  await once(counting.stdout, 'data');
  counting.stdout.resume();
  const environment = openEnvironment(path, ['t']);
  t.after(() => environment.close());
  const table = environment.table('t');
  const count = (): number => Number(environment.read(() => table.text(['number'])));
  const pause = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  let earliest = 0;
  for (let overtaken = 0; overtaken < 3;) {
    environment.atOneMoment(() => {
      const first = count();
      assert.ok(first >= earliest, 'no commit from before');
      pause();
      assert.equal(count(), first);
      assert.throws(() => environment.read(() => { throw new Error('that one'); }), /that one/);
      assert.equal(environment.atOneMoment(count), first);
      assert.equal(count(), first);
      earliest = first;
    });
    if (count() > earliest) overtaken += 1;
    const [one, other] = [count(), (pause(), count())];
    assert.ok(other >= one);
    earliest = other;
  }
  assert.throws(() => environment.atOneMoment(() => { throw new Error('this one'); }), /this one/);
  for (const one = count(); count() === one;) pause(); // for ever where a moment has no end
});

test('An environment that is closed finishes its commits and copies, and refuses whoever comes later, be it by a table from before', async (t) => {
  const [path, copy] = [temporaryDirectory(t), temporaryDirectory(t)];
  const environment = openEnvironment(path);
  const table = environment.table('t');
  await environment.write(() => { for (let key = 0; key < 2000; key += 1) table.put([key], Buffer.alloc(1500)); });
  const [copying, writing] = [environment.copyTo(join(copy, 'copy')), environment.write(() => table.put(['last'], Buffer.from('1')))];
  const closing = environment.close();
  const refused = { kind: 'storage-failure', message: /closed/ };
  await assert.rejects(environment.write(() => undefined), refused);
  assert.throws(() => environment.read(() => undefined), refused);
  await Promise.all([copying, writing, closing]);
  assert.throws(() => table.get(['last']), refused);
  assert.throws(() => table.range(keysUnder([])), refused);
  await assert.rejects(environment.copyTo(join(copy, 'late')), refused);
  for (const [place, entries] of [[path, 2001], [join(copy, 'copy'), undefined]] as const) {
    const again = openEnvironment(place);
    const found = again.read(() => again.table('t').range(keysUnder([]))).length;
    assert.ok(entries === undefined ? found >= 2000 : found === entries, String(found));
    await again.close();
  }
});

test('What is in no hurry is in the very next commit, goes by itself when none comes, and is not lost when the environment is closed', async (t) => {
  const path = temporaryDirectory(t);
  const environment = openEnvironment(path);
  const table = environment.table('t');
  const put = (key: string) => (): void => table.put([key], Buffer.from('1'));
  const first = environment.writeAlong(put('first'));
  await environment.write(put('next'));
  assert.equal(environment.read(() => table.get(['first']))?.toString(), '1');
  await first;
  const other = openTemporary(t);
  const late = other.writeAlong(() => undefined).then(() => 'the one that waits');
  const hurried = environment.writeAlong(put('hurried')).then(() => 'the hurried one');
  environment.hurry();
  assert.equal(await Promise.race([late, hurried]), 'the hurried one');
  await environment.writeAlong(put('alone'));
  assert.equal(environment.read(() => table.get(['alone']))?.toString(), '1');
  const refused = assert.rejects(environment.writeAlong(() => {
    throw new Error('changed my mind');
  }), /changed my mind/);
  const last = environment.writeAlong(put('last'));
  await environment.close();
  await Promise.all([refused, last]);
  const again = openEnvironment(path);
  t.after(() => again.close());
  assert.deepEqual(again.read(() => again.table('t').range(keysUnder([]))).map(({ key }) => key[0]), ['alone', 'first', 'hurried', 'last', 'next']);
});

test('A transaction that throws leaves nothing behind, and its neighbours in the same commit stay', async (t) => {
  const environment = openTemporary(t);
  const table = environment.table('t');
  const results = await Promise.allSettled([
    environment.write(() => table.put(['a'], Buffer.from('1'))),
    environment.write(() => {
      table.put(['b'], Buffer.from('2'));
      throw new Error('changed my mind');
    }),
    environment.write(() => table.put(['c'], table.get(['a']) ?? Buffer.from('not seen'))),
  ]);
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
  assert.deepEqual(environment.read(() => table.range(keysUnder([]))).map(({ key, value }) => [key[0], value.toString()]), [['a', '1'], ['c', '1']]);
});

test('Whatever a transaction has put, replaced and removed before it throws is as it was, for its neighbours and afterwards, alone in its transaction, and in a table whose entries are written once, too', async (t) => {
  const environment = openTemporary(t, ['u']);
  const tables = [environment.table('t'), environment.table('u')] as const;
  const seed = randomInt(2 ** 30);
  t.diagnostic(`seed ${String(seed)}`);
  const dice = new Dice(seed);
  const model = new Map<string, string>();
  const seen = (): Map<string, string> => new Map(tables.flatMap((table, index) => table.range(keysUnder([])).map(({ key, value }) => [`${String(index)} ${String(key[0])}`, value.toString()] as const)));
  const action = (number: number) => (): void => {
    for (const [index, table] of tables.entries()) for (let key = 0; key < 6; key += 1) assert.equal(table.text([key]), model.get(`${String(index)} ${String(key)}`));
    if (dice.below(3) === 0) assert.deepEqual(seen(), model); // a range has what is gathered written
    const draft = new Map(model);
    for (let step = 0; step < 8; step += 1) {
      const [index, key, value] = [dice.below(2), dice.below(6), 'v'.repeat(dice.below(4) === 0 ? 30_000 : 3) + String(number * 10 + step)];
      const table = tables[index] ?? assert.fail();
      if (dice.below(3) === 0) table.remove([key]);
      else if (table.get([key]) === undefined) table.insert([key], Buffer.from(value));
      else table.put([key], Buffer.from(value));
      if (table.get([key]) === undefined) draft.delete(`${String(index)} ${String(key)}`);
      else draft.set(`${String(index)} ${String(key)}`, value);
    }
    if (dice.below(2) === 0) throw new Error('changed my mind');
    model.clear();
    for (const [key, value] of draft) model.set(key, value);
  };
  for (let round = 0; round < 40; round += 1) {
    const results = await Promise.allSettled(Array.from({ length: round % 2 === 0 ? 10 : 1 }, (_, number) => environment.write(action(round * 10 + number))));
    for (const result of results) if (result.status === 'rejected') assert.match(String(result.reason), /changed my mind/);
    assert.deepEqual(environment.read(seen), model);
  }
});

test('Where a transaction can not be undone nothing of its commit stays, everybody in it hears so, and later commits go through', async (t) => {
  const environment = openTemporary(t);
  const table = environment.table('t');
  const put = (key: string) => (): void => table.put([key], Buffer.from('1'));
  const undo = t.mock.method(WriteJournal.prototype, 'undo', () => { throw new Error('can not be undone'); });
  const results = await Promise.allSettled([
    environment.write(put('before')),
    environment.write(() => {
      put('thrown')();
      throw new Error('changed my mind');
    }),
    environment.write(put('behind')),
  ]);
  assert.deepEqual(results.map((result) => result.status === 'rejected' && isFailure(result.reason, 'storage-failure')), [true, true, true]);
  undo.mock.restore();
  await environment.write(put('later'));
  assert.deepEqual(environment.read(() => table.range(keysUnder([]))).map(({ key }) => key[0]), ['later']);
});

test('When the disk refuses a commit the writer hears of it, nothing else breaks, and later commits go through', async (t) => {
  // the limit on the size of a file, in blocks of 512 bytes, stands for a disk that is full
  const script = join(import.meta.dirname, 'full-index-process.ts');
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `ulimit -f 1000; exec "${process.execPath}" "${script}" "${temporaryDirectory(t)}"`]);
  const outcome = JSON.parse(stdout) as { stored: number; found: number; refused: string[]; after: string };
  assert.ok(outcome.stored > 5 && outcome.refused.length > 0, stdout);
  assert.equal(outcome.found, outcome.stored);
  assert.deepEqual([...new Set(outcome.refused)], ['storage-failure: Input/output error']);
  assert.equal(outcome.after, 'small');
});

test('An index with pages that are neither in use nor free, as a failed flush may leave them, can be copied: the copy has all that it had', async (t) => {
  const path = temporaryDirectory(t);
  const before = openEnvironment(path, ['table']);
  await before.write(() => before.table('table').put(['key'], Buffer.from('value')));
  await before.close();
  losePage(join(path, 'data.mdb'));
  const environment = openEnvironment(path, ['table']);
  await environment.copyTo(join(path, 'copy'));
  await environment.close();
  const copy = openEnvironment(join(path, 'copy'), ['table']);
  assert.equal(copy.read(() => copy.table('table').get(['key'])?.toString()), 'value');
  await copy.close();
});

/** One page more at the end, which both headers count. In lmdb 3.5.6 the number of the last page stands 144 bytes into the page of a header. */
function losePage(file: string): void {
  const pageBytes = 4096;
  const bytes = readFileSync(file);
  for (const at of [144, pageBytes + 144]) bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) + 1n, at);
  const last = Number([144, pageBytes + 144].map((at) => bytes.readBigUInt64LE(at)).reduce((one, other) => (one > other ? one : other)));
  writeFileSync(file, Buffer.concat([bytes.subarray(0, last * pageBytes), Buffer.alloc(Math.max(pageBytes, (last + 1) * pageBytes - bytes.length))]));
}
