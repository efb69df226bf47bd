/** All servers of the store bench, started and ended together. */
import { join } from 'node:path';
import { startBareStore } from './bare/bare-store.ts';
import type { Furnishing } from './cell.ts';
import { startDovecotStore } from './dovecot-stores.ts';
import type { StoreStart } from './flush-cells.ts';
import type { MailStore } from './mail-store.ts';
import type { RunningStores } from './running-stores.ts';
import { startWaybillStore } from './waybill-store.ts';
import type { WaybillStore } from './waybill-store.ts';

export interface Stage {
  readonly waybill: WaybillStore;
  /** Ours first. */
  readonly stores: readonly MailStore[];
  /** Further ones of the same kinds, by whoever wants one for himself. */
  readonly starts: readonly { readonly name: string; readonly start: StoreStart }[];
  /** Keeps those that a cell starts for itself, too. */
  readonly running: RunningStores;
}

/** Who is measured besides ours and both kinds of Dovecot. */
export interface Guests {
  /** A folder with another version of Waybill. */
  readonly beside?: string | undefined;
  /** The bare server of Node, with these mailboxes. */
  readonly floor?: readonly Furnishing[] | undefined;
}

/**
 * Starts everything; what has started is ended again when something does not.
 * @param running ends all, while they start, too
 */
export async function startStage(running: RunningStores, { beside, floor }: Guests): Promise<Stage> {
  const stores: MailStore[] = [];
  const { keep } = running;
  try {
    const waybill = await keep(async () => startWaybillStore());
    stores.push(waybill);
    const { ground: { certificates, slapd: directory }, password } = waybill;
    const starts: Stage['starts'][number][] = [{ name: waybill.name, start: async (wrap) => keep(async () => startWaybillStore(wrap)) }];
    for (const format of ['sdbox', 'maildir'] as const) {
      const store = await keep(async () => startDovecotStore({ format, certificates, directory, password }));
      stores.push(store);
      starts.push({ name: store.name, start: async (wrap) => keep(async () => startDovecotStore({ format, certificates, directory, password, wrap })) });
    }
    if (beside !== undefined) {
      const name = 'Waybill beside';
      const start: StoreStart = async (wrap) => keep(async () => startWaybillStore((command) => wrap(command.map((word) => (word.endsWith('waybill.ts') ? join(beside, 'waybill.ts') : word)))));
      const other = await start((command) => command);
      stores.push({ ...other, name, pids: other.pids });
      starts.push({ name, start });
    }
    if (floor !== undefined) for (const durability of ['flushed', 'indexed', 'not flushed'] as const) stores.push(await keep(async () => startBareStore(durability, certificates, floor)));
    return { waybill, stores, starts, running };
  } catch (error) {
    await running.end();
    throw error;
  }
}
