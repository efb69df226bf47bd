/** One move, from the request to the comparison: finds who holds the account, brings it, names it in the directory, compares, and tells of it. */
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { counted } from '../../shared/base/counted.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import { thisProcess } from '../storage/storage.ts';
import type { Account, Storage } from '../storage/storage.ts';
import { abortMove } from './abort.ts';
import { bringLeftBehind } from './left-behind.ts';
import { localSource } from './local-source.ts';
import { bringAccount, copyAcceptances } from './move.ts';
import type { Progress, MoveStep, Tell } from './progress.ts';
import { remoteSource } from './source.ts';
import type { MoveSource, NodeRecord } from './source.ts';
import { compareCopies, compareMessages } from './verify.ts';

/** What came of writing an entry's mailHost. */
export type HostChange =
  | { readonly kind: 'written' | 'already' }
  /** We may not write: this is what `ldapmodify` needs. */
  | { readonly kind: 'by-hand'; readonly ldif: string };

export interface AccountMovesOptions {
  readonly storage: Storage;
  readonly nodeName: string;
  /** Admin APIs of the other back-ends. */
  readonly others: Readonly<Record<string, AdminTarget>>;
  /** Uncached; undefined: no such address. */
  readonly lookUp: (address: string) => Promise<UserEntry | undefined>;
  readonly setHost: (entry: UserEntry, node: string) => Promise<HostChange>;
  readonly holdMs: number;
  /** How long mail that was moved away, and compared, is kept. */
  readonly keepLeftMs: number;
  readonly log: Logger;
}

export interface Start {
  readonly from?: string | undefined;
  readonly purge: boolean;
  /** `abort`: what has come so far is thrown away. */
  readonly wish: 'move' | 'abort';
}

interface Found {
  readonly source: MoveSource;
  /** Undefined: no answer. */
  readonly record: NodeRecord | undefined;
}

export class MoveJob {
  readonly #options: AccountMovesOptions;
  readonly #address: string;
  readonly #progress: Progress;
  readonly #log: Logger;

  constructor(options: AccountMovesOptions, address: string, progress: Progress) {
    this.#options = options;
    this.#address = address;
    this.#progress = progress;
    this.#log = options.log.child({ account: address, job: 'account-move' });
  }

  /** Never rejects: how it ended is told. */
  async run(how: Start): Promise<void> {
    const sources = Object.entries(this.#options.others).map(([node, target]) => remoteSource(node, target));
    try {
      const text = how.wish === 'abort' ? await this.#abort(sources) : await this.#move(sources, how);
      this.#progress.add({ step: 'done', text, atMs: Date.now() });
    } catch (error) {
      await this.#tellFailure(error);
    } finally {
      await this.#options.storage.transfers.arriving.rest(this.#address, thisProcess());
      for (const source of sources) source.close();
    }
  }

  readonly #tell: Tell = (step: MoveStep, text: string): void => {
    this.#log.info({ step }, text);
    this.#progress.add({ step, text, atMs: Date.now() });
  };

