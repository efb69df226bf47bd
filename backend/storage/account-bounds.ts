/** How many mailboxes, subscriptions and rights an account may have: tables of the index that a user can let grow. Inside `write`. */
import { Failure } from '../../shared/base/failure.ts';
import { entriesOf } from './entries.ts';
import type { RetiredName } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { Table } from './environment.ts';
import type { AccountBounds } from './interface.ts';
import type { Volume } from './volume.ts';

/** Where nothing is configured. */
export const usualBounds: AccountBounds = { mailboxes: 10_000, subscriptions: 10_000, rightsPerMailbox: 200, rightsPerAccount: 10_000 };
/** What was there before bounds, or is brought back, is never refused. */
export const noBounds: AccountBounds = { mailboxes: Number.MAX_SAFE_INTEGER, subscriptions: Number.MAX_SAFE_INTEGER, rightsPerMailbox: Number.MAX_SAFE_INTEGER, rightsPerAccount: Number.MAX_SAFE_INTEGER };

/** After mailboxes were made. @throws Failure('limit') */
export function checkMailboxes({ tables, bounds }: Volume, account: number): void {
  if (count(tables.names, account) > bounds.mailboxes) throw new Failure('limit', `an account has at most ${String(bounds.mailboxes)} mailboxes`);
}

/** After one was added. @throws Failure('limit') */
export function checkSubscriptions({ tables, bounds }: Volume, account: number): void {
  if (count(tables.subscriptions, account) > bounds.subscriptions) throw new Failure('limit', `an account has at most ${String(bounds.subscriptions)} subscriptions`);
}

/** After entries were added to that many at one mailbox. @throws Failure('limit') */
export function checkRightsOfMailbox({ bounds }: Volume, entries: number): void {
  if (entries > bounds.rightsPerMailbox) throw new Failure('limit', `rights can be given to at most ${String(bounds.rightsPerMailbox)} users and groups at one folder`);
}

/** Entries of rights at all mailboxes, which are read for it. */
export function countRights({ tables }: Volume, account: number): number {
  return entriesOf(tables, account).reduce((sum, { rights = [] }) => sum + rights.length, 0);
}

/** After entries were added anywhere, with that many now. @throws Failure('limit') */
export function checkRightsOfAccount({ bounds }: Volume, entries: number): void {
  if (entries > bounds.rightsPerAccount) throw new Failure('limit', `all folders of an account together have at most ${String(bounds.rightsPerAccount)} entries of rights`);
}

/**
 * Names of deleted mailboxes are remembered, so that a new one of that name goes on counting: twice as many as there may be mailboxes. Of more the
 * oldest are forgotten. UIDVALIDITY never comes back anyway.
 */
export function forgetOldNames({ tables, bounds }: Volume, account: number): void {
  const most = 2 * bounds.mailboxes;
  if (count(tables.retiredNames, account) <= most) return;
  const known = tables.retiredNames.range(keysUnder([account])).map(({ key, value }) => ({ key, uidValidity: (JSON.parse(value.toString()) as RetiredName).uidValidity }));
  known.sort((one, other) => one.uidValidity - other.uidValidity);
  for (const { key } of known.slice(0, Math.ceil(most / 4))) tables.retiredNames.remove(key);
}

function count(table: Table, account: number): number {
  return table.count(keysUnder([account]));
}
