/** Values of charts in words. */
import type { Unit } from './catalogue.ts';

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const finest = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const sizes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

export const unitNames: Readonly<Record<Unit, string>> = { count: '', 'each step': '', 'per minute': 'per minute', bytes: '', processors: 'processors', seconds: '' };

export function valueText(value: number, unit: Unit): string {
  switch (unit) {
    case 'count': case 'each step': return whole.format(value);
    case 'per minute': case 'processors': return fineText(value);
    case 'seconds': return value < 1 ? `${fineText(value * 1000)} ms` : `${fineText(value)} s`;
    case 'bytes': return bytesText(value);
  }
}

function fineText(value: number): string {
  return (value >= 100 ? whole : value >= 10 ? fine : finest).format(value);
}

function bytesText(value: number): string {
  const power = Math.min(sizes.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
  return `${fineText(value / 1000 ** power)} ${sizes[power] ?? ''}`;
}
