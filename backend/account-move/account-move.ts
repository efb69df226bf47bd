/**
 * Moves of accounts between the back-ends of the cluster (the face of this room): `waybill account move` asks the node where
 * the account is to live. The order of the steps and what a crash leaves is told in move.ts and docs/account-move.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Service } from '../../shared/service/service.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import { isAlive, thisProcess } from '../storage/storage.ts';
import type { Account, Storage } from '../storage/storage.ts';
import { bringLeftBehind } from './left-behind.ts';
import { bringAccount } from './move.ts';
import { Progress } from './progress.ts';
import type { MoveStep, Tell } from './progress.ts';
import { remoteSource } from './source.ts';
import type { MoveSource, NodeRecord } from './source.ts';
import { sourceRoutes } from './source-routes.ts';
import { compareMessages } from './verify.ts';

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

export interface AccountMoves {
  readonly routes: readonly AdminRoute[];
  /** Finishes moves whose process died after the seal, and removes old mail that was left; for one worker of the node. */
  startTidying(): Service;
}

const startSchema = z.object({ from: z.string().optional(), purge: z.boolean() });
type Start = z.output<typeof startSchema>;

const tidyEveryMs = 1000;
const removeEveryMs = 600_000;

export function createAccountMoves(options: AccountMovesOptions): AccountMoves {
  const running = new Map<string, Progress>();
  const start = (address: string, how: Start): Progress => {
    const known = running.get(address);
    if (known !== undefined) return known;
    const progress = new Progress();
    running.set(address, progress);
    void new MoveJob(options, address, progress).run(how).finally(() => {
      running.delete(address);
      progress.end();
    });
    return progress;
  };
  const startRoute: AdminRoute = {
    method: 'POST', prefix: '/moves/start/', allow: 'nodes',
    answer: async (argument, { body }) => {
      const how = startSchema.parse(body);
      const entry = await options.lookUp(argument);
      return { status: 200, stream: start(entry?.address ?? argument.toLowerCase(), how).follow() };
    },
  };
  return { routes: [...sourceRoutes(options.nodeName, options.storage), startRoute], startTidying: () => tidying(options, start) };
}

/** One move, from the request to the comparison. */
class MoveJob {
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
      await this.#bring(sources, how);
      await this.#nameInDirectory();
      await this.#compare(sources, how);
      this.#progress.add({ step: 'done', text: `${this.#address} lives on ${this.#options.nodeName}`, atMs: Date.now() });
    } catch (error) {
      const kind = isFailure(error) ? error.kind : 'internal';
      this.#log.error({ err: error }, 'move stopped');
      this.#progress.add({ step: 'failed', kind, text: error instanceof Error ? error.message : String(error), atMs: Date.now() });
    } finally {
      await this.#options.storage.transfers.arriving.rest(this.#address, thisProcess());
      for (const source of sources) source.close();
    }
  }

  readonly #tell: Tell = (step: MoveStep, text: string): void => {
    this.#log.info({ step }, text);
    this.#progress.add({ step, text, atMs: Date.now() });
  };

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
    await bringAccount({ address: this.#address, source: first.source, node, storage, holdMs, tell: this.#tell });
  }

  #nothingToMove(from: string | undefined): void {
    if (from !== undefined) throw new Failure('unknown-user', `${from} holds no mail of ${this.#address}`);
    this.#tell('begin', `no node holds mail of ${this.#address}; its mailbox will be made at the first login or delivery`);
  }

  /** The account is here; others may hold mail of it that was left behind, or whose bringing was cut. */
  async #merge(account: Account, { found, from }: { readonly found: readonly Found[]; readonly from: string | undefined }): Promise<void> {
    const { storage, nodeName: node } = this.#options;
    for (const { source, record } of found) {
      if (record?.at === 'live' && from === undefined) {
        throw new Failure('mailbox-exists', `${node} owns ${this.#address}, and ${source.node} holds mail of it too: bring that over with --from ${source.node}`);
      }
      if ((await source.snapshot(this.#address)).id === account.id) continue; // came whole; it is compared below
      await bringLeftBehind({ account, source, node, storage, tell: this.#tell });
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

  async #compare(sources: readonly MoveSource[], { purge }: Start): Promise<void> {
    const here = this.#options.storage.find(this.#address);
    for (const { source, record } of await recordsAt(sources, this.#address)) {
      if (here.at !== 'live' || record?.at !== 'moved' || record.left === 'none' || (record.left === 'verified' && !purge)) continue;
      if (record.left === 'unverified') {
        const { equal, removedSince } = await compareMessages(source, here.account);
        this.#tell('verify', `${String(equal)} messages compared with ${source.node}'s, byte for byte${removedSince === 0 ? '' : `; ${String(removedSince)} were removed since`}`);
      }
      await source.verified(this.#address, { epoch: record.epoch, purge });
      if (purge) this.#tell('remove', `the mail at ${source.node} is removed`);
    }
  }
}

interface Found {
  readonly source: MoveSource;
  /** Undefined: no answer. */
  readonly record: NodeRecord | undefined;
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

/** Accounts that were sealed to this node by a move that died: nobody owns them until this is done. */
async function finishSealed(options: AccountMovesOptions, start: (address: string, how: Start) => Progress): Promise<void> {
  for (const { address, from, holder } of options.storage.transfers.arriving.records()) {
    const target = options.others[from];
    if (target === undefined || (holder !== '' && isAlive(holder))) continue;
    const source = remoteSource(from, target);
    try {
      const record = await source.record(address);
      if (record.at === 'moved' && record.node === options.nodeName) start(address, { purge: false });
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
    } finally {
      source.close();
    }
  }
}

async function removeOld({ storage, keepLeftMs, log }: AccountMovesOptions): Promise<void> {
  const { leaving } = storage.transfers;
  for (const { address, epoch, atMs, mail } of leaving.left()) {
    if (mail !== 'verified' || Date.now() - atMs < keepLeftMs) continue;
    await leaving.removeLeft(address, epoch);
    log.info({ account: address }, 'mail of an account that moved away is removed');
  }
}

function tidying(options: AccountMovesOptions, start: (address: string, how: Start) => Progress): Service {
  const end = new AbortController();
  let removedAtMs = Date.now();
  const work = async (): Promise<void> => {
    while (!end.signal.aborted) {
      try {
        await finishSealed(options, start);
        if (Date.now() - removedAtMs > removeEveryMs) {
          removedAtMs = Date.now();
          await removeOld(options);
        }
      } catch (error) {
        options.log.error({ err: error }, 'could not look after moved accounts');
      }
      await sleep(tidyEveryMs, undefined, { signal: end.signal, ref: false }).catch(() => undefined); // woken to end
    }
  };
  const working = work();
  const stop = async (): Promise<void> => {
    end.abort();
    await working;
  };
  return { name: 'accountMoves', stop, retire: stop };
}
