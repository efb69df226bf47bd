/** The time in log lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeMember } from '../../../shared/log/line-time.ts';

test('the time is ISO 8601 in UTC to the millisecond, whichever way the clock goes', () => {
  const start = Date.UTC(2026, 11, 31, 23, 59, 59, 995);
  const times = [...Array.from({ length: 10 }, (_, index) => start + index), start - 1, start - 1000, Date.UTC(2024, 1, 29), Date.UTC(2027, 0, 1, 9, 8, 7, 6)];
  for (const time of times) assert.equal(timeMember(time), `,"time":"${new Date(time).toISOString()}"`);
});
