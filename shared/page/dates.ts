/** Dates and sizes as people read them. */

/** The browser's language until `writeDatesIn` names another. */
let { time, dayOfYear, dayAndYear, whole, medium } = formatsOf(undefined);

function formatsOf(language: string | undefined) {
  return {
    time: new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' }),
    dayOfYear: new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' }),
    dayAndYear: new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric' }),
    whole: new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'short' }),
    medium: new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }),
  };
}

/** Dates from now on are written in this language, as the browser's region has them where the browser speaks it. */
export function writeDatesIn(language: string): void {
  const regional = navigator.languages.find((tag) => tag.toLowerCase().split('-', 1)[0] === language);
  ({ time, dayOfYear, dayAndYear, whole, medium } = formatsOf(regional ?? language));
}

/** As short as can be understood: the time today, the day this year. */
export function shortDate(dateMs: number): string {
  const date = new Date(dateMs);
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return time.format(date);
  return (date.getFullYear() === now.getFullYear() ? dayOfYear : dayAndYear).format(date);
}

export function fullDate(dateMs: number): string {
  return whole.format(dateMs);
}

export function mediumDate(dateMs: number): string {
  return medium.format(dateMs);
}

export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${String(bytes)} B`;
  if (bytes < 1_000_000) return `${String(Math.round(bytes / 1000))} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  if (bytes < 1_000_000_000_000) return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
  return `${(bytes / 1_000_000_000_000).toFixed(1)} TB`;
}
