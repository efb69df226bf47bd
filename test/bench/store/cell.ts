/** A cell of the bench: something that is done with a store again and again for a while, and what comes out. */
import { cpuMs } from '../proxy/processes.ts';
import { quantile } from '../proxy/cells.ts';
import type { Figures } from '../proxy/cells.ts';
import type { MailStore } from './mail-store.ts';

/** Lanes work side by side; each does its work again and again. */
export interface Work {
  readonly lanes: readonly Lane[];
  end(): Promise<void> | void;
}

/** Does the work once; answers how many of the cell's units that was. */
export type Lane = () => Promise<number>;

/** What has to be in a mailbox before a cell can be measured: so many sample messages. */
export interface Furnishing {
  readonly user: string;
  readonly mailbox: string;
  readonly messages: number;
}

export interface Cell {
  readonly id: string;
  readonly title: string;
  /** What is counted: `deliveries`, `messages` … */
  readonly unit: string;
  readonly needs: readonly Furnishing[];
  /** Of IMAP: a store that does not announce it is not measured. */
  readonly capability?: string | undefined;
  readonly prepare: (store: MailStore) => Promise<Work>;
}

export function rateOf({ unit }: Pick<Cell, 'unit'>): string {
  return `${unit}/s`;
}

/** The processor time that one of the cell's units costs the server. */
export const cpuUnit = 'CPU µs each';

interface Done {
  /** Of the cell's units. */
  readonly count: number;
  readonly ms: number;
  /** Of each lane's work, milliseconds. */
  readonly durations: readonly number[];
  /** Processor time of the server and of this process, milliseconds. */
  readonly cpu: { readonly server: number; readonly load: number };
}

export interface Extent {
  readonly seconds: number;
  /** So long before anything counts, each lane once at least; absent for who is warm. */
  readonly warmSeconds?: number;
}

/** Works for that time, each lane once at least. */
export async function workFor(store: MailStore, cell: Pick<Cell, 'prepare'>, { seconds, warmSeconds }: Extent): Promise<Done> {
  const work = await cell.prepare(store);
  try {
    if (warmSeconds !== undefined) await workLanes(work.lanes, warmSeconds);
    const before = { server: cpuMs(store.pids), load: process.cpuUsage(), clock: performance.now() };
    const done = await workLanes(work.lanes, seconds);
    const ms = performance.now() - before.clock;
    const load = process.cpuUsage(before.load);
    return {
      ...done, ms,
      cpu: { server: cpuMs(store.pids) - before.server, load: (load.user + load.system) / 1000 },
    };
  } finally {
    await work.end();
  }
}

async function workLanes(lanes: readonly Lane[], seconds: number): Promise<Pick<Done, 'count' | 'durations'>> {
  const durations: number[] = [];
  const end = performance.now() + seconds * 1000;
  const counts = await Promise.all(lanes.map(async (lane) => {
    let count = 0;
    do {
      const began = performance.now();
      count += await lane();
      durations.push(performance.now() - began);
    } while (performance.now() < end);
    return count;
  }));
  return { count: counts.reduce((sum, each) => sum + each, 0), durations };
}

export async function measure(store: MailStore, cell: Cell, extent: Extent): Promise<Figures> {
  const { count, ms, durations, cpu } = await workFor(store, cell, extent);
  return {
    [rateOf(cell)]: (count * 1000) / ms,
    [cpuUnit]: (cpu.server * 1000) / count,
    'p50 ms': quantile(durations, 0.5),
    'p95 ms': quantile(durations, 0.95),
    'load generator % of a core': (100 * cpu.load) / ms,
  };
}
