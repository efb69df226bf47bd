/** Storages that are taken out and taken in, over the admin API. What is said here is remembered on stable storage before it is answered. */
import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { storageOperations } from '../../cluster-config/admin/contract/storages.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import { demandCluster } from '../storage/storage.ts';
import type { Storage, TakenOut } from '../storage/storage.ts';

/** What the node remembers. */
export interface StorageMemory {
  /** As it is now, not as it was when the node started. */
  takenOut(): readonly TakenOut[];
  attached(): readonly string[];
  takeOut(one: TakenOut): Promise<void>;
  takeIn(directory: string): Promise<void>;
  /** It will not come back: its addresses may be anybody's. Throws `bad-input` while the configuration names it. */
  forget(directory: string): void;
}

export interface StorageListGround {
  readonly storage: Storage;
  readonly memory: StorageMemory;
  readonly siblings: Siblings;
  readonly cluster: string;
  readonly node: string;
}

const topic = 'storage-leaves';
/** Workers that are busy get that long to hear of it. */
const patienceMs = 10_000;

export function storageListHandlers(ground: StorageListGround): readonly Handled[] {
  const { storage, memory, siblings, cluster, node } = ground;
  siblings.answer(topic, (directory) => {
    storage.care.leave(String(directory));
    return 'left';
  });
  return [
    handled(storageOperations.detachStorage, async ({ body: { directory, addresses: what }, reply }) => {
      reply.note({ directory, addresses: what });
      if (what === 'forget') return forgotten(memory, directory);
      const open = storage.care.folders().map((folder) => folder.directory).filter((one) => !memory.takenOut().some((out) => out.directory === one));
      if (!open.includes(directory)) throw new Failure('bad-input', `this node has no storage ${directory}, or it is taken out already`);
      if (open.length === 1) throw new Failure('bad-input', 'a back-end needs one storage at least');
      const since = new Date().toISOString();
      // Workers that start from here on leave it out; then those that run stop making anything in it; what it has by then is all.
      await memory.takeOut({ directory, since, addresses: storage.care.addressesOf(directory) });
      await siblings.ask(topic, directory, patienceMs);
      const addresses = storage.care.addressesOf(directory);
      await memory.takeOut({ directory, since, addresses });
      return { directory, addresses: addresses.size };
    }),
    handled(storageOperations.attachStorage, async ({ body, reply }) => {
      reply.note({ ...body });
      if (!isAbsolute(body.directory) || !existsSync(body.directory)) throw new Failure('bad-input', `there is no folder ${body.directory} on this node: give its whole path`);
      const directory = knownName(ground, body.directory);
      const { node: from } = demandCluster(directory, cluster);
      const isOpen = storage.care.folders().some((folder) => folder.directory === directory) && !memory.takenOut().some((out) => out.directory === directory);
      if (isOpen) throw new Failure('bad-input', `this node has ${directory} already`);
      await memory.takeIn(directory);
      return { directory, ...(from === node ? {} : { from }) };
    }),
  ];
}

/** The name under which the node has that folder already, however else it may be called: under two names the node would lock itself out when it starts. */
function knownName({ storage, memory }: Pick<StorageListGround, 'storage' | 'memory'>, given: string): string {
  const whole = realpathSync(given);
  const known = [...storage.care.folders(), ...memory.takenOut()].map(({ directory }) => directory).concat(memory.attached());
  return known.find((one) => existsSync(one) && realpathSync(one) === whole) ?? resolve(given);
}

function forgotten(memory: StorageMemory, directory: string): { readonly directory: string; readonly addresses: number } {
  const out = memory.takenOut().find((one) => one.directory === directory);
  if (out === undefined) throw new Failure('bad-input', `${directory} is not taken out: only what is taken out can be forgotten`);
  memory.forget(directory);
  return { directory, addresses: out.addresses.size };
}
