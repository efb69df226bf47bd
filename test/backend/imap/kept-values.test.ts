/** What the worker keeps of headers: bounded, the longest unused goes first, and whoever works with it goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { KeptColumns } from '../../../backend/imap/kept-values.ts';

test('Values are kept by name, up to so many bytes, and the column that was not used for the longest time goes first', () => {
  const columns = new KeptColumns(20_000);
  const fill = (name: string, text: string): void => {
    const column = columns.of<string>(name);
    for (let uid = 1; uid <= 50; uid += 1) column.add(uid, text);
  };
  fill('one', 'x'.repeat(50));
  fill('two', 'x'.repeat(50));
  assert.equal(columns.of<string>('one').get(50), 'x'.repeat(50)); // so it was used last
  assert.ok(columns.size > 10_000);
  fill('three', 'x'.repeat(100));
  assert.deepEqual([columns.of<string>('two').get(1), columns.of<string>('one').get(1)?.length, columns.of<string>('three').get(50)?.length], [undefined, 50, 100]);
  assert.ok(columns.size <= 20_000, String(columns.size));
});

test('A column that is too large by itself is not kept, and holds nothing for who goes on with it', () => {
  const columns = new KeptColumns(20_000);
  const column = columns.of<{ readonly ids: readonly string[] }>('large');
  column.add(1, { ids: ['x'.repeat(1000)] });
  assert.equal(column.get(1)?.ids[0]?.length, 1000);
  for (let uid = 2; uid <= 100; uid += 1) column.add(uid, { ids: ['x'.repeat(1000)] });
  assert.deepEqual([columns.size, column.get(1), column.get(100)], [0, undefined, undefined]);
  assert.equal(columns.of<unknown>('large').get(1), undefined);
});

test('Columns of mailboxes without messages count', () => {
  const columns = new KeptColumns(20_000);
  for (let mailbox = 0; mailbox < 1000; mailbox += 1) columns.of(`empty ${String(mailbox)}`);
  assert.ok(columns.size > 10_000 && columns.size <= 20_000, String(columns.size));
});

test('A text that is kept does not keep alive what it was cut out of', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const column = new KeptColumns().of<string>('SUBJECT');
  collect();
  const before = process.memoryUsage().heapUsed;
  for (const [uid, subject] of Array.from({ length: 2000 }, (_, index) => (index % 2 === 0 ? 'QUARTERLY REPORT 2025' : '四半期報告書 2025 年度 最終版')).entries()) {
    column.add(uid, `${subject}${String(uid)}${'x'.repeat(8000)}`.replaceAll('y', 'z').slice(0, 21));
  }
  collect();
  const each = (process.memoryUsage().heapUsed - before) / 2000;
  assert.ok(each < 1000, `${String(Math.round(each))} bytes for each text of 21 characters`);
  assert.deepEqual([column.get(0), column.get(1)?.slice(0, 6)], ['QUARTERLY REPORT 2025', '四半期報告書']);
});
