/** What front-ends counted, out of totals that are asked for now and then; and who was busiest. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { countersOf, growthOf } from '../../../cluster-config/daily-report/frontend-counts.ts';
import { namesOfScope, topOf } from '../../../cluster-config/daily-report/top-names.ts';
import { counter, snapshot } from '../../../shared/metrics/metrics.ts';
import { openSampleFile } from '../../../shared/reporting/sample-store.ts';

const failed = counter({ name: 'waybill_login_failed', help: 'Failed.', labels: ['service', 'reason'] });
const other = counter({ name: 'waybill_test_other', help: 'Nobody asks for it.' });

test('growth is what was counted between two answers; nothing is known before the first, and a node that began anew counts from 0', () => {
  const told = (since: string) => ({ since, families: countersOf(snapshot()) });
  other.add({});
  failed.add({ service: 'imapProxy', reason: 'bad-credentials' }, 3);
  const first = told('monday');
  assert.deepEqual(first.families.map(({ name }) => name), ['waybill_login_failed']);
  failed.add({ service: 'imapProxy', reason: 'limit' }, 2);
  const second = told('monday');
  const counted = (samples: ReturnType<typeof growthOf>): unknown => samples.map(({ atMs, counter: name, value }) => [atMs, name, value]);
  assert.deepEqual(counted(growthOf(undefined, first, 5)), []);
  assert.deepEqual(counted(growthOf(first, second, 10)), [[10, 'login_failed/imapProxy', 2]]);
  assert.deepEqual(counted(growthOf(second, second, 15)), []);
  assert.deepEqual(counted(growthOf(second, { ...first, since: 'tuesday' }, 20)), [[20, 'login_failed/imapProxy', 3]]);
});

test('a file tells sums of a span, the level as it was last, who was busiest, and what was heard of a node', async () => {
  const file = openSampleFile(':memory:');
  const sample = (name: string, atMs: number, [name2, value]: readonly [string, number]) => ({ scope: 'account', name, atMs, counter: name2, value } as const);
  file.add([
    sample('alice', 10, ['logins', 9]), sample('alice', 20, ['messages_sent', 1]), sample('bob', 20, ['messages_received', 4]), sample('bob', 30, ['messages_received', 40]), sample('carol', 20, ['logins', 1]),
    { scope: 'server', name: '', atMs: 10, counter: 'size_bytes', value: 7 }, { scope: 'server', name: '', atMs: 20, counter: 'size_bytes', value: 9 },
  ]);
  const tops = topOf(await namesOfScope(file, { scope: 'account', afterMs: 10, untilMs: 20 }));
  assert.deepEqual(tops.map(({ name, messages_received: received, messages_sent: sent, logins }) => [name, received, sent, logins]), [['bob', 4, 0, 0], ['alice', 0, 1, 0], ['carol', 0, 0, 1]]);
  assert.deepEqual([...file.sums({ scope: 'account', name: 'bob', afterMs: 0, untilMs: 30 })], [['messages_received', 44]]);
  const level = (atMs: number): number | undefined => file.lastLevel({ scope: 'server', name: '', counter: 'size_bytes', atMs });
  assert.deepEqual([level(9), level(15), level(99)], [undefined, 7, 9]);
  assert.equal(file.heard('fe1'), undefined);
  file.hear('fe1', 'first', [{ scope: 'node', name: 'fe1', atMs: 5, counter: 'x', value: 1 }]);
  file.hear('fe1', 'second', []);
  assert.deepEqual([file.heard('fe1'), file.sums({ scope: 'node', name: 'fe1', afterMs: 0, untilMs: 5 }).get('x')], ['second', 1]);
  file.close();
});
