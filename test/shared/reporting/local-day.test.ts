/** Days of 23, 24 and 25 hours, days without a midnight, and which report is due. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { dayAfter, isDay, latestDueDay, localTime, spanOfDay } from '../../../shared/reporting/local-day.ts';

const hourMs = 3_600_000;

test('a day has as many hours as its clocks say, and days follow one another without a gap', () => {
  const cases: readonly (readonly [zone: string, day: string, fromUtc: string, hours: number])[] = [
    ['UTC', '2026-11-25', '2026-11-25T00:00:00Z', 24],
    ['Europe/Vienna', '2026-11-25', '2026-11-24T23:00:00Z', 24],
    ['Europe/Vienna', '2026-03-29', '2026-03-28T23:00:00Z', 23],
    ['Europe/Vienna', '2026-10-25', '2026-10-24T22:00:00Z', 25],
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00Z', 23],
    ['America/New_York', '2026-11-01', '2026-11-01T04:00:00Z', 25],
    ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00Z', 24.5], // clocks go half an hour
    ['Asia/Kathmandu', '2026-06-01', '2026-05-31T18:15:00Z', 24],
    ['Pacific/Kiritimati', '2026-01-01', '2025-12-31T10:00:00Z', 24],
    ['Etc/GMT+12', '2026-01-01', '2026-01-01T12:00:00Z', 24],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00Z', 23], // 00:00 is 01:00
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00Z', 23],
  ];
  for (const [zone, day, fromUtc, hours] of cases) {
    const { fromMs, toMs } = spanOfDay(day, zone);
    assert.deepEqual([new Date(fromMs).toISOString().replace('.000', ''), (toMs - fromMs) / hourMs], [fromUtc, hours], `${day} in ${zone}`);
    assert.equal(localTime(fromMs, zone).day, day);
    assert.equal(localTime(fromMs - 1, zone).day, dayAfter(day, -1));
    assert.equal(spanOfDay(dayAfter(day), zone).fromMs, toMs);
  }
});

test('yesterday\'s report is due from its hour on, by the clocks of the zone', () => {
  const due = (at: string, timeZone: string, hour = 6): string => latestDueDay(Date.parse(at), { hour, timeZone });
  assert.equal(due('2026-11-26T05:59:59Z', 'UTC'), '2026-11-24');
  assert.equal(due('2026-11-26T06:00:00Z', 'UTC'), '2026-11-25');
  assert.equal(due('2026-11-26T04:59:59Z', 'Europe/Vienna'), '2026-11-24');
  assert.equal(due('2026-11-26T05:00:00Z', 'Europe/Vienna'), '2026-11-25');
  assert.equal(due('2026-03-01T10:00:00Z', 'UTC'), '2026-02-28');
  assert.equal(due('2026-01-01T00:00:00Z', 'UTC', 0), '2025-12-31');
  // 02:00 does not exist on the day on which clocks go forward: the report is due at 03:00.
  assert.equal(due('2026-03-29T00:59:59Z', 'Europe/Vienna', 2), '2026-03-27');
  assert.equal(due('2026-03-29T01:00:00Z', 'Europe/Vienna', 2), '2026-03-28');
  // And 02:00 comes twice when they go back: it is due once, at the first.
  assert.equal(due('2026-10-25T00:00:00Z', 'Europe/Vienna', 2), '2026-10-24');
  assert.equal(due('2026-10-25T01:00:00Z', 'Europe/Vienna', 2), '2026-10-24');
});

test('a day is one of the calendar', () => {
  for (const good of ['2026-02-28', '2024-02-29', '2026-12-31']) assert.ok(isDay(good), good);
  for (const bad of ['2026-02-29', '2026-13-01', '26-01-01', '2026-1-1', 'yesterday', '', '2026-01-01T00:00:00Z']) assert.ok(!isDay(bad), bad);
  assert.deepEqual([dayAfter('2024-02-28'), dayAfter('2026-03-01', -1), dayAfter('2026-12-31')], ['2024-02-29', '2026-02-28', '2027-01-01']);
});
