/** One pass of the indexer over the storages of a node: which mailboxes are to have an index, and each of them brought up to date. */
import { rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isFailure } from '../../shared/base/failure.ts';
import type { Account, Mailbox, MailboxState, Storage } from '../storage/storage.ts';
import { asideSuffix, clearFolder, folderOf, foldersIn, rootOf, wantedAtMs } from './index-folder.ts';
import { indexMailbox } from './index-mailbox.ts';
import { fewMessages } from './text-answers.ts';
import type { IndexedMailboxes } from './text-answers.ts';

/** An index that nobody has used for so long is removed, where only searched mailboxes have one. */
const unusedMs = 90 * 24 * 3_600_000;

export interface PassOrder {
  readonly directories: readonly string[];
  readonly indexed: IndexedMailboxes;
  /** Only accounts with these ids; all when absent. */
  readonly accounts?: readonly string[] | undefined;
  /** `make`: whoever orders it wants an index of every mailbox of these accounts, small ones too. */
  readonly extent: 'as-configured' | 'make';
  /** `anew`: what there is already is removed first; that mailboxes are searched stays noted. */
  readonly begin: 'anew' | 'with-what-is-there';
}

export interface PassProgress {
  readonly added: number;
  /** Messages in mailboxes that have or get an index. */
  readonly of: number;
  /** Messages that are in none yet. */
  readonly missing: number;
}

interface Ground {
  readonly storage: Storage;
  /** Hears what could not be done for one mailbox. */
  readonly trouble: (folder: string, error: unknown) => void;
  readonly report: (progress: PassProgress) => void;
  readonly signal: AbortSignal;
  /** See `Pace`. */
  readonly rest: () => Promise<void>;
}

/** Only while no other process writes the index. Rejects when a storage can't be read, or with the signal's reason; what can't be done for one mailbox is told and left. */
export async function runPass(order: PassOrder, ground: Ground): Promise<PassProgress> {
  if (order.begin === 'anew') for (const folder of foldersOf(order, ground.storage)) clearFolder(folder);
  const targets = await targetsOf(order, ground.storage);
  const of = targets.reduce((sum, { state }) => sum + state.messages, 0);
  let [added, missing] = [0, 0];
  for (const { mailbox, state, folder } of targets) {
    await nextTurn(); // signals are heard
    await ground.rest();
    try {
      const least = order.extent === 'make' ? 1 : fewMessages;
      const outcome = await indexMailbox({ mailbox, folder, least, signal: ground.signal, rest: ground.rest, report: (now) => ground.report({ added: added + now, of, missing }) });
      added += outcome.added;
      missing += outcome.missing;
    } catch (error) {
      ground.signal.throwIfAborted();
      if (isFailure(error, 'mailbox-missing')) continue; // deleted meanwhile
      ground.trouble(folder, error);
      missing += state.messages;
    }
  }
  if (order.accounts === undefined) await sweep(order, ground.storage);
  return { added, of, missing };
}

interface Target {
  readonly mailbox: Mailbox;
  readonly state: MailboxState;
  readonly folder: string;
}

async function targetsOf({ directories, indexed, accounts, extent }: PassOrder, storage: Storage): Promise<Target[]> {
  const searched = new Set(directories.flatMap((directory) => foldersIn(rootOf(directory))));
  if (extent === 'as-configured' && indexed !== 'all' && searched.size === 0) return [];
  const targets: Target[] = [];
  for (const address of storage.addresses()) {
    const account = liveAccount(storage, address);
    if (account === undefined || accounts?.includes(account.id) === false) continue;
    for (const state of account.mailboxes()) {
      const mailbox = account.mailboxById(state.id);
      if (mailbox === undefined || state.messages === 0) continue;
      const folder = folderOf(mailbox);
      const wanted = extent === 'make' || (indexed === 'all' ? state.messages >= fewMessages : indexed === 'searched' && searched.has(folder) && await isWanted(folder));
      if (wanted) targets.push({ mailbox, state, folder });
    }
  }
  return targets;
}

/** Where indexes of what the order means lie, or may lie. */
function foldersOf({ directories, accounts }: PassOrder, storage: Storage): string[] {
  if (accounts === undefined) return directories.flatMap((directory) => foldersIn(rootOf(directory)));
  return storage.addresses().flatMap((address) => {
    const account = liveAccount(storage, address);
    if (account === undefined || !accounts.includes(account.id)) return [];
    return account.mailboxes().flatMap(({ id }) => account.mailboxById(id) ?? []).map(folderOf);
  });
}

function liveAccount(storage: Storage, address: string): Account | undefined {
  const record = storage.find(address);
  return record.at === 'live' ? record.account : undefined;
}

async function isWanted(folder: string): Promise<boolean> {
  const atMs = await wantedAtMs(folder);
  return atMs !== undefined && Date.now() - atMs < unusedMs;
}

/** Removes indexes of mailboxes that are gone, that nobody has searched for long, and what is damaged and old. */
async function sweep({ directories, indexed }: PassOrder, storage: Storage): Promise<void> {
  const kept = new Set<string>();
  for (const address of storage.addresses()) {
    const account = liveAccount(storage, address);
    for (const { id } of account?.mailboxes() ?? []) {
      const mailbox = account?.mailboxById(id);
      if (mailbox !== undefined) kept.add(folderOf(mailbox));
    }
  }
  for (const folder of directories.flatMap((directory) => foldersIn(rootOf(directory)))) {
    const used = kept.has(folder.replace(asideSuffix, '')) && (indexed === 'all' || await isWanted(folder));
    if (!used) rmSync(folder, { recursive: true, force: true });
  }
}
