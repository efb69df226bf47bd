/** What a run of the store bench has found: as JSON for programs, or as a table for people. */
import { reportCell } from '../proxy/report.ts';
import { verdictTable } from '../proxy/targets.ts';
import type { Verdict } from '../proxy/targets.ts';
import { timeText } from '../proxy/time-goes.ts';
import type { TimeTable } from '../proxy/time-goes.ts';
import type { CellOutcome } from './rounds.ts';
import { own } from './targets.ts';
import { profiledUnits } from './time-goes.ts';

export interface Outcome {
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly rounds: number;
  /** Messages of the largest mailbox. */
  readonly bigMailbox: number;
  /** At the same time, where mail comes in. */
  readonly connections: number;
  readonly short: boolean;
  readonly machine: string;
  readonly cells: readonly CellOutcome[];
  readonly verdicts: readonly Verdict[];
  /** Where our own time goes, by cell. */
  readonly times: Readonly<Record<string, TimeTable>>;
}

const modes = 'Waybill: one back-end, 2 workers, one storage; its LMTP wants certificates of both sides, as between nodes. Dovecot: high-performance logins, processes used again, fsync as shipped (optimized). LMTP by TLS and logins by the same slapd with both.';

export function tableOf({ rounds, seconds, warmSeconds, short, machine, cells, verdicts, times }: Outcome): string {
  return [
    `${String(rounds)} rounds, cells of ${String(seconds)} s after ${String(warmSeconds)} s to warm each server up, ${machine}\n${modes}\nMedian (minimum–maximum); CPU of all processes of a server.`,
    ...cells.map(({ title, figures }) => reportCell(title, new Map(Object.entries(figures)), own)),
    ...Object.entries(times).map(([title, table]) => timeText(title, table, `${String(profiledUnits)} of them`)),
    verdictTable(verdicts),
    ...(short ? ['A short run: it shows that the bench works, its figures say nothing.'] : []),
  ].join('\n');
}
