/** Storages that are taken out and taken in, over the admin API. What is said here is remembered on stable storage before it is answered. */
import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { storageOperations } from '../../cluster-config/admin/contract/storages.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { Logger } from '../../shared/log/log.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { demandCluster } from '../storage/storage.ts';
import type { Joining, Storage, TakenOut } from '../storage/storage.ts';
import type { StorageChanges } from './storage-changes.ts';

/** What the node remembers. */
export interface StorageMemory {
  /** As it is now, not as it was when the node started. */
  takenOut(): readonly TakenOut[];
  attached(): readonly string[];
  /** What is being taken in; it counts as taken in, but may yet prove not to open. */
  joining(): readonly Joining[];
  takeOut(one: TakenOut): void;
  /** This process begins to take it in. */
  join(directory: string): void;
  /** What was begun by `join` is done. */
  takeIn(directory: string): void;
  /** What was begun by `join` can't be done: all is as it was before. */
  giveUp(directory: string): void;
  /** It will not come back: its addresses may be anybody's. Throws `bad-input` while the configuration names it. */
  forget(directory: string): void;
}

export interface StorageListGround {
  readonly storage: Storage;
  readonly memory: StorageMemory;
  readonly changes: StorageChanges;
  readonly log: Logger;
  readonly cluster: string;
  readonly node: string;
}

/** Who asks by way of another node gets no answer after half a minute; what takes longer goes on without being waited for. */
const answerMs = 15_000;

export function storageListHandlers(ground: StorageListGround): readonly Handled[] {
  const { memory, changes, cluster, node } = ground;
  return [
    handled(storageOperations.detachStorage, async ({ body: { directory, addresses: what }, reply }) => {
      reply.note({ directory, addresses: what });
      if (what === 'forget') {
        const addresses = await forgotten(ground, directory);
        await changes.follow();
        return { directory, addresses, files: 'let-go' as const };
      }
      const since = await demandDetachable(ground, directory);
      await changes.claim(directory);
      const takeOutClaimed = async (): ReturnType<typeof takeOut> => {
        try {
          return await takeOut(ground, { directory, since });
        } finally {
          await changes.endClaim(directory);
        }
      };
      const files = await soon(takeOutClaimed(), 'in-use', ground);
      return { directory, addresses: memory.takenOut().find((out) => out.directory === directory)?.addresses.size ?? 0, files };
    }),
    handled(storageOperations.attachStorage, async ({ body, reply }) => {
      reply.note({ ...body });
      if (!isAbsolute(body.directory) || !existsSync(body.directory)) throw new Failure('bad-input', `there is no folder ${body.directory} on this node: give its whole path`);
      const directory = knownName(ground, body.directory);
      const { node: from } = demandCluster(directory, cluster);
      const isHalfDone = [...memory.takenOut(), ...memory.joining()].some((one) => one.directory === directory);
      const isOpen = ground.storage.care.folders().some((folder) => folder.directory === directory) && !isHalfDone;
      if (isOpen) throw new Failure('bad-input', `this node has ${directory} already`);
      const storage = await soon(takeIn(ground, directory), 'opening', ground);
      return { directory, storage, ...(from === node ? {} : { from }) };
    }),
  ];
}

async function takeOut({ storage, memory, changes }: StorageListGround, { directory, since }: Pick<TakenOut, 'directory' | 'since'>): Promise<'let-go' | 'in-use'> {
  const note = (): void => {
    const noted = memory.takenOut().find((out) => out.directory === directory)?.addresses ?? [];
    memory.takeOut({ directory, since, addresses: new Set([...noted, ...storage.care.addressesOf(directory)]) });
  };
  // Workers that start from here on leave it out; then those that run stop making anything in it; what it has by then is all, and new ones are to know it.
  note();
  if (await changes.leave(directory) === 'left') note();
  else await changes.letGo(directory); // who was busy notes it before it closes the files
  await changes.follow();
  return changes.letGo(directory);
}

/** Since when it is taken out. One whose taking out broke off may be taken out once more. @throws Failure('bad-input') */
async function demandDetachable({ storage, memory, changes }: StorageListGround, directory: string): Promise<string> {
  const takenOut = memory.takenOut();
  const before = takenOut.find((out) => out.directory === directory);
  if (before !== undefined) {
    if ((await changes.held()).includes(directory)) return before.since;
    throw new Failure('bad-input', `${directory} is taken out already`);
  }
  const open = storage.care.folders().map((folder) => folder.directory).filter((one) => !takenOut.some((out) => out.directory === one));
  if (!open.includes(directory)) throw new Failure('bad-input', `this node has no storage ${directory}`);
  if (memory.joining().some((one) => one.directory === directory)) throw new Failure('bad-input', `${directory} is just being taken in: try again when that is done`);
  return new Date().toISOString();
}

/** What comes of work, or `late` when that takes long; what becomes of it then is in the log. Rejects as the work does in time. */
async function soon<Outcome extends string>(work: Promise<Outcome>, late: Outcome, { log }: StorageListGround): Promise<Outcome> {
  const isLate = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => {
    work.catch((error: unknown) => log.error({ err: error }, 'storages could not be taken in or out'));
    isLate.resolve(late);
  }, answerMs);
  try {
    return await Promise.race([work, isLate.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws Failure what keeps workers from opening it; then the node remembers what it remembered before. */
async function takeIn({ memory, changes }: StorageListGround, directory: string): Promise<'open' | 'opening'> {
  memory.join(directory);
  try {
    await changes.follow();
  } catch (error) {
    if (!isFailure(error, 'timed-out')) memory.giveUp(directory); // else workers may have it by now
    throw error;
  }
  memory.takeIn(directory);
  return 'open';
}

/** The name under which the node has that folder already, however else it may be called: under two names the node would lock itself out when it starts. */
function knownName({ storage, memory }: Pick<StorageListGround, 'storage' | 'memory'>, given: string): string {
  const whole = realpathSync(given);
  const known = [...storage.care.folders(), ...memory.takenOut()].map(({ directory }) => directory).concat(memory.attached());
  return known.find((one) => existsSync(one) && realpathSync(one) === whole) ?? resolve(given);
}

/** How many addresses that were. @throws Failure('bad-input') */
async function forgotten({ memory, changes }: Pick<StorageListGround, 'memory' | 'changes'>, directory: string): Promise<number> {
  const out = memory.takenOut().find((one) => one.directory === directory);
  if (out === undefined) throw new Failure('bad-input', `${directory} is not taken out: only what is taken out can be forgotten`);
  // What is forgotten is let go by nobody any more.
  if ((await changes.held()).includes(directory)) throw new Failure('bad-input', `some files of ${directory} are open still: it can be forgotten when they are let go`);
  memory.forget(directory);
  return out.addresses.size;
}
