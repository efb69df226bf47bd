/** Times of charts in words. */

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const toTheSecond = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** As exactly as the steps are long. */
export function timeText(atMs: number, stepMs: number): string {
  return (stepMs < 60_000 ? toTheSecond : exact).format(atMs);
}

/** For an axis: days at midnight, else the clock. */
export function tickText(atMs: number): string {
  const date = new Date(atMs);
  return (date.getHours() === 0 && date.getMinutes() === 0 ? day : clock).format(date);
}

/** How long a step is: `minute`, `15 minutes`, `2 hours`. */
export function stepText(stepMs: number): string {
  if (stepMs < 60_000) return counted(Math.round(stepMs / 1000), 'second');
  const minutes = Math.round(stepMs / 60_000);
  if (minutes % 1440 === 0) return counted(minutes / 1440, 'day');
  return minutes % 60 === 0 ? counted(minutes / 60, 'hour') : counted(minutes, 'minute');
}

function counted(count: number, unit: string): string {
  return count === 1 ? unit : `${String(count)} ${unit}s`;
}
