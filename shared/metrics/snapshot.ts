/** What one process has counted up to now, as plain values that travel between processes, and how those of several become one. */

export type Combine = 'sum' | 'max' | 'min';

export interface Family {
  /** Without the suffixes of OpenMetrics (`_total`, `_bucket` …). */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** The name ends with it (OpenMetrics). */
  readonly unit?: 'seconds' | 'bytes' | undefined;
  /** What the values of several workers are together. Counters and histograms are always summed. */
  readonly combine: Combine;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending; the last one, infinity, is not among them. */
  readonly bounds?: readonly number[] | undefined;
}

export interface Series {
  /** One value for each label of the family. */
  readonly labels: readonly string[];
  /** A counter's or gauge's value; of a histogram the count of each bucket by itself, the one without bound, and last the sum. */
  readonly values: readonly number[];
}

export interface MeasuredFamily extends Family {
  readonly series: readonly Series[];
}

export type Snapshot = readonly MeasuredFamily[];

/** The processes of a node as one. */
export function combineSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  const families = new Map<string, MeasuredFamily>();
  for (const family of snapshots.flat()) {
    const before = families.get(family.name);
    families.set(family.name, before === undefined ? family : { ...family, series: combineSeries(before, family) });
  }
  return [...families.values()];
}

/** What of a process counts on after its end, so that no counter of the node ever goes back. */
export function lasting(snapshot: Snapshot): Snapshot {
  return snapshot.filter(({ kind }) => kind !== 'gauge');
}

/** The sum over all series whose labels are as asked; of a histogram, how many were observed. */
export function valueOf(snapshot: Snapshot, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const family = snapshot.find((one) => one.name === name);
  if (family === undefined) return 0;
  const fitting = family.series.filter((series) => Object.entries(labels).every(([label, value]) => series.labels[family.labels.indexOf(label)] === value));
  const numbers = fitting.flatMap(({ values }) => (family.kind === 'histogram' ? values.slice(0, -1) : values));
  return numbers.reduce((sum, value) => sum + value, 0);
}

function combineSeries(one: MeasuredFamily, other: MeasuredFamily): Series[] {
  const merged = new Map(one.series.map((series) => [keyOf(series.labels), series]));
  for (const series of other.series) {
    const before = merged.get(keyOf(series.labels));
    merged.set(keyOf(series.labels), before === undefined ? series : { ...series, values: series.values.map((value, at) => both(other.combine, before.values[at] ?? 0, value)) });
  }
  return [...merged.values()];
}

/** Between the labels of a key. */
export const separator = '\u0000';

export function keyOf(labels: readonly string[]): string {
  return labels.join(separator);
}

function both(combine: Combine, one: number, other: number): number {
  if (combine === 'max') return Math.max(one, other);
  return combine === 'min' ? Math.min(one, other) : one + other;
}
