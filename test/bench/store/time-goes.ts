/** Where our back-end's processor time goes in each cell: it runs once more, with the profiler. */
import { nowUs, whileProfiled } from '../proxy/profile-node.ts';
import { timeTable } from '../proxy/time-goes.ts';
import type { TimeTable } from '../proxy/time-goes.ts';
import { workFor } from './cell.ts';
import type { Cell, Extent } from './cell.ts';
import type { WaybillStore } from './waybill-store.ts';

/** What of a cell the profile's milliseconds are for: this many of its units. */
export const profiledUnits = 1000;

/** By title of the cell. The node is ended for it and started again. */
export async function whereTimeGoes(store: WaybillStore, cells: readonly Cell[], { seconds, warmSeconds }: Required<Extent>): Promise<Readonly<Record<string, TimeTable>>> {
  const { done, sums } = await whileProfiled(store.ground.cluster, 'be1', async () => {
    const done: { readonly title: string; readonly count: number; readonly cpuMs: number }[] = [];
    const windows: { readonly fromUs: number; readonly toUs: number }[] = [];
    for (const cell of cells) {
      await workFor(store, cell, { seconds: warmSeconds });
      const fromUs = nowUs();
      const { count, cpu } = await workFor(store, cell, { seconds });
      windows.push({ fromUs, toUs: nowUs() });
      done.push({ title: `${cell.title} (${cell.unit})`, count: count / profiledUnits, cpuMs: cpu.server });
    }
    return { done, windows };
  });
  return Object.fromEntries(done.map(({ title, ...spent }, index) => [title, timeTable(sums[index] ?? new Map(), spent)]));
}
