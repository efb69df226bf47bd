/** What a run of the proxy bench has found: as JSON for programs, or as a table for people. */
import type { Figures } from './cells.ts';
import type { Effort } from './cell-list.ts';
import { reportCell } from './report.ts';
import { verdictTable } from './targets.ts';
import type { Verdict } from './targets.ts';
import { timeText } from './time-goes.ts';
import type { TimeTable } from './time-goes.ts';

export interface Outcome extends Effort {
  readonly short: boolean;
  readonly machine: string;
  /** How the servers are set up. */
  readonly modes: string;
  readonly cells: readonly {
    readonly id: string;
    readonly title: string;
    /** The server that the others are compared with. */
    readonly own: string;
    /** By server, round by round. */
    readonly figures: Readonly<Record<string, readonly Figures[]>>;
  }[];
  readonly verdicts: readonly Verdict[];
  /** Where our own time goes, by what was profiled. */
  readonly times: Readonly<Record<string, TimeTable>>;
}

export function tableOf({ rounds, seconds, warmSeconds, short, machine, modes, cells, verdicts, times }: Outcome): string {
  return [
    `${String(rounds)} rounds, cells of ${String(seconds)} s after ${String(warmSeconds)} s to warm each server up, ${machine}\n${modes}\nMedian (minimum–maximum); CPU of all processes of a server, its helper included.`,
    ...cells.map(({ title, own, figures }) => reportCell(title, new Map(Object.entries(figures)), own)),
    ...Object.entries(times).map(([title, table]) => timeText(title, table)),
    verdictTable(verdicts),
    ...(short ? ['A short run: it shows that the bench works, its figures say nothing.'] : []),
  ].join('\n');
}
