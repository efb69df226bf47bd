/** Hints between workers: what is told, and how often. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hintBus } from '../../../shared/service/hint-bus.ts';

test('A worker that has just sent hints waits a while before it sends the next, and its own listeners hear of each at once', async () => {
  const sent: { readonly atMs: number; readonly mailboxes: readonly unknown[]; readonly changes: readonly unknown[] }[] = [];
  let heard: () => void = () => undefined;
  const bus = hintBus((hints) => {
    sent.push({ atMs: performance.now(), mailboxes: hints.map(({ mailbox }) => mailbox), changes: hints.map(({ changes }) => changes ?? 1) });
    heard();
  });
  const own: unknown[] = [];
  bus.subscribe(({ mailbox }) => own.push(mailbox));
  const published = async (...mailboxes: readonly number[]): Promise<void> => new Promise((resolve) => {
    heard = resolve;
    for (const mailbox of mailboxes) bus.publish({ account: 'a', mailbox });
  });
  await published(1, 2, 1);
  await published(3, 3, 3);
  assert.deepEqual(sent.map(({ mailboxes }) => mailboxes), [[1, 2], [3]]);
  assert.deepEqual(sent.map(({ changes }) => changes), [[2, 1], [3]]);
  assert.deepEqual(own, [1, 2, 1, 3, 3, 3]);
  const [first, second] = sent;
  assert.ok(first !== undefined && second !== undefined && second.atMs - first.atMs > 45, 'the second message waits');
});
