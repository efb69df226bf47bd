/** Services of a worker that is just starting, and what administrators want of them meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../shared/log/log.ts';
import type { Service } from '../../../shared/service/service.ts';
import { ServiceRack } from '../../../shared/service/service-rack.ts';
import { WorkerWishes } from '../../../shared/service/service-wishes.ts';
import { loneWorker } from '../../harness/lone-worker.ts';

test('a service that is stopped while the worker starts it does not run afterwards', async () => {
  const gate = Promise.withResolvers<void>();
  const events: string[] = [];
  const part: Service = { name: 'imap', retire: async () => Promise.resolve(), stop: async () => Promise.resolve(void events.push('stopped')) };
  const start = async (): Promise<readonly Service[]> => {
    await gate.promise;
    events.push('started');
    return [part];
  };
  const wishes = new WorkerWishes(() => undefined);
  const rack = new ServiceRack({ units: [{ name: 'imap', per: 'worker', places: [], start }], wishes, siblings: loneWorker(), graceMs: 100, log: createLog({ node: 'test', level: 'silent' }) });
  const started = rack.start();
  wishes.receive({ name: 'imap', wish: 'stop' });
  gate.resolve();
  const [service] = await started;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([events, rack.states().map(({ state }) => state)], [['started', 'stopped'], ['stopped']]);
  await service?.stop(100);
});
