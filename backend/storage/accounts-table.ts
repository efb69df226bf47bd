/** Finds, makes and gives away the accounts of one storage. */
import { randomBytes } from 'node:crypto';
import { definite } from '../../shared/base/definite.ts';
import { Failure } from '../../shared/base/failure.ts';
import { AccountChange } from './account-change.ts';
import { dropAccountAnnotations } from './annotations.ts';
import { StoredAccount } from './account.ts';
import { getAccount, isHeld, putAccount, sessionEpochOf } from './entries.ts';
import type { AccountEntry } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { AccountRecord } from './interface.ts';
import { nextNumber, noValue } from './keys.ts';
import { createMailbox, dropAllMailboxes } from './mailbox-tree.ts';
import type { Volume } from './volume.ts';

/** The mailboxes that a new account has, with their special use (RFC 6154). */
const usualMailboxes: readonly (readonly [name: string, ...specialUses: string[]])[] = [
  ['INBOX'], ['Sent', '\\Sent'], ['Drafts', '\\Drafts'], ['Junk', '\\Junk'], ['Trash', '\\Trash'],
];

/** More than any valid address (RFC 5321 section 4.5.3.1), and less than a key may have. */
const longestAddressBytes = 1000;

/** What this storage records of the address. */
export function findAccount(volume: Volume, address: string): AccountRecord {
  if (Buffer.byteLength(address) > longestAddressBytes) return { at: 'none' };
  const entry = volume.environment.read(() => getAccount(volume.tables, address));
  if (entry === undefined) return { at: 'none' };
  if (entry.movedTo !== undefined) return { at: 'moved', node: entry.movedTo, epoch: entry.epoch };
  if (entry.arriving !== undefined) return { at: 'arriving', node: entry.arriving.from, epoch: entry.epoch, stage: entry.arriving.stage };
  if (entry.withdrawn !== undefined) return { at: 'withdrawn', ...entry.withdrawn };
  return { at: 'live', account: new StoredAccount(volume, entry), isHeld: isHeld(entry) };
}

/** Whether it records anything of the address. */
export function hasAccount({ environment, tables }: Volume, address: string): boolean {
  return Buffer.byteLength(address) <= longestAddressBytes && environment.read(() => tables.accounts.peek([address])) !== undefined;
}

/** Addresses of live accounts. */
export function liveAddresses(volume: Volume): string[] {
  return liveEntries(volume).map(({ address }) => address);
}

/** Live accounts of a storage, and what they are charged with. */
export function useOf(volume: Volume): { readonly accounts: number; readonly bytes: number } {
  const entries = liveEntries(volume);
  return { accounts: entries.length, bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Entries of live accounts. */
export function liveEntries({ environment, tables }: Volume): AccountEntry[] {
  const entries = environment.read(() => tables.accounts.range(keysUnder([])));
  return entries.map(({ value }) => JSON.parse(value.toString()) as AccountEntry).filter(({ movedTo, arriving, withdrawn }) => movedTo === undefined && arriving === undefined && withdrawn === undefined);
}

/** The live account of that address; made with the usual mailboxes when there is none, or in place of a tombstone. */
export async function createAccount(volume: Volume, address: string): Promise<StoredAccount> {
  if (address === '' || Buffer.byteLength(address) > longestAddressBytes) throw new Failure('bad-input', 'address is empty or too long');
  await volume.space.check();
  const entry = await volume.environment.write(() => {
    const old = getAccount(volume.tables, address);
    if (old?.arriving !== undefined) throw new Failure('not-kept-here', 'account is on its way', { node: old.arriving.from });
    if (old?.withdrawn !== undefined) throw new Failure('mailbox-exists', 'there is an account of that name that was taken out of use');
    if (old !== undefined && old.movedTo === undefined) return old;
    if (old !== undefined) dropMailOf(volume, old);
    return makeAccount(volume, address, (old?.epoch ?? 0) + 1);
  });
  volume.hints.publish({ account: entry.id });
  return new StoredAccount(volume, entry);
}

/** Turns the account into a tombstone; its mail stays on disk until the address is used afresh. Throws `unknown-user`, `forbidden`. */
export async function markMoved(volume: Volume, address: string, to: { readonly node: string; readonly epoch: number }): Promise<void> {
  const id = await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry === undefined) throw new Failure('unknown-user', 'no such account');
    if (to.epoch <= entry.epoch) throw new Failure('forbidden', `the account has epoch ${entry.epoch} already`);
    putAccount(volume.tables, tombstoneOf(entry, to));
    return entry.id;
  });
  volume.hints.publish({ account: id });
}

/** A new account with the usual mailboxes. Only inside `write`. */
export function makeAccount(volume: Volume, address: string, epoch: number): AccountEntry {
  const entry: AccountEntry = { number: nextNumber(volume.tables, 'account'), id: randomBytes(15).toString('base64url'), address, epoch, bytes: 0, messages: 0 };
  putAccount(volume.tables, entry);
  const change = new AccountChange(new StoredAccount(volume, entry));
  for (const [name, ...specialUses] of usualMailboxes) {
    createMailbox(change, name, specialUses);
    volume.tables.subscriptions.put([entry.number, name], noValue);
  }
  change.save();
  return entry;
}

/** What stays of an account that went to `node`. */
export function tombstoneOf(account: AccountEntry, to: { readonly node: string; readonly epoch: number }): AccountEntry {
  const { number, id, address, bytes, messages, password, terms, limits, directoryLimits, aliases } = account;
  // A move that is cut after the seal compares its copy with this once more.
  return { number, id, address, epoch: to.epoch, sessionEpoch: sessionEpochOf(account), ...definite({ password, terms, limits, directoryLimits, aliases }), bytes, messages, movedTo: to.node, left: { atMs: Date.now(), mail: 'unverified' } };
}

/** Nothing of how a live account came to this node is left to do: its record remembers it no more. */
export async function forgetCrossing(volume: Volume, address: string, crossing: 'came' | 'reclaimed'): Promise<void> {
  await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.[crossing] === undefined) return;
    const { [crossing]: _done, ...live } = entry;
    putAccount(volume.tables, live);
    volume.tables.arriving.remove([address]);
  });
}

/** Frees what a moved account has left behind; its record is to be written anew. Only inside `write`. */
export function dropMailOf(volume: Volume, tombstone: AccountEntry): void {
  const { number, id, address, epoch, bytes, messages } = tombstone;
  const entry: AccountEntry = { number, id, address, epoch, bytes, messages }; // live once more, in this transaction only
  putAccount(volume.tables, entry);
  const change = new AccountChange(new StoredAccount(volume, entry));
  dropAllMailboxes(change);
  change.save();
  volume.tables.acts.remove([entry.number]);
  dropAccountAnnotations(volume.tables, entry.number);
  for (const table of [volume.tables.subscriptions, volume.tables.threads]) {
    for (const { key } of table.range(keysUnder([entry.number]))) table.remove(key);
  }
}
