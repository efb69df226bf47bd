/** The sliding window, and connections counted over several workers: never more than allowed, and no question while little is taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionCounts } from '../../../shared/access/connection-counts.ts';
import type { Entry } from '../../../shared/access/connection-counts.ts';
import { demandsOf } from '../../../shared/access/flow-limits.ts';
import type { FlowLimits } from '../../../shared/access/flow-limits.ts';
import { SlidingWindow } from '../../../shared/access/sliding-window.ts';
import { WorkerNode } from '../../harness/worker-node.ts';

test('a window slides: what was before fades out, and nobody gets twice the limit around a boundary', () => {
  const window = new SlidingWindow(1000);
  const table: readonly [atMs: number, adds: number, count: number][] = [
    [5900, 10, 10], // ten at the end of a bucket
    [6000, 0, 10], // a fixed window would be empty now
    [6250, 0, 7.5],
    [6500, 3, 8],
    [7000, 0, 3],
    [7500, 0, 1.5],
    [9000, 0, 0],
  ];
  for (const [atMs, adds, count] of table) {
    for (let add = 0; add < adds; add += 1) window.add(atMs, 1);
    assert.equal(window.count(atMs), count, `at ${String(atMs)}`);
  }
  assert.equal(window.isEmpty(9000), true);
});

/** Workers of one node; their questions and answers travel a while, in order. */
class Node {
  nowMs = 1_000_000;
  readonly #workers: ConnectionCounts[] = [];
  readonly #node = new WorkerNode((work) => void setImmediate(work));
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    for (let worker = 0; worker < size; worker += 1) this.add();
  }

  add(): void {
    this.#workers.push(new ConnectionCounts({ workers: this.#size, siblings: this.#node.worker().siblings, now: () => this.nowMs }));
  }

  /** Besides the one that each worker begins with. */
  get questions(): number {
    return this.#node.messages - this.#workers.length;
  }

  async enter(worker: number, limits: FlowLimits, client = '192.0.2.7'): Promise<Entry> {
    const counts = this.#workers[worker];
    assert.ok(counts !== undefined);
    return counts.enter(demandsOf('service imap', limits, client));
  }

  async admitted(worker: number, times: number, limits: FlowLimits): Promise<Extract<Entry, { kind: 'entered' }>[]> {
    const entries: Entry[] = [];
    for (let count = 0; count < times; count += 1) entries.push(await this.enter(worker, limits));
    return entries.filter((entry) => entry.kind === 'entered');
  }
}

test('far from the limit no worker asks another; near it the sum is exact, however uneven', async () => {
  const node = new Node(4);
  const limits = { maxConnections: 80 };
  for (const worker of [0, 1, 2, 3]) assert.equal((await node.admitted(worker, 10, limits)).length, 10);
  assert.equal(node.questions, 0);
  assert.equal((await node.admitted(0, 60, limits)).length, 40, 'one worker may have the rest');
  assert.equal((await node.admitted(1, 1, limits)).length, 0, 'and the others know it, though they have little');
  assert.ok(node.questions > 0);
});

test('a worker with little asks as soon as another has much, however long ago it began', async () => {
  const node = new Node(2);
  const limits = { maxConnections: 8 };
  assert.equal((await node.admitted(1, 1, limits)).length, 1);
  assert.equal((await node.admitted(0, 7, limits)).length, 7);
  assert.equal((await node.admitted(1, 1, limits)).length, 0);
});

test('many at once at several workers: never more than allowed', async () => {
  const node = new Node(3);
  const entries = (await Promise.all([0, 1, 2].flatMap((worker) => Array.from({ length: 40 }, async () => node.enter(worker, { peerMaxConnections: 30 }))))).filter(({ kind }) => kind === 'entered');
  assert.ok(entries.length <= 30 && entries.length >= 15, `${String(entries.length)} of 30`);
});

test('who leaves makes room, and when others have little again no question is asked', async () => {
  const node = new Node(2);
  const limits = { maxConnections: 8 };
  const first = await node.admitted(0, 8, limits);
  assert.equal(first.length, 8);
  assert.equal((await node.admitted(1, 1, limits)).length, 0);
  for (const entry of first) entry.leave();
  node.nowMs += 100;
  assert.equal((await node.admitted(1, 1, limits)).length, 1);
  const { questions } = node;
  assert.equal((await node.admitted(1, 1, limits)).length, 1);
  assert.equal(node.questions, questions);
});

test('a worker that starts later knows what older ones have much of', async () => {
  const node = new Node(2);
  const limits = { maxConnections: 8 };
  assert.equal((await node.admitted(0, 7, limits)).length, 7);
  node.add();
  assert.equal((await node.admitted(2, 2, limits)).length, 1);
});

test('new connections within the window are counted over all workers, refused ones are not', async () => {
  const node = new Node(2);
  const limits = { maxIntervalConnections: 10, timeInterval: 60 };
  node.nowMs = 60_000_000;
  const entries = [...(await node.admitted(0, 7, limits)), ...(await node.admitted(1, 7, limits))];
  assert.equal(entries.length, 10);
  for (const entry of entries) entry.leave();
  const full = await node.enter(1, limits);
  assert.equal(full.kind === 'full' && full.limit, 'maxIntervalConnections', 'that they have gone makes no room');
  node.nowMs += 90_000; // half of the bucket before still counts
  assert.equal((await node.admitted(0, 10, limits)).length, 5);
});

test('a flood from one address asks the others twenty times a second at most', async () => {
  const node = new Node(2);
  const limits = { peerMaxConnections: 4 };
  await node.admitted(0, 4, limits);
  await node.admitted(1, 1, limits);
  node.nowMs += 100;
  const { questions } = node;
  await node.admitted(1, 500, limits);
  assert.equal(node.questions, questions + 1);
});

test('one client more than its limit does not use up the service\'s', async () => {
  const node = new Node(1);
  const limits = { maxConnections: 3, peerMaxConnections: 1 };
  assert.equal((await node.enter(0, limits, 'a')).kind, 'entered');
  assert.equal((await node.enter(0, limits, 'a')).kind, 'full');
  assert.equal((await node.enter(0, limits, 'b')).kind, 'entered');
  assert.equal((await node.enter(0, limits, 'c')).kind, 'entered');
  const full = await node.enter(0, limits, 'd');
  assert.equal(full.kind === 'full' && full.limit, 'maxConnections');
});
