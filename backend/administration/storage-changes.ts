/**
 * Storages that come and go while the node runs. Workers of a new generation open what there is; those of older ones end the sessions of a
 * storage that is taken out, close its files, and say so; then the node's first process stops holding it. Whatever breaks off in between is
 * gone on with by the worker that is appointed for what exists once per node.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import { isAlive } from '../../shared/base/process-identity.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Service } from '../../shared/service/service.ts';
import { askSupervisor } from '../../shared/service/siblings.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import { heldTopics } from '../held-directories.ts';
import type { Following, LettingGo } from '../held-directories.ts';
import type { Storage } from '../storage/storage.ts';
import type { StorageMemory } from './storage-list-handlers.ts';

export interface StorageChangesGround {
  readonly storage: Storage;
  readonly memory: Pick<StorageMemory, 'takenOut' | 'takeOut' | 'joining' | 'takeIn' | 'giveUp'>;
  readonly siblings: Siblings;
  readonly log: Logger;
  /** Closes what else this worker has open in that storage. */
  readonly onLetGo: (directory: string) => void;
  /** Whether a process that is no worker works in it: its files are let go only when that has ended. */
  readonly isBusy: (directory: string) => boolean;
  /** How long sessions have for the end of their last command. */
  readonly lastCommandsMs?: number;
}

/** What administrators' commands need of it. */
export interface StorageChanges {
  /** Folders that the node holds, those that it lets go among them. */
  held(): Promise<readonly string[]>;
  /** Of two that are taken out at the same moment one hears of the other. @throws Failure('bad-input') for the last one that the node has */
  claim(directory: string): Promise<void>;
  /** It is noted by now, or will not be taken out. */
  endClaim(directory: string): Promise<void>;
  /** In all workers nobody begins anything in that storage any more; `some-are-busy`: not all have said so. This worker has its files still. */
  leave(directory: string): Promise<'left' | 'some-are-busy'>;
  /** Starts workers that have the storages of now, however long that takes. Throws what kept one from starting; then all is as before. */
  follow(): Promise<void>;
  /** Waits a while for the files to be closed; `in-use` when some are open still: they are let go later. */
  letGo(directory: string): Promise<'let-go' | 'in-use'>;
}

const topic = 'storage-leaves';
/** Workers that are busy get that long to hear of it. */
const patienceMs = 10_000;
const usualLastCommandsMs = 4000;
const lookEveryMs = 250;
/** How long a command waits for the files. */
const letGoMs = 20_000;
const goOnEveryMs = 10_000;
/** While there is something to go on with. */
const goOnSoonMs = 500;
/** What the log says of a storage that did not come in. */
const leftOut = 'a storage whose taking in had broken off can not be opened: it is left out, and all is noted as before; attach it again when it can';

export class WorkerStorageChanges implements StorageChanges {
  readonly #ground: StorageChangesGround;
  /** Whose files are being closed by this worker. */
  readonly #leaving = new Map<string, Promise<void>>();
  /** Which this worker had when it found them half taken out. */
  readonly #had = new Set<string>();

