/** Samples of a node's counters: taken up to the end of the work, whichever way it ends. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { configOfNode, parseConfig } from '../../cluster-config/load.ts';
import { startReporting, withSampleFile } from '../../cluster-config/node-reporting.ts';
import { createLog } from '../../shared/log/log.ts';
import type { Snapshot } from '../../shared/metrics/snapshot.ts';
import { loneWorker } from '../harness/lone-worker.ts';
import { temporaryDirectory } from '../backend/storage/harness.ts';
import { sample, sampleFile } from './sample.ts';

const counted: Snapshot = [{ name: 'waybill_test_open', help: 'A level.', kind: 'gauge', combine: 'sum', labels: [], series: [{ labels: [], values: [7] }] }];

test('who took samples takes a last one when he retires, ends what is under way, and may be stopped afterwards', async (t) => {
  const file = join(temporaryDirectory(t), 'reports.sqlite');
  const config = configOfNode(parseConfig(sample.replace(/^cluster:\n/m, `cluster:\n  reporting: { enable: true, file: ${file} }\n`), sampleFile), 'be1', sampleFile);
  const warnings: unknown[] = [];
  const log = Object.assign(createLog({ node: 'be1', level: 'silent' }), { warn: (...told: unknown[]) => warnings.push(told) });
  const [service] = startReporting({ config, log, siblings: loneWorker(), measure: async () => Promise.resolve(counted) });
  assert.ok(service !== undefined);
  await Promise.all([service.retire(), service.stop(0)]);
  await service.stop(0);
  assert.deepEqual(warnings, []);
  const found = await withSampleFile(config, (samples) => samples.find({ scope: 'server', name: '', fromMs: 0, toMs: Date.now(), counters: ['test_open'] }));
  assert.deepEqual(found.map(({ value }) => value), [7]);
});
