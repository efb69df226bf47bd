/**
 * Accounts of which this node has mail, and does not know whether it still owns them: their records came back out of packs. Until
 * that is settled they are held as one is during the last of its move: nobody opens them, mail for them waits.
 */
import { tombstoneOf } from './accounts-table.ts';
import { getAccount, putAccount } from './entries.ts';
import type { AccountEntry } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { Volume } from './volume.ts';

/** Whose an account is, once that is known. */
export type Settlement =
  /** `unheard`: nodes that did not answer, and may have taken themselves for the owner, too. */
  | { readonly owner: 'this-node'; readonly unheard?: readonly string[] }
  | { readonly owner: 'other-node'; readonly node: string }
  /** The directory has no such user: its mail is kept as that of accounts that vanished. */
  | { readonly owner: 'nobody' };

export interface Unheard {
  readonly address: string;
  readonly nodes: readonly string[];
}

const token = 'unsettled';
/** The last moment that a Date can name. */
const endOfTimeMs = 8.64e15;

/** Holds the account until it is settled. Inside `write`. */
export function asUnsettled(entry: AccountEntry): AccountEntry {
  return { ...entry, hold: { token, untilMs: endOfTimeMs } };
}

export function unsettledIn({ environment, tables }: Volume): readonly string[] {
  const entries = environment.read(() => tables.accounts.range(keysUnder([]))).map(({ value }) => JSON.parse(value.toString()) as AccountEntry);
  return entries.filter(({ hold }) => hold?.token === token).map(({ address }) => address);
}

export function isUnsettled({ environment, tables }: Volume, address: string): boolean {
  return environment.read(() => getAccount(tables, address))?.hold?.token === token;
}

/** Accounts that this node keeps although some nodes did not say whether they do. */
export function unheardIn({ environment, tables }: Volume): readonly Unheard[] {
  const entries = environment.read(() => tables.accounts.range(keysUnder([]))).map(({ value }) => JSON.parse(value.toString()) as AccountEntry);
  return entries.flatMap(({ address, unheard, movedTo }) => (unheard === undefined || movedTo !== undefined ? [] : [{ address, nodes: unheard }]));
}

/** Those nodes have not got it, or have it no more. */
export async function noteHeard({ environment, tables }: Volume, address: string): Promise<void> {
  await environment.write(() => {
    const entry = getAccount(tables, address);
    if (entry?.unheard === undefined) return;
    const { unheard: _over, ...known } = entry;
    putAccount(tables, known);
  });
}

/** Nothing happens when it is settled already. On stable storage when it resolves. */
export async function settleAccount(volume: Volume, address: string, settlement: Settlement): Promise<void> {
  const id = await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.hold?.token !== token) return undefined;
    putAccount(volume.tables, settled(entry, settlement));
    return entry.id;
  });
  if (id !== undefined) volume.hints.publish({ account: id });
}

function settled({ hold: _over, ...entry }: AccountEntry, settlement: Settlement): AccountEntry {
  switch (settlement.owner) {
    case 'this-node': return settlement.unheard === undefined || settlement.unheard.length === 0 ? entry : { ...entry, unheard: settlement.unheard };
    case 'other-node': return tombstoneOf(entry, { node: settlement.node, epoch: entry.epoch + 1 });
    case 'nobody': return { ...entry, withdrawn: { why: 'vanished', atMs: Date.now() } };
  }
}
