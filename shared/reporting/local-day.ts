/** Days as a time zone has them: of 24 hours, or 23 and 25 when clocks change. Pure. */

/** A day of the calendar: `2026-03-29`. */
export type Day = string;

export interface Span {
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  /** The first moment after it. */
  readonly toMs: number;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Local time is less than that apart from UTC, everywhere (UTC-12 to UTC+14). */
const farthestMs = 15 * 3_600_000;

/** Day and hour of a moment. @throws RangeError for an unknown zone */
export function localTime(atMs: number, timeZone: string): { readonly day: Day; readonly hour: number } {
  const parts = new Map(formatOf(timeZone).formatToParts(atMs).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? '';
  return { day: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`, hour: Number(part('hour')) };
}

/** So many days later, or earlier. */
export function dayAfter(day: Day, days = 1): Day {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10);
}

/** From the first moment of the day, which is not midnight everywhere, to that of the next. */
export function spanOfDay(day: Day, timeZone: string): Span {
  return { fromMs: beginningOf(day, timeZone), toMs: beginningOf(dayAfter(day), timeZone) };
}

/** The day whose report is the latest that is due: yesterday once the hour has come, else the day before. */
export function latestDueDay(nowMs: number, { hour, timeZone }: { readonly hour: number; readonly timeZone: string }): Day {
  const now = localTime(nowMs, timeZone);
  return dayAfter(now.day, now.hour >= hour ? -1 : -2);
}

/** Whether the text is a day of the calendar. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(text).toString() !== 'Invalid Date' && new Date(text).toISOString().startsWith(text);
}

/** By halving: clocks change on whole minutes, and days never come twice. */
function beginningOf(day: Day, timeZone: string): number {
  let [before, from] = [Date.parse(day) - farthestMs, Date.parse(day) + farthestMs];
  while (from - before > minuteMs) {
    const middle = before + Math.floor((from - before) / 2 / minuteMs) * minuteMs;
    if (localTime(middle, timeZone).day >= day) from = middle;
    else before = middle;
  }
  return from;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'iso8601', hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit' });
  formats.set(timeZone, made);
  return made;
}
