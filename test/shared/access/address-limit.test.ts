/** Connections of one address at several workers that hear of each other through the real board of notices and the real way of asking. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendPlaces } from '../../../frontend/login/backend-places.ts';
import { AddressLimit } from '../../../shared/access/address-limit.ts';
import { WorkerNode } from '../../harness/worker-node.ts';

const client = '192.0.2.7';

test('no more than the limit get in, however unevenly they come to the workers', async () => {
  for (const spread of [[0, 1, 2, 3], [0, 0, 0, 1], [3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 1, 2]]) {
    const node = new WorkerNode();
    const workers = Array.from({ length: 4 }, () => node.worker());
    const limits = workers.map(({ notices, siblings }) => new AddressLimit({ max: 16, ipv6Prefix: 64, workers: 4, notices, siblings }, 'imap'));
    const verdicts: string[] = [];
    for (let count = 0; count < 40; count += 1) verdicts.push(await limits[spread[count % spread.length] ?? 0]?.enter(client) ?? '');
    assert.equal(verdicts.filter((verdict) => verdict === 'admitted').length, 16, String(spread));
    assert.equal(await limits[0]?.enter('192.0.2.8'), 'admitted');
    limits[spread[0] ?? 0]?.leave(client);
    assert.equal(await limits[2]?.enter(client), 'admitted');
  }
});

test('a client of few connections is admitted without a question to anybody', async () => {
  const node = new WorkerNode();
  const { notices, siblings } = node.worker();
  node.worker();
  const limit = new AddressLimit({ max: 16, ipv6Prefix: 64, workers: 2, notices, siblings }, 'imap');
  for (let count = 0; count < 4; count += 1) assert.equal(await limit.enter(client), 'admitted');
  assert.equal(node.messages, 0);
});

test('places at a back-end are those of all workers together', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const node = new WorkerNode();
  const [one, other] = [0, 1].map(() => new BackendPlaces({ most: 3, service: 'imapProxy', notices: node.worker().notices }));
  assert.ok(one !== undefined && other !== undefined);
  const give = one.take('be1');
  one.take('be1');
  t.mock.timers.tick(100);
  other.take('be1');
  assert.throws(() => other.take('be1'), /too many connections/);
  other.take('be2');
  t.mock.timers.tick(100);
  assert.throws(() => one.take('be1'), /too many connections/);
  give();
  t.mock.timers.tick(100);
  other.take('be1');
});
