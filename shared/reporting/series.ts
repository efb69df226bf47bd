/** Samples as the series of a chart: so many points at most, whatever the span. Pure. */
import { isLevel } from './samples.ts';
import type { Sample } from './samples.ts';

export interface Series {
  readonly counter: string;
  readonly kind: 'level' | 'growth';
  /** Beginning of a step (milliseconds since 1970) and value, by time. */
  readonly points: (readonly [atMs: number, value: number])[];
}

/** Growth is summed within a step; of levels the last one counts. @param samples by time */
export function seriesOf(samples: readonly Sample[], stepMs: number): Series[] {
  const all = new Map<string, { readonly kind: Series['kind']; readonly points: Map<number, number> }>();
  for (const { counter, atMs, value } of samples) {
    let one = all.get(counter);
    if (one === undefined) all.set(counter, one = { kind: isLevel(counter) ? 'level' : 'growth', points: new Map() });
    const step = Math.floor(atMs / stepMs) * stepMs;
    one.points.set(step, one.kind === 'level' ? value : value + (one.points.get(step) ?? 0));
  }
  return [...all].map(([counter, { kind, points }]) => ({ counter, kind, points: [...points] })).sort((a, b) => (a.counter < b.counter ? -1 : 1));
}

/** The least step of whole intervals with which a span has `most` points or fewer. */
export function stepFor(spanMs: number, most: number, intervalMs: number): number {
  return Math.max(1, Math.ceil(spanMs / Math.max(1, most - 1) / intervalMs)) * intervalMs;
}
