/** What is aimed at, and whether it was reached: rates beside the better of Dovecot's two formats, memory and flushes by themselves. */
import { medianOf } from '../proxy/report.ts';
import type { Verdict } from '../proxy/targets.ts';
import { rateOf } from './cell.ts';
import type { Cell } from './cell.ts';
import type { CellFigures, CellOutcome } from './rounds.ts';

/** How many times the better Dovecot's rate ours has to be; once where nothing is said. */
const rateTargets: Readonly<Record<string, number>> = { 'lmtp-many': 2, 'lmtp-one': 2, 'append-4k': 1.5, 'append-100k': 1.5, 'fetch-flags-middle': 1.5, 'fetch-flags-big': 1.5 };

/** The most that is allowed, by cell and by how the figure's name begins. */
const mostOf = [
  { cell: 'memory-plain', unit: 'kB each (resident)', most: 40 },
  { cell: 'memory-tls', unit: 'kB each (resident)', most: 90 },
  { cell: 'search-indexed-middle', unit: 'p95 ms', most: 20 },
  { cell: 'search-indexed-big', unit: 'p95 ms', most: 20 },
  { cell: 'flushes', unit: 'flushes/delivery, alone', most: 3 },
  { cell: 'flushes', unit: 'flushes/APPEND, alone', most: 3 },
  { cell: 'flushes', unit: 'flushes/delivery, 64 writers', most: 0.15 },
  { cell: 'flushes', unit: 'flushes/APPEND, 64 writers', most: 0.15 },
] as const;

export const own = 'Waybill';
/** Ours, where mailboxes have no text index. */
export const withoutIndex = 'Waybill without index';
/** What of the deliveries without indexing has to remain beside it. */
const leastBesideIndexing = 0.9;

/** Undefined where nobody, or we alone, were measured. */
export function judgeRate(cell: Cell, results: CellFigures): Verdict | undefined {
  const best = bestOfOthers(results, rateOf(cell));
  const ours = medianOf(results.get(own), rateOf(cell));
  if (ours === undefined || best === undefined) return undefined;
  return atLeast(`${cell.title}: ${rateOf(cell)} beside the better Dovecot`, ours / best, rateTargets[cell.id] ?? 1);
}

export function judgeSpecial({ id, title, figures }: CellOutcome): readonly Verdict[] {
  const results = new Map(Object.entries(figures));
  const [ours] = results.get(own) ?? [];
  if (ours === undefined) return [];
  const limits = mostOf.flatMap(({ cell, unit, most }): Verdict[] => {
    const value = cell === id ? ours[unit] : undefined;
    return value === undefined ? [] : [{ says: `${title}: ${unit}`, value, limit: `at most ${String(most)}`, reached: value <= most ? 'yes' : 'no' }];
  });
  const rates = Object.entries(ours).filter(([unit]) => unit.includes('/s,')).flatMap(([unit, value]) => {
    const best = bestOfOthers(results, unit);
    return best === undefined ? [] : [atLeast(`${title}: ${unit} beside the better Dovecot`, value / best, 1)];
  });
  const alone = medianOf(results.get(withoutIndex), 'deliveries/s');
  const indexing = alone === undefined ? [] : [atLeast(`${title}: deliveries/s beside those without`, (ours['deliveries/s'] ?? 0) / alone, leastBesideIndexing)];
  return [...limits, ...rates, ...indexing];
}

function atLeast(says: string, value: number, least: number): Verdict {
  const finite = Number.isFinite(value);
  return { says, value: finite ? value : null, limit: `at least ${String(least)}`, reached: finite && value >= least ? 'yes' : 'no' };
}

function bestOfOthers(results: ReadonlyMap<string, Parameters<typeof medianOf>[0]>, unit: string): number | undefined {
  const theirs = [...results].filter(([name]) => name.startsWith('Dovecot')).flatMap(([, rounds]) => medianOf(rounds, unit) ?? []);
  return theirs.length === 0 ? undefined : Math.max(...theirs);
}
