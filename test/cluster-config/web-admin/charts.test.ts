/** The charts of WebAdmin: round axes, and what nodes counted as lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linePath, timeTicks, valueTicks } from '../../../cluster-config/web-admin/ui/src/charts/axis.ts';
import { serverCharts } from '../../../cluster-config/web-admin/ui/src/reports/catalogue.ts';
import type { ChartKind } from '../../../cluster-config/web-admin/ui/src/reports/catalogue.ts';
import { everPresent, firstOf, linesOf } from '../../../cluster-config/web-admin/ui/src/reports/lines.ts';

const minuteMs = 60_000;

function chart(title: string): ChartKind {
  const found = serverCharts.flatMap(({ kinds }) => kinds).find((kind) => kind.title === title);
  assert.ok(found);
  return found;
}

/** A node that sampled at these minutes. */
function node(name: string, minutes: readonly number[], series: Readonly<Record<string, readonly (readonly [number, number])[]>>) {
  const level = (counter: string): boolean => /sessions|memory/.test(counter);
  const all = { ...series, [everPresent]: minutes.map((minute) => [minute, 1e6] as const) };
  return {
    node: name, keeps: 'file' as const, isWhole: true, stepMs: minuteMs,
    series: Object.entries(all).map(([counter, points]) => ({ counter, kind: level(counter) ? 'level' as const : 'growth' as const, points: points.map(([minute, value]): [number, number] => [minute * minuteMs, value]) })),
  };
}

test('values go from 0 in round steps to the first that covers them', () => {
  assert.deepEqual(valueTicks(7), [0, 2, 4, 6, 8]);
  assert.deepEqual(valueTicks(100), [0, 50, 100]);
  assert.deepEqual(valueTicks(0.003), [0, 0.001, 0.002, 0.003]);
  assert.deepEqual(valueTicks(1), [0, 0.5, 1]);
  for (const most of [0.17, 3, 29, 31, 999, 1001, 5e9]) {
    const ticks = valueTicks(most);
    assert.ok((ticks.at(-1) ?? 0) >= most && ticks.length <= 6, `${String(most)}: ${ticks.join(' ')}`);
  }
});

test('times are round by the reader\'s clock, and days begin at midnight', () => {
  const from = new Date(2026, 10, 25, 13, 7, 31).getTime();
  assert.deepEqual(timeTicks(from, from + 60 * minuteMs, 4).map((at) => new Date(at).toTimeString().slice(0, 5)), ['13:15', '13:30', '13:45', '14:00']);
  const days = timeTicks(from, from + 7 * 1440 * minuteMs, 4).map((at) => new Date(at));
  assert.deepEqual(days.map((at) => [at.getDate(), at.getHours()]), [[27, 0], [29, 0], [1, 0]]);
});

test('a line passes over one value that is missing, and breaks at more', () => {
  const frame = { left: 0, top: 0, width: 50, height: 10 };
  assert.equal(linePath([0, undefined, 10, undefined, undefined, 5], 10, frame), 'M0.0 10.0L20.0 0.0M50.0 5.0');
});

test('what was added becomes a rate, summed over front-ends; where a sample was taken and nothing told it was 0; the step that is not over is left out', () => {
  const counter = 'imap_inbound_connection_authenticated_success/imapProxy';
  const nodes = [node('fe1', [1, 2, 3, 4], { [counter]: [[1, 6], [3, 2], [4, 100]] }), node('fe2', [3, 4], { [counter]: [[3, 4]] })];
  const { times, lines } = linesOf(nodes, chart('Logins'), { fromMs: 0, toMs: 4.5 * minuteMs });
  assert.deepEqual(times, [0, 1, 2, 3].map((minute) => minute * minuteMs));
  assert.deepEqual(lines, [{ name: 'IMAP', values: [undefined, 6, 0, 6] }]);
  assert.equal(firstOf(nodes), minuteMs);
});

test('nodes whose steps differ are joined in the longer ones: levels as they were at last, growth added', () => {
  const short = node('be1', [0, 1, 2, 3], { 'smtp_inbound_message/smtpReceiving': [[0, 1], [1, 2], [2, 3], [3, 4]], processing_queue_size: [[1, 5], [2, 7], [3, 9]] });
  const long = { ...node('be2', [0, 2], { 'smtp_inbound_message/smtpReceiving': [[0, 4]] }), stepMs: 2 * minuteMs };
  const span = { fromMs: 0, toMs: 4 * minuteMs };
  assert.deepEqual(linesOf([short, long], chart('Messages accepted'), span).lines, [{ name: 'be1', values: [1.5, 3.5] }, { name: 'be2', values: [2, 0] }]);
  const queue = { ...short, series: short.series.map((one) => (one.counter === 'processing_queue_size' ? { ...one, kind: 'level' as const } : one)) };
  assert.deepEqual(linesOf([queue, long], chart('Queue'), span).lines, [{ name: 'be1', values: [5, 9] }], 'who has nothing but zeros has no line');
});

test('every chart\'s counters belong to one of its lines', () => {
  for (const kind of serverCharts.flatMap(({ kinds }) => kinds)) for (const counter of kind.counters) assert.notEqual(kind.lineOf(counter, 'be1'), undefined, counter);
});
