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
  | { readonly owner: 'this-node' }
  | { readonly owner: 'other-node'; readonly node: string }
  /** The directory has no such user: its mail is kept as that of accounts that vanished. */
  | { readonly owner: 'nobody' };

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
    case 'this-node': return entry;
    case 'other-node': return tombstoneOf(entry, { node: settlement.node, epoch: entry.epoch + 1 });
    case 'nobody': return { ...entry, withdrawn: { why: 'vanished', atMs: Date.now() } };
  }
}
