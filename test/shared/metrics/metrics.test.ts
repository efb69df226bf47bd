/** Counting in one process, several as one, and the text that Prometheus reads. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { counter, gauge, histogram, snapshot, whenMeasured } from '../../../shared/metrics/metrics.ts';
import { openMetricsText } from '../../../shared/metrics/open-metrics.ts';
import { combineSnapshots, lasting, valueOf } from '../../../shared/metrics/snapshot.ts';
import { readOpenMetrics } from '../../harness/open-metrics.ts';

const messages = counter({ name: 'waybill_test_message', help: 'With "quotes", a \\ and\na second line.', labels: ['service', 'reason'] });
const open = gauge({ name: 'waybill_test_open', help: 'Open.' });
const oldest = gauge({ name: 'waybill_test_oldest_seconds', unit: 'seconds', help: 'Oldest.', combine: 'max' });
const took = histogram({ name: 'waybill_test_took_seconds', unit: 'seconds', help: 'Took.', labels: ['node'], bounds: [0.005, 0.1, 1] });

test('what several processes counted is one node: counters are summed, gauges as they say, and the dead count on', () => {
  messages.add({ service: 'imap', reason: 'a "b" \\ \n' });
  messages.add({ service: 'imap', reason: 'x' }, 2.5);
  open.add({}, 3);
  oldest.set({}, 7);
  for (const seconds of [0.001, 0.005, 0.05, 0.2, 30]) took.observe({ node: 'be1' }, seconds);
  const first = snapshot();
  open.add({}, -1);
  oldest.set({}, 4);
  messages.add({ service: 'pop3', reason: 'x' });
  const second = snapshot();
  const both = combineSnapshots([first, second]);
  assert.equal(valueOf(both, 'waybill_test_message', { reason: 'x' }), 6);
  assert.equal(valueOf(both, 'waybill_test_open'), 5);
  assert.equal(valueOf(both, 'waybill_test_oldest_seconds'), 7);
  assert.equal(valueOf(both, 'waybill_test_took_seconds'), 10);
  const afterDeath = combineSnapshots([lasting(first), second]);
  assert.equal(valueOf(afterDeath, 'waybill_test_open'), 2);
  assert.equal(valueOf(afterDeath, 'waybill_test_message'), valueOf(both, 'waybill_test_message'));
  const { samples, families } = readOpenMetrics(openMetricsText(both));
  assert.equal(samples.get('waybill_test_message_total{service="imap",reason="a \\"b\\" \\\\ \\n"}'), 2);
  assert.equal(samples.get('waybill_test_took_seconds_bucket{node="be1",le="0.1"}'), 6);
  assert.equal(samples.get('waybill_test_took_seconds_bucket{node="be1",le="+Inf"}'), 10);
  assert.equal(families.get('waybill_test_took_seconds')?.unit, 'seconds');
});

test('values that are read are read for each snapshot; a label without end costs a bounded number of series', () => {
  const end = whenMeasured(() => open.set({}, 42));
  assert.equal(valueOf(snapshot(), 'waybill_test_open'), 42);
  end();
  for (let user = 0; user < 2000; user += 1) messages.add({ service: 'smtp', reason: `user ${String(user)}` });
  const family = snapshot().find(({ name }) => name === 'waybill_test_message');
  assert.ok((family?.series.length ?? 9999) <= 501);
  assert.ok(valueOf(snapshot(), 'waybill_test_message', { reason: 'other' }) > 1400);
  assert.throws(() => counter({ name: 'waybill_test_message', help: 'Again.' }), /two families/);
});
