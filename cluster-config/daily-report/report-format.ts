/** Numbers, sizes and times as a language writes them. Pure. */
import type { Language } from '../../shared/language/language.ts';

export interface Format {
  number(value: number): string;
  percent(part: number): string;
  /** Decimal units, as disks have them. */
  bytes(value: number): string;
  /** The day in words; `atMs` lies in it. */
  day(atMs: number): string;
  date(atMs: number): string;
  /** Day and time. */
  time(atMs: number): string;
  /** About how long. */
  age(seconds: number): string;
}

const regions: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de' };
const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

export function formatFor(language: Language, timeZone: string): Format {
  const locale = regions[language];
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const day = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: 'full' });
  const date = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: 'medium' });
  const time = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: 'medium', timeStyle: 'short' });
  const unit = (value: number, name: string): string => new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: name === 'byte' || name === 'second' || name === 'minute' || name === 'hour' || name === 'day' ? 'long' : 'short', maximumFractionDigits: Math.abs(value) < 10 && name !== 'byte' ? 1 : 0 }).format(value);
  return {
    number: (value) => whole.format(value),
    percent: (part) => percent.format(part),
    bytes: (value) => {
      const power = Math.min(units.length - 1, Math.abs(value) < 1 ? 0 : Math.floor(Math.log10(Math.abs(value)) / 3));
      return unit(value / 1000 ** power, units[power] ?? 'byte');
    },
    day: (atMs) => day.format(atMs),
    date: (atMs) => date.format(atMs),
    time: (atMs) => time.format(atMs),
    age: (seconds) => {
      if (seconds < 90) return unit(Math.round(seconds), 'second');
      if (seconds < 5400) return unit(Math.round(seconds / 60), 'minute');
      return seconds < 129_600 ? unit(Math.round(seconds / 3600), 'hour') : unit(Math.round(seconds / 86_400), 'day');
    },
  };
}
