/** What nodes have counted, as the lines of a chart. Pure. */
import type { NodeReport } from '../views.ts';
import type { ChartKind } from './catalogue.ts';

export interface Line {
  readonly name: string;
  /** One for each time; undefined where no sample was taken. */
  readonly values: readonly (number | undefined)[];
}

export interface Lines {
  /** Where each step begins, milliseconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly stepMs: number;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Counted in every sample and never 0: where it is missing, no sample was taken. */
export const everPresent = 'process_resident_memory_bytes';

/** When the first of all samples was taken: charts need not begin before. 0 where nothing tells. */
export function firstOf(nodes: readonly NodeReport[]): number {
  const firsts = nodes.flatMap(({ series }) => series.flatMap(({ counter, points: [first] }) => (counter === everPresent && first !== undefined ? [first[0]] : [])));
  return firsts.length === 0 ? 0 : Math.min(...firsts);
}

/**
 * Lines with nothing but zeros are left out. Growth becomes a rate. The step that is not over yet is left out: what was added in it
 * would look like a decline.
 */
export function linesOf(nodes: readonly NodeReport[], kind: ChartKind, { fromMs, toMs }: Span): Lines {
  const stepMs = Math.max(1000, ...nodes.map((node) => node.stepMs));
  const first = Math.floor(fromMs / stepMs);
  const times = Array.from({ length: Math.max(0, Math.floor(toMs / stepMs) - first) }, (_, index) => (first + index) * stepMs);
  const sums = new Map<string, Map<number, number>>();
  const sampled = new Set<number>();
  for (const node of nodes) {
    for (const step of sampledSteps(node, stepMs, times)) sampled.add(step);
    for (const { counter, kind: growing, points } of node.series) {
      const name = kind.lineOf(counter, node.node);
      if (name === undefined) continue;
      const steps = inSteps(points, stepMs, growing);
      const sum = sums.get(name) ?? new Map<number, number>();
      for (const [step, value] of steps) sum.set(step, (sum.get(step) ?? 0) + value * (growing === 'level' ? 1 : (kind.perMs ?? stepMs) / stepMs));
      sums.set(name, sum);
    }
  }
  const lines = [...sums].map(([name, sum]) => ({ name, values: times.map((at) => sum.get(at) ?? (sampled.has(at) ? 0 : undefined)) }));
  return { times, stepMs, lines: lines.filter(({ values }) => values.some((value) => value !== undefined && value !== 0)).sort((one, other) => one.name.localeCompare(other.name)) };
}

/** Of domains and accounts nothing tells whether a sample was taken: where there is none, nothing was counted. */
function sampledSteps({ series }: NodeReport, stepMs: number, times: readonly number[]): readonly number[] {
  const present = series.find(({ counter }) => counter === everPresent);
  return present === undefined ? times : present.points.map(([atMs]) => Math.floor(atMs / stepMs) * stepMs);
}

/** Into the steps of the chart, which are the longest of all nodes. */
function inSteps(points: NodeReport['series'][number]['points'], stepMs: number, kind: 'level' | 'growth'): ReadonlyMap<number, number> {
  const steps = new Map<number, number>();
  for (const [atMs, value] of points) {
    const step = Math.floor(atMs / stepMs) * stepMs;
    steps.set(step, kind === 'level' ? value : value + (steps.get(step) ?? 0));
  }
  return steps;
}
