/** Snapshots as OpenMetrics text 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), which Prometheus reads. */
import type { MeasuredFamily, Series, Snapshot } from './snapshot.ts';

export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The whole exposition, `# EOF` included. */
export function openMetricsText(snapshot: Snapshot): string {
  const families = snapshot.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return `${families.map(familyText).join('')}# EOF\n`;
}

function familyText(family: MeasuredFamily): string {
  const { name, kind, unit, help } = family;
  const head = [`# TYPE ${name} ${kind}`, ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]), `# HELP ${name} ${escaped(help)}`];
  const lines = family.series.flatMap((series) => (kind === 'histogram' ? histogramLines(family, series) : [`${name}${kind === 'counter' ? '_total' : ''}${labelsText(family, series)} ${number(series.values[0] ?? 0)}`]));
  return [...head, ...lines].map((line) => `${line}\n`).join('');
}

/** Buckets are cumulative here. */
function histogramLines(family: MeasuredFamily, series: Series): string[] {
  const bounds = family.bounds ?? [];
  let count = 0;
  const buckets = [...bounds, Infinity].map((bound, at) => {
    count += series.values[at] ?? 0;
    return `${family.name}_bucket${labelsText(family, series, bound === Infinity ? '+Inf' : number(bound))} ${String(count)}`;
  });
  const labels = labelsText(family, series);
  return [...buckets, `${family.name}_count${labels} ${String(count)}`, `${family.name}_sum${labels} ${number(series.values[bounds.length + 1] ?? 0)}`];
}

function labelsText(family: MeasuredFamily, series: Series, bound?: string): string {
  const pairs = [...family.labels.map((label, at) => [label, series.labels[at] ?? '']), ...(bound === undefined ? [] : [['le', bound]])];
  return pairs.length === 0 ? '' : `{${pairs.map(([label, value]) => `${String(label)}="${escaped(String(value))}"`).join(',')}}`;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (mark) => (mark === '\n' ? '\\n' : `\\${mark}`));
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