  async #move(sources: readonly MoveSource[], how: Start): Promise<string> {
    const { storage, nodeName } = this.#options;
    await this.#bring(sources, how);
    if (storage.find(this.#address).at === 'live') await storage.transfers.arriving.takeUp(this.#address, thisProcess());
    await this.#nameInDirectory();
    const silent = await this.#compare(sources, how);
    const from = storage.transfers.arriving.came().find(({ address }) => address === this.#address)?.from;
    if (from !== undefined && !silent.includes(from)) await storage.transfers.arriving.finish(this.#address);
    return `${this.#address} lives on ${nodeName}`;
  }

  async #abort(sources: readonly MoveSource[]): Promise<string> {
    await abortMove({ address: this.#address, sources, node: this.#options.nodeName, storage: this.#options.storage });
    return `what had come of ${this.#address} to ${this.#options.nodeName} is thrown away; it lives where it did`;
  }

  async #tellFailure(error: unknown): Promise<void> {
    const { storage, nodeName } = this.#options;
    const kind = isFailure(error) ? error.kind : 'internal';
    this.#log.error({ err: error }, 'move stopped');
    let text = error instanceof Error ? error.message : String(error);
    // Another node took it meanwhile: what has come here is of no use to anybody.
    if (isFailure(error, 'not-kept-here') && error.node !== undefined && error.node !== nodeName && storage.find(this.#address).at === 'arriving') {
      await storage.transfers.arriving.abandon(this.#address, 'any');
      text = `${this.#address} went to ${error.node} meanwhile`;
    }
    this.#progress.add({ step: 'failed', kind, text, atMs: Date.now() });
  }

  async #bring(sources: readonly MoveSource[], { from }: Start): Promise<void> {
    const { storage, nodeName: node, holdMs } = this.#options;
    const records = await recordsAt(sources, this.#address);
    const owners = records.filter(({ record }) => record?.at === 'live' || (record?.at === 'moved' && record.node === node && record.left === 'unverified'));
    const here = storage.find(this.#address);
    const named = from === undefined ? owners : owners.filter(({ source }) => source.node === from);
    const [first, ...more] = named.toSorted((one) => (one.record?.at === 'live' ? -1 : 1));
    const silent = records.filter(({ record }) => record === undefined).map(({ source }) => source.node);
    if (here.at === 'live') return this.#merge(here.account, { found: named, from });
    if (first === undefined && (from !== undefined || silent.length === 0)) return this.#nothingToMove(from);
    if (first === undefined) throw new Failure('backend-unavailable', `no node that answers owns ${this.#address}; no answer from ${silent.join(', ')}`);
    if (first.record?.at === 'live' && more.some(({ record }) => record?.at === 'live')) {
      throw new Failure('mailbox-exists', `${named.map(({ source }) => source.node).join(' and ')} hold mail of ${this.#address}: name the one whose mail is to be the account with --from, and run it again for the other`);
    }
    await this.#clearOld(first.source);
    await bringAccount({ address: this.#address, source: first.source, node, storage, holdMs, tell: this.#tell });
  }

  /** Mail that an earlier move left here makes room for the copy; it may be the only good one, so it is compared if that was not done yet. */
  async #clearOld(owner: MoveSource): Promise<void> {
    const { storage, nodeName } = this.#options;
    const here = storage.find(this.#address);
    if (here.at !== 'moved' || storage.transfers.leaving.leftOf(this.#address) !== 'unverified') return;
    const equal = await compareCopies(localSource(nodeName, storage).digests(this.#address), owner, this.#address);
    this.#tell('verify', `${counted(equal, 'message')} that lie here since an earlier move compared with ${owner.node}'s`);
    await storage.transfers.leaving.markVerified(this.#address, here.epoch);
  }

  async #nothingToMove(from: string | undefined): Promise<void> {
    if (from !== undefined) throw new Failure('unknown-user', `${from} holds no mail of ${this.#address}`);
    if ((await this.#options.lookUp(this.#address)) === undefined) throw new Failure('unknown-user', `no node holds mail of ${this.#address}, and the directory does not know the address`);
    this.#tell('begin', `no node holds mail of ${this.#address}; its mailbox will be made at the first login or delivery`);
  }

  /** The account is here; others may hold mail of it that was left behind, or whose bringing was cut. */
  async #merge(account: Account, { found, from }: { readonly found: readonly Found[]; readonly from: string | undefined }): Promise<void> {
    const { nodeName: node } = this.#options;
    for (const { source, record } of found) {
      if (record?.at === 'live' && from === undefined) {
        throw new Failure('mailbox-exists', `${node} owns ${this.#address}, and ${source.node} holds mail of it too: bring that over with --from ${source.node}`);
      }
      if ((await source.snapshot(this.#address)).id === account.id) continue; // came whole; it is compared below
      await bringLeftBehind({ account, source, node, tell: this.#tell });
      const sealed = await source.record(this.#address);
      if (sealed.at === 'moved') await source.verified(this.#address, { epoch: sealed.epoch, purge: false });
    }
  }

  async #nameInDirectory(): Promise<void> {
    const { lookUp, setHost, nodeName } = this.#options;
    const entry = await lookUp(this.#address);
    if (entry === undefined) return this.#tell('directory', 'the directory does not know the address any more');
    const change = await setHost(entry, nodeName);
    if (change.kind === 'by-hand') {
      this.#progress.add({ step: 'directory-by-hand', ldif: change.ldif, atMs: Date.now(), text: 'the directory names another host and may not be written from here; until it is changed, sessions are referred' });
    } else {
      this.#tell('directory', change.kind === 'written' ? `the directory names ${nodeName} now` : `the directory names ${nodeName}`);
    }
    return undefined;
  }

  /** Answers the nodes that said nothing. */
  async #compare(sources: readonly MoveSource[], { purge }: Start): Promise<readonly string[]> {
    const { storage } = this.#options;
    const here = storage.find(this.#address);
    const records = await recordsAt(sources, this.#address);
    for (const { source, record } of records) {
      if (here.at !== 'live' || record?.at !== 'moved' || record.left === 'none' || (record.left === 'verified' && !purge)) continue;
      await copyAcceptances({ address: this.#address, source, storage }); // how sessions ended that stood at the time of the move
      if (record.left === 'unverified') {
        const { equal, removedSince } = await compareMessages(source, here.account);
        this.#tell('verify', `${counted(equal, 'message')} compared with ${source.node}'s, byte for byte${removedSince === 0 ? '' : `; ${String(removedSince)} were removed since`}`);
      }
      await source.verified(this.#address, { epoch: record.epoch, purge });
      if (purge) this.#tell('remove', `the mail at ${source.node} is removed`);
    }
    return records.filter(({ record }) => record === undefined).map(({ source }) => source.node);
  }
}

async function recordsAt(sources: readonly MoveSource[], address: string): Promise<readonly Found[]> {
  return Promise.all(sources.map(async (source): Promise<Found> => {
    try {
      return { source, record: await source.record(address) };
    } catch (error) {
      if (isFailure(error, 'backend-unavailable')) return { source, record: undefined };
      throw error;
    }
  }));
}
