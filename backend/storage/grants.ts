/**
 * Which accounts of a storage have granted something to whom: an index over the rights of all mailboxes, so that nobody looks through all
 * accounts to learn what is shared with a user. It says where to look, not what somebody may: an account that moved away may still be in it.
 */
import type { MailboxEntry } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { Tables } from './keys.ts';
import { groupMark } from './rights.ts';

/** Whom a mailbox grants something. */
export function grantedTo({ rights = [] }: Pick<MailboxEntry, 'rights'>): readonly string[] {
  return rights.filter(({ allow }) => allow !== '').map(({ who }) => who);
}

/** Takes up what the mailbox of that account grants. Only inside `write`. */
export function noteGrants(tables: Tables, entry: MailboxEntry, owner: string): void {
  for (const who of grantedTo(entry)) tables.grants.put([who, entry.id], Buffer.from(owner));
}

/** Forgets what it granted. Only inside `write`. */
export function dropGrants(tables: Tables, entry: MailboxEntry): void {
  for (const who of grantedTo(entry)) tables.grants.remove([who, entry.id]);
}

/** Addresses of accounts that grant something to that identifier. */
export function ownersGranting(tables: Tables, who: string): readonly string[] {
  return [...new Set(tables.grants.range(keysUnder([who])).map(({ value }) => value.toString()))];
}

/** The groups to which anything is granted. */
export function groupsGranted(tables: Tables): readonly string[] {
  const afterAll = String.fromCodePoint((groupMark.codePointAt(0) ?? 0) + 1);
  return [...new Set(tables.grants.range({ from: [groupMark], to: [afterAll] }).map(({ key }) => String(key[0])))];
}
