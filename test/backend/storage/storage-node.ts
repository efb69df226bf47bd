/** One node whose storages come and go: its first process, and workers of several generations, all in one process. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerStorageChanges } from '../../../backend/administration/administration.ts';
import { storageListHandlers } from '../../../backend/administration/storage-list-handlers.ts';
import { HeldDirectories } from '../../../backend/held-directories.ts';
import { storageDirectoriesOf, storageMemory } from '../../../backend/storage-directories.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Storage } from '../../../backend/storage/storage.ts';
import { isIndexing } from '../../../backend/text-index/text-index.ts';
import { WorkerNode } from '../../harness/worker-node.ts';
import { quietLog, storageOptions, temporaryDirectory } from './harness.ts';

export const alice = 'alice@example.com';

export interface Worker {
  readonly storage: Storage;
  readonly changes: WorkerStorageChanges;
}

/** Alice lies in `two`. */
export class StorageNode {
  readonly one: string;
  readonly two: string;
  /** Where it notes what comes and goes. */
  readonly list: string;
  readonly memory: ReturnType<typeof storageMemory>;
  readonly held: HeldDirectories;
  readonly workers: Worker[] = [];
  renewals = 0;
  readonly places: ConstructorParameters<typeof HeldDirectories>[0];
  readonly #bus: WorkerNode;
  readonly #t: Pick<TestContext, 'after'>;

  /** @param folder where a node of an earlier life was; a new one when absent */
  constructor(t: Pick<TestContext, 'after'>, folder = temporaryDirectory(t)) {
    [this.one, this.two] = [join(folder, 'one'), join(folder, 'two')];
    for (const directory of [this.one, this.two]) mkdirSync(directory, { recursive: true });
    this.#t = t;
    this.places = { clusterName: 'test', nodeName: 'be1', storage: { directories: [this.one, this.two] }, services: { processing: { queueDirectory: join(folder, 'queue') } } };
    this.list = join(folder, 'queue', 'storages');
    this.memory = storageMemory(this.places);
    this.held = new HeldDirectories(this.places, 'refuse', quietLog);
    t.after(() => this.held.release());
    this.#bus = new WorkerNode((work) => setImmediate(work), this.held.desk(async () => {
      this.renewals += 1;
      await this.start();
    }));
  }

  /** How often workers asked each other or the first process. */
  get questions(): number {
    return this.#bus.messages;
  }

  /** One more worker, with the storages of now. */
  async start(): Promise<Worker> {
    const { open, attached, takenOut, joining } = storageDirectoriesOf(this.places);
    const storage = await openStorage(storageOptions(this.one, { directories: open, attached, takenOut, joining: joining.map(({ directory }) => directory), domains: { limitsOf: () => ({}), storagesOf: () => [this.two] } }));
    this.#t.after(async () => storage.close());
    const changes = new WorkerStorageChanges({ storage, memory: this.memory, siblings: this.#bus.worker().siblings, log: storageOptions(this.one).log, onLetGo: () => undefined, isBusy: isIndexing, lastCommandsMs: 20 });
    const worker = { storage, changes };
    this.workers.push(worker);
    return worker;
  }

  takeOut(addresses = new Set([alice])): void {
    this.memory.takeOut({ directory: this.two, since: 'then', addresses });
  }
}

export async function until(condition: () => boolean): Promise<void> {
  for (const deadlineMs = performance.now() + 20_000; !condition();) {
    assert.ok(performance.now() < deadlineMs, condition.toString());
    await sleep(10);
  }
}

type Handler = ReturnType<typeof storageListHandlers>[number];

/** As an administrator's command at that worker. */
export async function command(node: StorageNode, { storage, changes }: Worker, [name, body]: readonly ['attachStorage' | 'detachStorage', object]): Promise<unknown> {
  const { log, clusterName: cluster, nodeName } = storageOptions(node.one);
  const handler = storageListHandlers({ storage, memory: node.memory, changes, log, cluster, node: nodeName }).find(({ operation }) => operation.name === name);
  return handler?.handle({ params: {}, query: {}, body, reply: { note: () => undefined } } as unknown as Parameters<Handler['handle']>[0]);
}
