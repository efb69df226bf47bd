/** What of the audit an account keeps. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { accountActOf, mostAccountActs, withAct } from '../../../shared/admin-api/account-act.ts';
import type { AccountAct } from '../../../shared/admin-api/account-act.ts';

const entry = { time: '2026-01-01T00:00:00.000Z', node: 'fe1', reference: 'r', who: 'ann', by: 'token', from: '192.0.2.1', session: 's', result: 'done' } as const;

test('an account keeps acts that touch it and were done, under the name that it has afterwards', () => {
  assert.equal(accountActOf({ ...entry, what: 'setPassword', facts: { address: 'Bob@example.com' } })?.account, 'bob@example.com');
  assert.equal(accountActOf({ ...entry, what: 'kickNodeSessions', facts: { account: 'bob@example.com', address: '192.0.2.7' } })?.account, 'bob@example.com');
  assert.equal(accountActOf({ ...entry, what: 'renameAccount', facts: { from: 'a@example.com', to: 'b@example.com' } })?.account, 'b@example.com');
  assert.equal(accountActOf({ ...entry, what: 'kickSessions', facts: { address: '192.0.2.7' } }), undefined);
  assert.equal(accountActOf({ ...entry, what: 'setPassword', facts: { address: 'bob@example.com' }, result: 'forbidden' }), undefined);
  assert.equal(accountActOf({ ...entry, what: 'retryQueued', facts: { address: 'bob@example.com' } }), undefined);
});

test('the newest are kept, and one wish that reached several nodes is one act', () => {
  const act = (what: string, second: number, who = 'ann'): AccountAct => ({ time: new Date(second * 1000).toISOString(), node: 'fe1', reference: String(second), who, by: 'token', from: '192.0.2.1', what, facts: {} });
  const kicked = [act('kickNodeSessions', 1), act('signOutAccount', 2), act('kickSessions', 3), act('kickSessions', 4, 'bob'), act('kickSessions', 60)].reduce<readonly AccountAct[]>(withAct, []);
  assert.deepEqual(kicked.map(({ reference }) => reference), ['1', '4', '60']);
  const many = Array.from({ length: mostAccountActs + 5 }, (_, index) => act('setPassword', index)).reduce<readonly AccountAct[]>(withAct, []);
  assert.deepEqual([many.length, many[0]?.reference], [mostAccountActs, '5']);
});
