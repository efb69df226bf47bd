/**
 * Renames an account: the mailbox stays, with its UIDs, flags and quota; sessions end, as the account that they were in has no such
 * name any more. Mail is never refused nor led to a new, empty mailbox on the way: the record is renamed first and keeps the old
 * address as an alias, then the directory is changed, and the alias goes when the directory is seen to have changed (which may have one of its own).
 * A crash in between leaves both addresses good; the same command again goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import { doneBy, isUnused } from './administration-ground.ts';
import type { AdministrationOptions, Done } from './administration-ground.ts';
import { isLocal } from './local-accounts.ts';

export interface Rename {
  readonly from: string;
  readonly to: string;
  readonly oldAddress: 'kept' | 'dropped';
}

/** How long a replica may take to show what the provider was told. */
const replicaMs = 10_000;
const pollMs = 50;

/** @throws Failure as `AccountAdministration`, nothing changed */
export async function renameAccount(options: AdministrationOptions, wish: Rename): Promise<Done> {
  const { maps, isOurs, storage } = options;
  const { from, to } = wish;
  if (from === to) throw new Failure('bad-input', 'that is its name already');
  if (!isOurs(domainOf(to))) throw new Failure('foreign-domain', `the domain of ${to} is not ours`);
  const name = storage.lives.localName(from);
  const wasBegun = storage.find(from).at === 'none' && name?.kind === 'alias' && name.account === to;
  const entry = await maps.lookUp(from);
  if (isLocal(maps, entry, from)) return renameLocal(options, wish);
  if (entry?.dn === undefined || entry.group !== undefined) throw new Failure('unknown-user', 'there is no such account');
  if (entry.address !== from && !(wasBegun && entry.address === to)) throw new Failure('bad-input', `${from} is another address of ${entry.address}: name the account by that`);
  const taken = await maps.lookUp(to, 'also deleted');
  if (taken?.dn !== entry.dn && !await isUnused(maps, to)) throw new Failure('mailbox-exists', `there is something with the address ${to} already`);
  return renameInDirectory(options, wish, { entry: { dn: entry.dn, map: entry.map }, wasBegun });
}

/** In one transaction. */
async function renameLocal({ maps, storage }: AdministrationOptions, { from, to, oldAddress }: Rename): Promise<Done> {
  const target = await maps.lookUp(to);
  if (!isLocal(maps, target, to)) throw new Failure('forbidden', `a directory has the addresses of the domain of ${to}`);
  const name = storage.lives.localName(to);
  const isOwnAlias = name?.kind === 'alias' && name.account === from;
  if (target?.local?.known === 'yes' && !isOwnAlias) throw new Failure('mailbox-exists', `there is something with the address ${to} already`);
  await storage.lives.rename(from, to, oldAddress);
  return { notes: [] };
}

async function renameInDirectory(options: AdministrationOptions, { from, to, oldAddress }: Rename, { entry, wasBegun }: { readonly entry: { readonly dn: string; readonly map: string }; readonly wasBegun: boolean }): Promise<Done> {
  const { storage, changeUser } = options;
  const hasRecord = wasBegun || storage.find(from).at !== 'none';
  if (hasRecord && !wasBegun) await storage.lives.rename(from, to, 'kept');
  const result = await changeUser(entry, { kind: 'rename', from, to, oldAddress }).catch(async (error: unknown) => {
    if (hasRecord) await storage.lives.rename(to, from, 'dropped');
    throw error;
  });
  const done = doneBy([result]);
  if (!hasRecord) return done;
  if (result.kind === 'by-hand') return { ...done, notes: [...done.notes, `until then mail for ${from} goes to the mailbox too; run the command again when it is done`] };
  if (!await isShown(options, { dn: entry.dn, from, to })) {
    return { ...done, notes: [...done.notes, `the directory servers that are asked do not show the new address yet; ${from} stays an alias until "waybill account alias remove ${to} ${from}"`] };
  }
  await storage.lives.removeAlias(to, from); // from now on it is the directory's, or nobody's
  return done;
}

/** Whether the servers that are asked show the entry under its new address, and no longer as the account `from`. */
async function isShown({ maps }: AdministrationOptions, { dn, from, to }: { readonly dn: string; readonly from: string; readonly to: string }): Promise<boolean> {
  for (const deadline = performance.now() + replicaMs; performance.now() < deadline; await sleep(pollMs)) {
    const [now, before] = [await maps.lookUp(to), await maps.lookUp(from)];
    if (now?.dn === dn && now.address === to && before?.address !== from) return true;
  }
  return false;
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
