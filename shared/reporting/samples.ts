/** From two snapshots of a node to the values of one interval, few enough to be kept for weeks. Pure. */
import type { MeasuredFamily, Snapshot } from '../metrics/snapshot.ts';

export interface Sample {
  /** End of the interval, milliseconds since 1970. */
  readonly atMs: number;
  /** node: another one, whose counters are kept here. */
  readonly scope: 'server' | 'domain' | 'account' | 'node';
  /** A domain, an account or a node; empty for the server. */
  readonly name: string;
  /** For the server the name of a metric without `waybill_`, and its service after a slash where it has one; see also `detailed`. */
  readonly counter: string;
  readonly value: number;
}

/** Beside their sum these are kept by what their labels say, as `NAME/LABEL/LABEL`: a sum of unlike things tells nothing of a day. */
const detailed: ReadonlySet<string> = new Set(['waybill_processing_delivery', 'waybill_processing_direct_delivery', 'waybill_processing_report']);

/** Gauges as they are, counters and counts of histograms as they grew. What is 0 is left out. */
export function samplesOf(before: Snapshot, now: Snapshot, atMs: number): readonly Sample[] {
  const earlier = new Map(before.flatMap((family) => (family.kind === 'gauge' ? [] : [...valuesOf(family)])));
  return now.flatMap((family) => [...valuesOf(family)].flatMap(([counter, total]): Sample[] => {
    const value = family.kind === 'gauge' ? total : Math.max(0, total - (earlier.get(counter) ?? 0));
    return value === 0 ? [] : [{ atMs, scope: 'server', name: '', counter, value }];
  }));
}

/** What a node has counted up to now, by the names of samples. */
export function totalsOf(now: Snapshot): readonly { readonly counter: string; readonly kind: 'level' | 'total'; readonly value: number }[] {
  return now.flatMap((family) => [...valuesOf(family)].map(([counter, value]) => ({ counter, value, kind: family.kind === 'gauge' ? 'level' as const : 'total' as const })));
}

/** Summed over all labels but the service (greatest or least where the family says so). */
function valuesOf(family: MeasuredFamily): ReadonlyMap<string, number> {
  const place = family.labels.indexOf('service');
  const values = new Map<string, number>();
  const name = family.name.replace(/^waybill_/, '');
  for (const { labels, values: given } of family.series) {
    const counter = [name, ...(place === -1 ? [] : [labels[place] ?? ''])].join('/');
    const value = family.kind === 'histogram' ? given.slice(0, -1).reduce((sum, one) => sum + one, 0) : (given[0] ?? 0);
    const known = values.get(counter);
    if (known === undefined) values.set(counter, value);
    else values.set(counter, family.combine === 'max' ? Math.max(known, value) : family.combine === 'min' ? Math.min(known, value) : known + value);
    if (detailed.has(family.name)) values.set([name, ...labels].join('/'), value);
  }
  return values;
}

/** Whether a counter's values are levels, of which sums say nothing. */
export function isLevel(counter: string): boolean {
  return /(_open|_size|_seconds|_bytes|_accounts|_sessions|_working|_waiting|_ending|workers)(\/|$)/.test(counter) && !/(message_bytes|retrieval_bytes|cpu_seconds|operation_seconds|connect_seconds)(\/|$)/.test(counter);
}
