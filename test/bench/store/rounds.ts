/** Furnishes the stores and measures cell by cell, the stores by turns, round by round. */
import type { Figures } from '../proxy/cells.ts';
import { measure } from './cell.ts';
import type { Cell } from './cell.ts';
import { furnish } from './furnish.ts';
import { addressOf, capabilitiesOf, isFor, parts } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';

export interface Plan {
  readonly seconds: number;
  /** Of unmeasured work for each server before the first round of a cell. */
  readonly warmSeconds: number;
  readonly rounds: number;
  /** Says what is being done. */
  readonly progress: (text: string) => void;
}

/** By server, ours first, round by round. */
export type CellFigures = Map<string, Figures[]>;

export interface CellOutcome {
  readonly id: string;
  readonly title: string;
  /** By server, ours first, round by round. */
  readonly figures: Readonly<Record<string, readonly Figures[]>>;
}

export async function furnishAll(stores: readonly MailStore[], cells: readonly Cell[], { progress }: Plan): Promise<void> {
  const needs = [...new Map(cells.flatMap((cell) => cell.needs).map((need) => [`${need.user} ${need.mailbox}`, need])).values()];
  for (const store of stores.filter(({ serves }) => serves === undefined)) {
    const start = performance.now();
    await furnish(store, needs);
    progress(`${store.name} has its messages, after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}

export async function measureAll(stores: readonly MailStore[], cells: readonly Cell[], plan: Plan): Promise<ReadonlyMap<Cell, CellFigures>> {
  const results = new Map(cells.map((cell) => [cell, new Map<string, Figures[]>(stores.filter((store) => isFor(store, cell.id)).map(({ name }) => [name, []]))]));
  const abilities = new Map(await Promise.all(stores.filter(({ serves }) => serves === undefined).map(async (store) => [store, await capabilitiesOf(store, addressOf('solo', parts.reader))] as const)));
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const cell of cells) {
      // Who begins changes, so that what one leaves behind does not always meet the same next.
      for (const store of [...stores.slice(round % stores.length), ...stores.slice(0, round % stores.length)].filter((each) => isFor(each, cell.id))) {
        if (cell.capability !== undefined && abilities.get(store)?.has(cell.capability) !== true) continue;
        const figures = await orFailure(plan, `${store.name}, ${cell.title}`, async () => measure(store, cell, { seconds: plan.seconds, ...(round === 0 ? { warmSeconds: plan.warmSeconds } : {}) }));
        if (figures !== undefined) results.get(cell)?.get(store.name)?.push(figures);
      }
      plan.progress(`round ${String(round + 1)} of ${String(plan.rounds)}: ${cell.title}`);
    }
  }
  return results;
}

/** A cell that fails must not cost those that were measured, but the run has failed. */
export async function orFailure<Result>({ progress }: Plan, what: string, action: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await action();
  } catch (error) {
    progress(`FAILED: ${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
    return undefined;
  }
}
