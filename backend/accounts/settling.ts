/**
 * Settles whose the accounts are that came back out of packs, or with a storage of another node: one worker asks the directory and the other
 * back-ends, again and again until each is settled. Until then they are held: mail for them waits, nobody opens them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Service } from '../../shared/service/service.ts';
import type { Settlement, Storage } from '../storage/storage.ts';
import type { Holders } from './holders.ts';
import type { OwnerQuestion } from './owner-of-new.ts';

export interface SettlingOptions extends Omit<OwnerQuestion, 'holders'> {
  readonly storage: Pick<Storage, 'care'>;
  readonly holders: (address: string) => Promise<Holders>;
  readonly log: Logger;
}

/** Between two tries: short at first, since what is missing may only be starting as this node is. */
const againMs = { first: 500, longest: 30_000 };

export function startSettling(options: SettlingOptions): Service {
  const end = new AbortController();
  const work = async (): Promise<void> => {
    for (let waitMs = againMs.first; !end.signal.aborted; waitMs = Math.min(2 * waitMs, againMs.longest)) {
      await settleAll(options, end.signal).catch((error: unknown) => options.log.error({ err: error }, 'accounts could not be settled'));
      await sleep(waitMs, undefined, { signal: end.signal, ref: false }).catch(() => undefined); // woken to end
    }
  };
  const working = work();
  const stop = async (): Promise<void> => {
    end.abort();
    await working;
  };
  return { name: 'settling', stop, retire: stop };
}

/** One try for each account. */
export async function settleAll(options: SettlingOptions, signal: AbortSignal): Promise<void> {
  const { storage, log } = options;
  for (const address of storage.care.unsettled()) {
    if (signal.aborted) return;
    const answer = await ownerOf(options, address).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      return { open: error.message };
    });
    if ('open' in answer) log.warn({ account: address, why: answer.open }, 'an account is held, since it is not known yet whose it is');
    else {
      await storage.care.settle(address, answer);
      log.warn({ audit: 'account-settled', account: address, ...answer }, 'it is settled whose an account is');
    }
  }
}

/**
 * A node that has the account in use is its owner. One that does not know whose it is either says nothing by having it: two that took each other for the owner would both give it away. Where none has it, the directory decides; but another node that it names would make
 * an account without mail, so somebody has to say which is meant. Where it names none, a node that does not answer may have it.
 */
async function ownerOf({ accounts, maps, nodeName, holders }: SettlingOptions, address: string): Promise<Settlement | { readonly open: string }> {
  const entry = await accounts.lookUp(address);
  const { holders: having, unsettled, silent } = await holders(address);
  const holder = having.find((node) => !unsettled.includes(node));
  if (holder !== undefined) return { owner: 'other-node', node: holder };
  if (entry?.mailHost !== undefined) {
    const named = accounts.nodeOf(entry.mailHost);
    return named === nodeName ? { owner: 'this-node' } : named !== undefined && unsettled.includes(named) ? { owner: 'other-node', node: named } : { open: `the directory names ${entry.mailHost}, where it is not: let it name ${nodeName}` };
  }
  if (unsettled.length > 0) return { open: `${unsettled.join(', ')} has it, too, and does not know whose it is: let a directory name one` };
  if (silent.length > 0) return { open: `${silent.join(', ')} does not answer, and may have it` };
  return entry === undefined && maps.covers(address) ? { owner: 'nobody' } : { owner: 'this-node' };
}
