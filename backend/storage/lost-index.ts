/** A directory whose packs have no index is never taken for a new one: mail would seem to be gone, and be written over in time. Who starts the node hears which it is, and the way out. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { environmentFile } from './environment-file.ts';
import { isDamage } from './index-damage.ts';
import type { DamageWatch } from './index-damage.ts';

/**
 * Runs `open`, which opens the index of that directory. Throws `storage-failure` where it does, and before it when the directory has packs and no index: an index is made before the first pack.
 * @param wayOut what can be done about an index that is lost
 */
export function openIndexed<T>(directory: string, wayOut: string, open: () => T): T {
  if (!existsSync(join(directory, 'index', environmentFile)) && hasPacks(join(directory, 'packs'))) throw new Failure('storage-failure', `${directory} has packs of messages and no index: ${wayOut}`);
  try {
    return open();
  } catch (error) {
    throw withWayOut(error, directory, wayOut);
  }
}

/** What can be done about an index that is lost. */
export function wayOutOf(directory: string, what: 'storage' | 'queue'): string {
  return what === 'storage'
    ? `with its node stopped make it anew from the packs (waybill storage repair --rebuild ${directory}), or bring it back from a backup`
    : `bring the queue back from a backup, or give up what waits in it: move all of the folder away, and say waybill storage lost ${directory}`;
}

/** Of a `storage-failure` one that says where it was, and what can be done; else the same. */
export function withWayOut(error: unknown, directory: string, wayOut: string): unknown {
  return isFailure(error, 'storage-failure') ? new Failure('storage-failure', `${directory}: ${error.message}. If its index is damaged, ${wayOut}`, { cause: error.cause }) : error;
}

/** Writes to the log whenever the index of that directory turns out to be damaged, when a commit of it failed, and when a check or a backup finds that pages of it are lost. */
export function tellDamageOf({ damage }: { readonly damage: DamageWatch }, log: Logger, { directory, what }: { readonly directory: string; readonly what: 'storage' | 'queue' }): void {
  damage.tell = (error) => log.error({ alert: 'index-damaged', directory, err: error }, `the index of a ${what} is damaged: ${wayOutOf(directory, what)}`);
  damage.tellOfCommit = (error) => log.error({ directory, err: error }, `the index of a ${what} could not be written: what was in that commit is refused for the time being`);
  damage.tellOfLostPages = () => log.warn({ directory }, `the index of a ${what} has pages that are neither in use nor free: they cost their space, nothing else${what === 'storage' ? `. With its node stopped waybill storage compact --index ${directory} gets it back` : ''}`);
}

/** Of what LMDB says when it meets damage a `storage-failure` that says where it was, and what can be done; else the same. */
export function namingDamage(error: unknown, { directory, kind }: { readonly directory: string; readonly kind: { readonly name: string } }): unknown {
  return isDamage(error) ? new Failure('storage-failure', `${directory}: its index is damaged: ${wayOutOf(directory, kind.name === 'queue' ? 'queue' : 'storage')}`, { cause: error }) : error;
}

function hasPacks(packs: string): boolean {
  return existsSync(packs) && readdirSync(packs).some((name) => name.endsWith('.pack'));
}
