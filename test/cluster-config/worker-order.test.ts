/** What the first process of a node tells its workers: they run the configuration that it has checked, so nothing of it may be lost on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { parseConfig } from '../../cluster-config/load.ts';
import { frozenOf, withFrozen } from '../../cluster-config/publishing/restart-needs.ts';
import { parametersSchema } from '../../cluster-config/schema.ts';
import { valueTraits } from '../../cluster-config/schema-walk.ts';
import { orderText, readOrder } from '../../cluster-config/worker-order.ts';
import { sample, sampleFile } from './sample.ts';

const orders = Object.values(parseConfig(sample, sampleFile).nodes).map((config) => (
  { node: config.nodeName, version: { text: sample, label: sampleFile, file: sampleFile, base: {}, number: undefined }, frozen: frozenOf(config), config, held: {} }));

test('a worker has the configuration as the first process has it', () => {
  for (const order of orders) assert.deepEqual(readOrder(orderText(order), order.config.role).config, order.config);
});

test('a worker takes what was checked, unless that was done by a program with other parameters', () => {
  for (const { config, ...order } of orders) {
    const changed = { ...order, config: { ...config, drainSeconds: 4711 } };
    const text = orderText(changed);
    assert.equal(readOrder(text, config.role).config.drainSeconds, 4711);
    const other = text.replace(/"parameters":"[0-9a-f]{64}"/, '"parameters":"other"');
    assert.deepEqual(readOrder(other, config.role).config, withFrozen(config, order.frozen));
    const { checked: _, ...unchecked } = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(readOrder(JSON.stringify(unchecked), config.role).config, withFrozen(config, order.frozen));
  }
});

test('what a program knows of its parameters reaches into lists, chosen names and alternatives, and has bounds, choices and defaults', () => {
  const traits = valueTraits(parametersSchema);
  for (const start of ['drainSeconds number ', 'drainSeconds = 10', 'services.imap.listeners[].address string ', 'domainSettings.*.status enum ', 'userMaps[].name string ']) assert.ok(traits.some((trait) => trait.startsWith(start)), start);
  const text = (schema: z.ZodType): string => valueTraits(z.object({ inner: z.array(z.strictObject({ value: schema })) })).join('\n');
  const whole = z.number().int().min(1);
  const others = [whole.max(5).default(3), whole.max(6).default(3), whole.max(5).default(4), whole.max(5), whole.max(5).optional(), z.enum(['a', 'b']), z.enum(['a', 'c']), z.string(), z.string().max(9), z.string().regex(/a/), z.string().regex(/b/)];
  assert.equal(new Set(others.map(text)).size, others.length);
});

test('every parameter is a value that JSON can carry', () => {
  assert.doesNotThrow(() => z.toJSONSchema(parametersSchema, { io: 'output', unrepresentable: 'throw' }));
});
