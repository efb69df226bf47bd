/** Figures of several rounds become medians with minimum and maximum, and ratios to what the other servers reach. */
import { quantile } from './cells.ts';
import type { Figures } from './cells.ts';

/** What each server reached in one cell, round by round. */
export type CellResults = ReadonlyMap<string, readonly Figures[]>;

export function reportCell(title: string, results: CellResults, own: string): string {
  const lines = [`\n## ${title}`];
  for (const [name, rounds] of results) {
    lines.push(`${name.padEnd(34)} ${rounds.length === 0 ? 'does not serve this' : unitsOf(rounds).map((unit) => `${unit}: ${summary(rounds, unit)}`).join(' · ')}`);
  }
  return [...lines, ...ratios(results, own)].join('\n');
}

function unitsOf(rounds: readonly Figures[]): readonly string[] {
  return [...new Set(rounds.flatMap((figures) => Object.keys(figures)))];
}

function valuesOf(rounds: readonly Figures[], unit: string): readonly number[] {
  return rounds.flatMap((figures) => figures[unit] ?? []);
}

function summary(rounds: readonly Figures[], unit: string): string {
  const values = valuesOf(rounds, unit);
  return values.length === 1 ? round(median(values)) : `${round(median(values))} (${round(Math.min(...values))}–${round(Math.max(...values))})`;
}

/** Ours divided by theirs, for the figures that both have. */
function ratios(results: CellResults, own: string): readonly string[] {
  const ours = results.get(own) ?? [];
  return [...results].filter(([name, rounds]) => name !== own && rounds.length > 0 && ours.length > 0).map(([name, rounds]) => {
    const shared = unitsOf(ours).filter((unit) => valuesOf(rounds, unit).length > 0);
    return `  ${own} / ${name}: ${shared.map((unit) => `${unit} × ${ratioText(median(valuesOf(ours, unit)) / median(valuesOf(rounds, unit)))}`).join(' · ')}`;
  });
}

/** A short run may have counted nothing of theirs. */
function ratioText(ratio: number): string {
  return Number.isFinite(ratio) ? round(ratio) : '?';
}

/** The median of a figure over the rounds; undefined where nobody measured it. */
export function medianOf(rounds: readonly Figures[] | undefined, unit: string): number | undefined {
  const values = valuesOf(rounds ?? [], unit);
  return values.length === 0 ? undefined : median(values);
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function round(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: false });
}
