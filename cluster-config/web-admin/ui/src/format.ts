/** Times and numbers as administrators read them. */

const number = new Intl.NumberFormat();
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${number.format(count)} ${count === 1 ? one : many}`;
}

export function numberText(value: number): string {
  return number.format(value);
}

/** A moment to the second. */
export function exactTime(at: string | number): string {
  return exact.format(new Date(at));
}

/** How long since, or how long until. */
export function distance(at: string | number, nowMs = Date.now()): string {
  const ms = new Date(at).getTime() - nowMs;
  const text = spanText(Math.abs(ms));
  if (text === '') return 'now';
  return ms < 0 ? `${text} ago` : `in ${text}`;
}

function spanText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 5) return '';
  if (seconds < 90) return `${String(seconds)} s`;
  if (seconds < 5400) return `${String(Math.round(seconds / 60))} min`;
  if (seconds < 129_600) return `${String(Math.round(seconds / 3600))} h`;
  return countText(Math.round(seconds / 86_400), 'day');
}
