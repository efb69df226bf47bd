/** The worker's half of a node by itself: what it tells its supervisor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../shared/log/log.ts';
import type { Order, Report } from '../../../shared/service/messages.ts';
import { runWorker } from '../../../shared/service/worker.ts';

test('Hints of one moment go as one message, and those of the last moment of a worker are told before it leaves', async () => {
  const reports: Report[] = [];
  let order: (order: Order) => void = () => undefined;
  const channel = { send: (report: Report): void => void reports.push(report), onMessage: (listener: (message: unknown) => void): void => { order = listener; } };
  const hintsTold = (): unknown[] => reports.flatMap((report) => (report.kind === 'hints' ? [report.hints.map(({ account }) => account)] : []));
  const ended = runWorker(channel, async ({ hints }) => {
    hints.publish({ account: 'a' });
    hints.publish({ account: 'b' });
    hints.publish({ account: 'a' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { log: createLog({ node: 'n', level: 'silent' }), services: [], admin: [], onAppointed: async () => Promise.resolve([]), renew: async () => Promise.resolve(), close: async () => Promise.resolve(hints.publish({ account: 'last' })) };
  });
  order({ kind: 'start', slot: 0, configuration: '', stopped: [] });
  order({ kind: 'stop', graceMs: 0 });
  assert.equal(await ended, 'drained');
  assert.deepEqual(hintsTold(), [['a', 'b'], ['last']]);
});
