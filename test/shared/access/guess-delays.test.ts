/** How guesses are counted by several workers that hear of each other through the real board of notices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuessDelays } from '../../../shared/access/guess-delays.ts';
import type { GuessDelayOptions } from '../../../shared/access/guess-delays.ts';
import { NoticeBoard, WorkerNotices } from '../../../shared/service/notices.ts';
import { patientGuesses } from '../../harness/guesses.ts';

/** A supervisor with its board, and what it was told. */
class Node {
  readonly posts: unknown[] = [];
  readonly #board = new NoticeBoard();
  readonly #workers = new Set<WorkerNotices>();

  worker(changes: Partial<GuessDelayOptions> = {}): GuessDelays {
    const notices: WorkerNotices = new WorkerNotices((report) => {
      if (report.kind === 'subscribe') for (const order of this.#board.kept(report.topic)) notices.receive(order);
      if (report.kind !== 'post') return;
      this.posts.push(report.value);
      this.#board.post(report.topic, report.key, report.value);
      for (const other of this.#workers) if (other !== notices) other.receive({ kind: 'notices', topic: report.topic, notices: [{ key: report.key, value: report.value, ageMs: 0 }] });
    });
    this.#workers.add(notices);
    return new GuessDelays(patientGuesses({ free: 2, firstMs: 250, longestMs: 4000, longestWaitMs: 1000, notices, ...changes }));
  }
}

const mallory = { network: '4:c6336401', name: 'bob@example.com' };

function guess(worker: GuessDelays, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => worker.failed(mallory, 'bob@example.com', `guess ${String(from + index)}`));
}

test('workers count together, and one that starts later knows what the others counted', () => {
  const node = new Node();
  const [one, other] = [node.worker(), node.worker()];
  assert.deepEqual(guess(one, 0, 2), [0, 0]);
  assert.deepEqual(guess(other, 2, 2), [250, 500]);
  assert.deepEqual(guess(node.worker(), 4, 1), [1000]);
  assert.deepEqual(guess(one, 5, 4), [2000, 4000, 4000, 4000]);
});

test('one wrong password counts once, at whichever worker it comes in again, and is told once', () => {
  const node = new Node();
  const workers = [node.worker(), node.worker(), node.worker()];
  for (let count = 0; count < 30; count += 1) assert.equal(workers[count % 3]?.failed(mallory, 'bob@example.com', 'the old one'), 0);
  assert.equal(node.posts.length, 1);
  assert.doesNotMatch(JSON.stringify(node.posts), /the old one/);
});

test('in a network of guesses a stranger waits a bounded time, whom it knows not at all, whatever worker knows', () => {
  const node = new Node();
  const [one, other] = [node.worker(), node.worker()];
  const [alice, carol] = [{ ...mallory, name: 'alice' }, { ...mallory, name: 'carol' }];
  one.succeeded(alice, 'alice@example.com');
  guess(one, 0, 40);
  for (const worker of [one, other, node.worker()]) {
    assert.equal(worker.begin(alice), 0);
    assert.equal(worker.begin(carol), 1000);
    assert.equal(worker.begin({ network: '4:1', name: 'carol' }), 0, 'elsewhere');
  }
});

test('a success clears the account for all workers, not the network', () => {
  const node = new Node();
  const [one, other] = [node.worker(), node.worker()];
  guess(one, 0, 5);
  other.succeeded({ network: '4:1', name: 'bob' }, 'bob@example.com');
  assert.equal(one.failed({ network: '4:2', name: 'bob' }, 'bob@example.com', 'typo'), 0);
  assert.equal(one.begin(mallory), 1000);
});

test('logins of clients that are known tell the others nothing', () => {
  const node = new Node();
  const worker = node.worker();
  for (let count = 0; count < 100; count += 1) worker.succeeded({ network: '4:1', name: 'alice' }, 'alice@example.com');
  assert.equal(node.posts.length, 1);
});

test('what was forgotten is not brought back by a new worker', async () => {
  const node = new Node();
  guess(node.worker({ forgetMs: 50 }), 0, 5);
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.equal(node.worker({ forgetMs: 50 }).begin(mallory), 0);
});

test('attempts under way at one worker count at the others, until they are over', () => {
  const node = new Node();
  const [one, other] = [node.worker({ longestWaitMs: 4000 }), node.worker({ longestWaitMs: 4000 })];
  guess(one, 0, 3);
  assert.equal(other.begin(mallory), 250);
  other.end(mallory);
  assert.deepEqual([one.begin(mallory), one.begin(mallory), other.begin(mallory), other.begin(mallory)], [250, 500, 1000, 2000]);
  for (const worker of [one, one, other, other]) worker.end(mallory);
  assert.equal(other.begin(mallory), 250);
  other.end(mallory);
  assert.equal(one.begin({ network: '4:1', name: 'carol' }), 0, 'a network without failures is nobody\'s news');
  assert.ok(!JSON.stringify(node.posts).includes('"4:1"'));
});
