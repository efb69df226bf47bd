/**
 * The storages and the queue of a node, held by its first process so that no second node works with them. Storages come and go while the
 * node runs: workers ask here, by the topics below, for a new generation that opens what there is, and say when none has files open any more.
 */
import { Failure, isFailure } from '../shared/base/failure.ts';
import { isDiskFull } from '../shared/base/full-disk.ts';
import type { ForeignHolder } from '../shared/base/folder-holder.ts';
import type { Logger } from '../shared/log/log.ts';
import type { Desk } from '../shared/service/question-desk.ts';
import { demandKnownQueue } from './known-queue.ts';
import { countStarts, demandKnownStorages, forgetLostStorages } from './known-storages.ts';
import { lockDirectory } from './locked-directory.ts';
import { queueDirectoryOf } from './queue-directory.ts';
import type { KeptPlaces } from './queue-directory.ts';
import { storageDirectoriesOf } from './storage-directories.ts';
import { demandUsable, queueKind, raiseFormat, storageKind } from './storage/directory-record.ts';

/** Questions at the supervisor. */
export const heldTopics = { list: 'held-storages', follow: 'follow-storages', outcome: 'followed-storages', letGo: 'let-go-storage', claim: 'claim-storage', endClaim: 'claimed-storage' } as const;

/** How long a worker has to note what it was granted. */
const claimMs = 60_000;

/** How far it is with new workers that have the storages of now. */
export type Following =
  | { readonly at: 'running' }
  | { readonly at: 'done' }
  | { readonly at: 'failed'; readonly kind: string; readonly why: string };

export type HolderConfig = KeptPlaces & { readonly clusterName: string };

/** `trouble`: what kept the node from leaving the folder in order. */
export interface LettingGo {
  readonly trouble?: string;
}

export class HeldDirectories {
  readonly #config: HolderConfig;
  readonly #foreign: ForeignHolder;
  readonly #log: Logger;
  readonly #held = new Map<string, () => void>();
  /** By number; few administrators take storages in and out. */
  readonly #followings: Following[] = [];
  /** Storages that are about to be noted as taken out, and until when they count as such: who is to note them may have died. */
  readonly #claims = new Map<string, number>();

  /** Holds what the node has now. @throws Failure('in-use'), 'bad-input' when it has no storage, 'storage-failure' when one that it has had, or its queue, is not there */
  constructor(config: HolderConfig, foreign: ForeignHolder, log: Logger) {
    this.#config = config;
    this.#foreign = foreign;
    this.#log = log;
    demandKnownQueue(config); // what is said of storages stands beside it
    forgetLostStorages(config);
    if (storageDirectoriesOf(config).open.length === 0) throw new Failure('bad-input', `storage.directories names no folder for node ${config.nodeName}, or all are taken out (waybill storage attach)`);
    demandKnownStorages(config); // a lock would make the folder
    try {
      this.#hold([...storageDirectoriesOf(config).open, queueDirectoryOf(config)]);
      countStarts(config, log);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  release(): void {
    for (const [directory, leave] of [...this.#held].reverse()) {
      leave();
      this.#held.delete(directory);
    }
  }

  /** @param renew starts new workers, which read what storages there are; rejects with the words of one that could not start */
  desk(renew: () => Promise<void>): Desk {
    return {
      [heldTopics.list]: () => [...this.#held.keys()],
      [heldTopics.follow]: () => {
        const number = this.#followings.push({ at: 'running' }) - 1;
        const end = (outcome: Following): void => { this.#followings[number] = outcome; };
        this.#follow(renew).then(() => end({ at: 'done' }), (error: unknown) => end(failed(error)));
        return number;
      },
      [heldTopics.outcome]: (number) => this.#followings[Number(number)] ?? null,
      [heldTopics.claim]: (directory) => this.#claim(String(directory)),
      [heldTopics.endClaim]: (directory) => this.#claims.delete(String(directory)),
      [heldTopics.letGo]: (directory) => this.#letGo(String(directory)),
    };
  }

  /** `last`: without it the node would have none, and could not start. Asked by several workers: only here one comes after the other. */
  #claim(directory: string): 'claimed' | 'last' {
    const nowMs = Date.now();
    for (const [claimed, untilMs] of this.#claims) if (untilMs <= nowMs) this.#claims.delete(claimed);
    const { open, joining } = storageDirectoriesOf(this.#config);
    const stays = (one: string): boolean => one !== directory && !this.#claims.has(one) && !joining.some((coming) => coming.directory === one);
    if (!open.some(stays)) return 'last';
    this.#claims.set(directory, nowMs + claimMs);
    return 'claimed';
  }

  /** What has come is held before anybody opens it. */
  async #follow(renew: () => Promise<void>): Promise<void> {
    const taken = this.#hold(storageDirectoriesOf(this.#config).open);
    try {
      await renew();
    } catch (error) {
      for (const directory of taken) this.#drop(directory);
      throw error;
    }
  }

  /** Only what is taken out: it may have been taken in again meanwhile. The disk may be what it is taken out for: that ends no node. */
  #letGo(directory: string): LettingGo {
    try {
      if (storageDirectoriesOf(this.#config).takenOut.some((one) => one.directory === directory)) this.#drop(directory);
      return {};
    } catch (error) {
      return { trouble: String(error) };
    }
  }

  #drop(directory: string): void {
    const leave = this.#held.get(directory);
    this.#held.delete(directory);
    leave?.();
  }

  /** Answers those that it did not hold before. All of them, or none; till all are held, and are such as the node may open, nothing in them is changed. */
  #hold(directories: readonly string[]): readonly string[] {
    const taken: string[] = [];
    try {
      for (const directory of new Set(directories)) {
        if (this.#held.has(directory)) continue;
        this.#held.set(directory, lockDirectory(directory, this.#foreign));
        taken.push(directory);
      }
      for (const directory of taken) this.#demandUsable(directory);
      for (const directory of taken) this.#raise(directory); // no worker has it open yet: one of an older program would not hear of it
      return taken;
    } catch (error) {
      for (const directory of taken) this.#drop(directory);
      throw error;
    }
  }

  /** A disk that is full keeps no node from starting: workers write what belongs to the format that they find. */
  #raise(directory: string): void {
    try {
      raiseFormat(directory);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#log.warn({ err: error, directory }, 'the disk of a storage is full: it keeps the format of an earlier version, which is used as it is, until a start finds room');
    }
  }

  /** One that was attached, or is just being taken in, may be another node's till a worker opens it. */
  #demandUsable(directory: string): void {
    const { clusterName: cluster, nodeName: node } = this.#config;
    const { attached, joining } = storageDirectoriesOf(this.#config);
    const mayBeOthers = attached.includes(directory) || joining.some((coming) => coming.directory === directory);
    for (const kind of [storageKind, queueKind]) demandUsable(directory, mayBeOthers ? { cluster } : { cluster, node }, kind);
  }
}

function failed(error: unknown): Following {
  return { at: 'failed', kind: isFailure(error) ? error.kind : 'storage-failure', why: error instanceof Error ? error.message : String(error) };
}
