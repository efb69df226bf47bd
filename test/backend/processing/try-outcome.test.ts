import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../../backend/processing/queue-item.ts';
import type { QueueItem } from '../../../backend/processing/queue-item.ts';
import { defaultRetryOptions } from '../../../backend/processing/retry-schedule.ts';
import { conclude } from '../../../backend/processing/try-outcome.ts';
import type { Conclusion, TryOutcome } from '../../../backend/processing/try-outcome.ts';

const retry = { ...defaultRetryOptions, jitter: 0 };
const words = { status: '4.0.0', text: 'words', isReply: false, remote: undefined };
const outage = (nowMs: number): TryOutcome => ({ at: 'outage', dueAtMs: nowMs + 5000, words });
const delivered: TryOutcome = { at: 'delivered', told: 'open', report: 'delivered', words };

function item(notify?: readonly string[]): QueueItem {
  return {
    id: '1', place: { pack: 1, offset: 0, length: 1 }, digest: '', trace: '', acceptedAtMs: 0, confirmation: 'open', holder: '1:1',
    sender: { address: 'alice@example.com', ret: undefined, envid: undefined, smtpUtf8: false, eightBit: false },
    recipients: [{ address: 'bob@example.com', notify, orcpt: undefined, destination: 'node:be2', state: { at: 'waiting', dueAtMs: 0, why: 'new' }, tries: 0, delayTold: false, lastWords: undefined }],
  };
}

function after(before: QueueItem, outcome: TryOutcome, nowMs = 1000): Conclusion {
  return conclude(before, new Map([[0, outcome]]), { retry, nowMs });
}

test('outages inside the cluster are not counted, tell the sender once after an hour, and end after six days', () => {
  let at = item();
  const told: string[] = [];
  for (let nowMs = 0; at.recipients[0]?.state.at === 'waiting'; nowMs += 1_800_000) {
    const conclusion = after(at, outage(nowMs), nowMs);
    told.push(...conclusion.reports.map(({ action }) => `${action} at ${String(nowMs / 3_600_000)} h`));
    at = conclusion.item;
    assert.equal(at.recipients[0]?.tries, 0);
  }
  assert.deepEqual(told, ['delayed at 1 h', 'failed at 144 h']);
});

test('refusals are counted: a notice after the fourth, the end after twenty retries, 4.8 days as the manual\'s numbers give', () => {
  let at = item();
  const told: string[] = [];
  let nowMs = 0;
  for (;;) {
    const conclusion = after(at, { at: 'refused', permanent: 'no', words }, nowMs);
    told.push(...conclusion.reports.map(({ action }) => `${action} after ${String(conclusion.item.recipients[0]?.tries)} tries`));
    at = conclusion.item;
    const state = at.recipients[0]?.state;
    if (state?.at !== 'waiting') break;
    nowMs = state.dueAtMs;
  }
  assert.deepEqual(told, ['delayed after 4 tries', 'failed after 21 tries']);
  assert.equal(nowMs / 60_000, 6875);
});

test('an owner that is only to hear of a lost client causes no report, whatever it answers', () => {
  const handedOver = after(item(['SUCCESS', 'FAILURE', 'DELAY']), delivered);
  assert.deepEqual(handedOver.reports.map(({ action }) => action), ['delivered']);
  const loose = settled(handedOver.item, 'loose', 2000);
  assert.deepEqual(loose.recipients[0]?.state, { at: 'waiting', dueAtMs: 2000, why: 'amend' });
  const answers: readonly TryOutcome[] = [delivered, { at: 'refused', permanent: 'yes', words }, { at: 'refused', permanent: 'no', words }];
  for (const answer of answers) {
    const { item: end, reports } = after(loose, answer, 3000);
    assert.deepEqual([end.recipients[0]?.state.at, reports.length], ['finished', 0], answer.at);
  }
  const moved = after(loose, { at: 'moved', destination: 'node:be3', dueAtMs: 4000 }, 3000);
  assert.deepEqual([moved.item.recipients[0]?.destination, moved.item.recipients[0]?.state, moved.reports.length], ['node:be3', { at: 'waiting', dueAtMs: 4000, why: 'amend' }, 0]);
  const waits = after(loose, outage(3_600_000), 3_600_000);
  assert.deepEqual([waits.item.recipients[0]?.state.at, waits.reports.length], ['waiting', 0]);
  assert.equal(after(waits.item, outage(9e8), 9e8).item.recipients[0]?.state.at, 'finished');
});

test('a session that is lost while the hand-over is under way is told to the owner, too', () => {
  const loose = settled(item(), 'loose', 500);
  const { item: end } = after(loose, delivered);
  assert.deepEqual(end.recipients[0]?.state, { at: 'waiting', dueAtMs: 1000, why: 'amend' });
});
