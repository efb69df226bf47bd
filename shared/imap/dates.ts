/** Dates of IMAP (RFC 9051 section 9): date, date-time. Times are milliseconds since 1970. */
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const datePattern = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/;
const dateTimePattern = /^([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;

/** A date of SEARCH, quoted or not, as midnight UTC of that day. @throws bad-input */
export function takeDate(scanner: Scanner): number {
  const day = parseDayMs(scanner.astring());
  if (day === undefined) throw malformed('malformed date: expected a day such as 1-Feb-2026');
  return day;
}

/** Midnight UTC of a day written as `1-Feb-2026`, undefined when there is no such day. */
export function parseDayMs(text: string): number | undefined {
  const match = datePattern.exec(text);
  return match === null ? undefined : dayMs(Number(match[3]), match[2] ?? '', Number(match[1]));
}

/** A quoted date-time of APPEND. @throws bad-input */
export function takeDateTime(scanner: Scanner): number {
  const match = dateTimePattern.exec(scanner.string());
  if (match === null) throw malformed('malformed date-time: expected "01-Feb-2026 12:00:00 +0000"');
  const [, day, month = '', year, hours, minutes, seconds, sign, zoneHours, zoneMinutes] = match;
  const timeOfDayMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  const zoneMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  const midnightMs = dayMs(Number(year), month, Number(day));
  if (midnightMs === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 60) throw malformed('no such date or time');
  const timeMs = midnightMs + timeOfDayMs - zoneMs;
  if (timeMs < firstMs || timeMs > lastMs) throw malformed('no such date or time');
  return timeMs;
}

/** Years have four digits, in UTC, too, in which dates are told. */
const [firstMs, lastMs] = [Date.parse('0000-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59Z')];

function dayMs(year: number, monthName: string, day: number): number | undefined {
  const month = months.findIndex((name) => name.toLowerCase() === monthName.toLowerCase());
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return month < 0 || date.getUTCDate() !== day || date.getUTCMonth() !== month ? undefined : date.getTime();
}

/** INTERNALDATE and SAVEDATE as a quoted date-time in UTC. */
export function formatDateTime(timeMs: number): string {
  const date = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}-${months[date.getUTCMonth()] ?? 'Jan'}-${String(date.getUTCFullYear()).padStart(4, '0')}`;
  return `"${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000"`;
}
