/** Places at a back-end, counted by several workers that hear of each other through the real board of notices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendPlaces } from '../../../frontend/login/backend-places.ts';
import { WorkerNode } from '../../harness/worker-node.ts';

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
