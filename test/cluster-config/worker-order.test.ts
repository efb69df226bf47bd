/** What the first process of a node tells its workers: they run the configuration that it has checked, so nothing of it may be lost on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { parseConfig } from '../../cluster-config/load.ts';
import { parametersSchema } from '../../cluster-config/schema.ts';
import { orderText, readOrder } from '../../cluster-config/worker-order.ts';
import { sample, sampleFile } from './sample.ts';

test('a worker has the configuration as the first process has it', () => {
  for (const config of Object.values(parseConfig(sample, sampleFile).nodes)) {
    const order = { node: config.nodeName, version: { text: sample, label: sampleFile, file: sampleFile, base: {}, number: undefined }, config, held: {} };
    assert.deepEqual(readOrder(orderText(order)), order);
  }
});

test('every parameter is a value that JSON can carry', () => {
  assert.doesNotThrow(() => z.toJSONSchema(parametersSchema, { io: 'output', unrepresentable: 'throw' }));
});
