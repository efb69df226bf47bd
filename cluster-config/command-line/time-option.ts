/** Times as options give them. */
import { UsageError } from './usage-error.ts';

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds since 1970 of a span before now (`30m`, `2h`, `3d`) or a time by ISO 8601. @throws UsageError that names the option */
export function timeOf(option: string, text: string): number {
  const span = /^(\d{1,6})([mhd])$/.exec(text);
  const at = span === null ? Date.parse(text) : Date.now() - Number(span[1]) * units[(span[2] ?? 'h') as keyof typeof units];
  if (Number.isNaN(at)) throw new UsageError(`${option} is a span such as 30m, 2h or 3d, or a time such as 2026-01-31T12:00:00Z`);
  return at;
}