  constructor(ground: StorageChangesGround) {
    this.#ground = ground;
    ground.siblings.answer(topic, (directory) => this.#leave(String(directory)));
  }

  async held(): Promise<readonly string[]> {
    const held = await askSupervisor(this.#ground.siblings, heldTopics.list, {});
    return Array.isArray(held) ? held.map(String) : [];
  }

  async claim(directory: string): Promise<void> {
    if ((await askSupervisor(this.#ground.siblings, heldTopics.claim, directory)) === 'last') {
      throw new Failure('bad-input', 'a back-end needs one storage at least, and all others are taken out, or just being taken out or in');
    }
  }

  async endClaim(directory: string): Promise<void> {
    await askSupervisor(this.#ground.siblings, heldTopics.endClaim, directory).catch((error: unknown) => this.#ground.log.warn({ err: error, directory }, 'the end of taking a storage out could not be told'));
  }

  async leave(directory: string): Promise<'left' | 'some-are-busy'> {
    const { siblings, storage, lastCommandsMs = usualLastCommandsMs } = this.#ground;
    const waitMs = lastCommandsMs * 0.8;
    const { silent } = await siblings.ask(topic, directory, waitMs);
    storage.care.ring(directory);
    return silent === 0 ? 'left' : 'some-are-busy';
  }

  async follow(): Promise<void> {
    const { siblings } = this.#ground;
    const number = await askSupervisor(siblings, heldTopics.follow, {});
    for (;; await sleep(lookEveryMs)) {
      const outcome = await askSupervisor(siblings, heldTopics.outcome, number) as Following | null;
      if (outcome === null || outcome.at === 'done') return; // null: another supervisor, whose workers have it all from their start
      if (outcome.at === 'failed') throw new Failure(outcome.kind as FailureKind, outcome.why);
    }
  }

  async letGo(directory: string): Promise<'let-go' | 'in-use'> {
    for (const deadlineMs = performance.now() + letGoMs; performance.now() < deadlineMs; await sleep(lookEveryMs)) {
      if (await this.#tryLetGo(directory)) return 'let-go';
    }
    return 'in-use';
  }

  /** Goes on with what a worker or command that ended has left half done; for one worker of the node. */
  goOn(): Service {
    const end = new AbortController();
    const work = async (): Promise<void> => {
      while (!end.signal.aborted) {
        const left = await this.#goOnOnce().catch((error: unknown) => {
          this.#ground.log.warn({ err: error }, 'a storage that is taken out could not be let go yet');
          return 0;
        });
        await sleep(left > 0 ? goOnSoonMs : goOnEveryMs, undefined, { signal: end.signal, ref: false }).catch(() => undefined); // it was ended
      }
    };
    const working = work();
    const stop = async (): Promise<void> => {
      end.abort();
      await working;
    };
    return { name: 'storageChanges', stop, retire: stop };
  }

  /** How many are not let go yet. */
  async #goOnOnce(): Promise<number> {
    const { memory, storage, siblings } = this.#ground;
    for (const { directory } of memory.joining().filter(({ process }) => !isAlive(process))) await this.#finishJoining(directory);
    const takenOut = memory.takenOut();
    if (takenOut.length === 0) return 0;
    const held = await this.held();
    let left = 0;
    for (const { directory } of takenOut.filter((out) => held.includes(out.directory))) {
      if (storage.care.has(directory)) this.#had.add(directory);
      if (!(await this.#tryLetGo(directory))) left += 1;
      else if (this.#had.delete(directory)) await askSupervisor(siblings, heldTopics.follow, {}); // workers that never had it go on, and know all that was noted
    }
    return left;
  }

  /** Who took it in has ended before that was done. */
  async #finishJoining(directory: string): Promise<void> {
    const { memory, log } = this.#ground;
    try {
      await this.follow();
      memory.takeIn(directory);
      log.info({ directory }, 'the taking in of a storage, which had broken off, is done');
    } catch (error) {
      if (!isFailure(error) || error.kind === 'timed-out') throw error;
      memory.giveUp(directory);
      log.error({ err: error, directory }, leftOut);
    }
  }

  async #tryLetGo(directory: string): Promise<boolean> {
    const { siblings, memory, log } = this.#ground;
    const { answers, silent } = await siblings.ask(topic, directory, patienceMs);
    if (silent > 0 || answers.some((answer) => answer !== 'closed') || this.#ground.isBusy(directory) || !memory.takenOut().some((out) => out.directory === directory)) return false;
    const { trouble } = await askSupervisor(siblings, heldTopics.letGo, directory) as LettingGo;
    if (trouble !== undefined) log.warn({ directory, trouble }, 'the folder of a storage that is taken out was not left in order: another machine may refuse to take it');
    return !(await this.held()).includes(directory);
  }

  /** A storage that was taken in again meanwhile is not left. */
  #leave(directory: string): 'open' | 'closed' {
    const { storage, memory } = this.#ground;
    if (this.#leaving.has(directory)) return 'open';
    if (!storage.care.has(directory)) return 'closed';
    if (!memory.takenOut().some((out) => out.directory === directory)) return 'open';
    storage.care.leave(directory);
    this.#leaving.set(directory, this.#close(directory).finally(() => this.#leaving.delete(directory)));
    return 'open';
  }

  /** What was made between the note and the end of the last worker that could make it: that one sees all. */
  #noteAddresses(directory: string): void {
    const { storage, memory } = this.#ground;
    const note = memory.takenOut().find((out) => out.directory === directory);
    const found = storage.care.addressesOf(directory);
    if (note === undefined || [...found].every((address) => note.addresses.has(address))) return;
    memory.takeOut({ ...note, addresses: new Set([...note.addresses, ...found]) });
  }

  async #close(directory: string): Promise<void> {
    const { storage, log, onLetGo, lastCommandsMs = usualLastCommandsMs } = this.#ground;
    await sleep(lastCommandsMs);
    try {
      this.#noteAddresses(directory);
      await storage.care.letGo(directory).finally(() => onLetGo(directory));
      log.info({ directory }, 'the files of a storage that is taken out are closed');
    } catch (error) {
      log.error({ err: error, directory }, 'the files of a storage that is taken out could not be closed in order');
    }
  }
}
