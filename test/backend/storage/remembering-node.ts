/** A node that remembers which storages and which queue it has had, for tests of what it says when their folders are others. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeldDirectories } from '../../../backend/held-directories.ts';
import { demandKnownStorages, noteKnownStorages } from '../../../backend/known-storages.ts';
import { declareLost } from '../../../backend/offline-storage.ts';
import { storageDirectoriesOf, storageMemory } from '../../../backend/storage-directories.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import { createLog } from '../../../shared/log/log.ts';
import { quietLog, storageOptions, temporaryDirectory } from './harness.ts';

/** How a node refuses to start without a storage that it has had. */
export const notThere = (directory: string): object => ({ kind: 'storage-failure', message: new RegExp(`^${directory} has no storage .*Mount it; .*waybill storage lost ${directory}$`) });

/** Files bear the time of the kernel's last tick, up to 10 ms ago: what is declared right after a note would seem to be from before it. */
export async function clockGoesOn(): Promise<void> {
  await sleep(20);
}

/** As somebody does whose folder is gone, too. */
export function declareGoneLost(directory: string): void {
  mkdirSync(directory, { recursive: true });
  declareLost(directory);
}

export interface Warning {
  readonly directory: string;
  readonly text: string;
  readonly acceptedAt?: string;
  readonly lastOpenedAt?: string;
}

/** What a start of the node's first process tells its log. */
export async function warnings(node: Node): Promise<readonly Warning[]> {
  const told: Warning[] = [];
  const warn = (fields: Omit<Warning, 'text'>, text: string): void => void told.push({ ...fields, text });
  await clockGoesOn();
  new HeldDirectories(node.places, 'refuse', Object.assign(createLog({ node: 'be1', level: 'silent' }), { warn })).release();
  return told;
}

/** A node that has two storages and a queue, and remembers them. */
export class Node {
  readonly places: ConstructorParameters<typeof HeldDirectories>[0];
  readonly mounted: string;
  readonly away: string;

  constructor(t: TestContext) {
    const folder = temporaryDirectory(t);
    [this.mounted, this.away] = [join(folder, 'one'), join(folder, 'disk')];
    this.places = { clusterName: 'test', nodeName: 'be1', storage: { directories: [this.mounted, join(folder, 'two')] }, services: { processing: { queueDirectory: join(folder, 'queue') } } };
  }

  /** From its start to its end, as the first process and a worker. */
  async live(): Promise<readonly string[]> {
    const held = new HeldDirectories(this.places, 'refuse', quietLog);
    try {
      demandKnownStorages(this.places);
      const { open, attached } = storageDirectoriesOf(this.places);
      const storage = await openStorage(storageOptions(this.mounted, { directories: open, attached }));
      noteKnownStorages(this.places, open, quietLog);
      const addresses = storage.addresses();
      await storage.createAccount('alice@example.com');
      await storage.close();
      return addresses;
    } finally {
      held.release();
    }
  }

  /** The folder is as empty as the place where a disk was. */
  unmount(): void {
    renameSync(this.mounted, this.away);
    mkdirSync(this.mounted);
  }

  mount(): void {
    rmSync(this.mounted, { recursive: true });
    renameSync(this.away, this.mounted);
  }
}

/** A node that has taken in a third storage, and has worked with it. */
export async function nodeWithThird(t: TestContext): Promise<{ readonly node: Node; readonly three: string }> {
  const node = new Node(t);
  const three = `${node.mounted}-three`;
  await (await openStorage(storageOptions(three))).close();
  storageMemory(node.places).takeIn(three);
  await node.live();
  return { node, three };
}
