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
      const unheard = await hearAll(options, end.signal).catch((error: unknown) => failed(options, error));
      const unsettled = await settleAll(options, end.signal).catch((error: unknown) => failed(options, error));
      // Looking for them is looking through all accounts, and there are new ones only where storages are opened anew: by other workers.
      if (unheard === 'none' && unsettled === 'none') return;
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

function failed({ log }: SettlingOptions, error: unknown): 'some' {
  log.error({ err: error }, 'accounts could not be settled');
  return 'some';
}

/** One try for each account. Answers whether there were any. */
export async function settleAll(options: SettlingOptions, signal: AbortSignal): Promise<'some' | 'none'> {
  const { storage, log } = options;
  const unsettled = storage.care.unsettled();
  for (const address of unsettled) {
    if (signal.aborted) break;
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
  return unsettled.length > 0 ? 'some' : 'none';
}

/** Of accounts that were settled while nodes were silent: whether one of these has it, too. Then both go on with what each has, and an alarm says so, until somebody has settled it. Answers whether some are left to be asked for. */
export async function hearAll({ storage, holders, log }: Pick<SettlingOptions, 'storage' | 'holders' | 'log'>, signal: AbortSignal): Promise<'some' | 'none'> {
  const unheard = storage.care.unheard();
  for (const { address, nodes } of unheard) {
    if (signal.aborted) break;
    const { holders: having, unsettled, silent } = await holders(address);
    const owners = having.filter((node) => !unsettled.includes(node));
    if (owners.length > 0) log.error({ alert: 'two-owners', account: address, nodes: owners }, 'other nodes keep an account that this node keeps, too: they were cut off when it was settled whose it is; see docs/account-move.md');
    else if (!nodes.some((node) => silent.includes(node) || unsettled.includes(node))) await storage.care.noteHeard(address);
  }
  return unheard.length > 0 ? 'some' : 'none';
}

type Answer = Settlement | { readonly open: string };

/**
 * A node that has the account in use is its owner. Where none has it, the directory decides; but another node that it names would make an
 * account without mail, so somebody has to say which is meant. Where it names none, a node that does not answer may have it.
 */
async function ownerOf({ accounts, maps, nodeName, holders }: SettlingOptions, address: string): Promise<Answer> {
  const entry = await accounts.lookUp(address);
  const answers = await holders(address);
  const { holders: having, unsettled, silent } = answers;
  const holder = having.find((node) => !unsettled.includes(node));
  if (holder !== undefined) return { owner: 'other-node', node: holder };
  if (unsettled.length > 0) return amongUnsettled(entry?.mailHost === undefined ? undefined : accounts.nodeOf(entry.mailHost), nodeName, answers);
  if (entry?.mailHost !== undefined) {
    return accounts.nodeOf(entry.mailHost) === nodeName ? { owner: 'this-node', unheard: silent } : { open: `the directory names ${entry.mailHost}, where it is not: let it name ${nodeName}` };
  }
  if (silent.length > 0) return { open: `${silent.join(', ')} does not answer, and may have it` };
  return entry === undefined && maps.covers(address) ? { owner: 'nobody' } : { owner: 'this-node' };
}

/**
 * Several have it, and none knows whose it is. Each asks a replica of the directory of its own, one of which may lag behind: so they have to be told the
 * same, or both might keep the account, or both give it away. And only the first of them by name acts, as what they are told may change
 * between question and act; the others find it settled then.
 */
function amongUnsettled(named: string | undefined, nodeName: string, { unsettled, named: byOthers, silent }: Holders): Answer {
  if (named === undefined) return { open: `${unsettled.join(', ')} has it, too, and does not know whose it is: let a directory name one` };
  const differing = unsettled.filter((node) => byOthers.get(node) !== named);
  if (differing.length > 0) return { open: `the directory names ${named} here, and not so at ${differing.join(', ')}, which has it, too: it is held until all are told the same` };
  const first = [nodeName, ...unsettled].sort()[0];
  if (first !== nodeName) return { open: `${String(first)} has it, too, and settles whose it is` };
  if (named === nodeName) return { owner: 'this-node', unheard: silent };
  return unsettled.includes(named) ? { owner: 'other-node', node: named } : { open: `the directory names ${named}, where it is not: let it name ${nodeName}` };
}
