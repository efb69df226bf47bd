/** What administrators ask and do of the text index of a node. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import type { Account, Storage } from '../storage/storage.ts';
import { asideSuffix, clearFolder, folderOf, foldersIn, readManifest, removeFolder, rootOf } from './index-folder.ts';
import type { IndexerOrder, StandingOrder } from './indexer-notice.ts';
import type { PassProgress } from './index-pass.ts';
import { runIndexer } from './run-indexer.ts';

export interface StorageIndex {
  readonly directory: string;
  /** That have an index. */
  readonly mailboxes: number;
  /** Of these mailboxes. */
  readonly messages: number;
  readonly indexed: number;
  readonly bytes: number;
  /** Mailboxes whose damaged index was set aside. */
  readonly damaged: number;
}

export interface RebuildGround {
  readonly report: (progress: PassProgress) => void;
  readonly signal: AbortSignal;
}

/** How long a rebuild waits before it looks again whether another indexer has ended. */
const busyMs = 500;
/** Whoever orders by command waits for it. */
const haste = { is: 'waited-for' } as const;

export class IndexCare {
  readonly #storage: Storage;
  readonly #order: StandingOrder;
  readonly #run: typeof runIndexer;

  /** @param run starts the indexer */
  constructor(storage: Storage, order: StandingOrder, run = runIndexer) {
    this.#storage = storage;
    this.#order = order;
    this.#run = run;
  }

  get which(): IndexerOrder['indexed'] {
    return this.#order.indexed;
  }

  /** As it is now, for each storage. */
  async status(): Promise<StorageIndex[]> {
    const messagesOf = this.#messagesByFolder();
    return Promise.all(this.#order.directories.map(async (directory) => {
      const sum = { directory, mailboxes: 0, messages: 0, indexed: 0, bytes: 0, damaged: 0 };
      for (const folder of foldersIn(rootOf(directory))) {
        if (folder.endsWith(asideSuffix)) sum.damaged += 1;
        const manifest = await readManifest(folder).catch(() => undefined); // the next search, or pass, sets it aside
        if (manifest === undefined) continue;
        sum.mailboxes += 1;
        sum.messages += messagesOf.get(folder) ?? 0;
        sum.indexed += manifest.segments.reduce((messages, segment) => messages + segment.messages, 0) - manifest.gone;
        sum.bytes += manifest.segments.reduce((bytes, segment) => bytes + segment.bytes, 0);
      }
      return sum;
    }));
  }

  /** Removes all of it. That mailboxes are searched is forgotten, too. */
  drop(): { readonly mailboxes: number; readonly bytes: number } {
    const folders = this.#order.directories.flatMap((directory) => foldersIn(rootOf(directory)));
    const bytes = folders.reduce((sum, folder) => sum + clearFolder(folder), 0);
    for (const directory of this.#order.directories) removeFolder(rootOf(directory));
    return { mailboxes: folders.filter((folder) => !folder.endsWith(asideSuffix)).length, bytes };
  }

  /** Makes it anew: of one account, or of all mailboxes that are to have one. Throws `bad-input`, `unknown-user`, or the signal's reason. */
  async rebuild(address: string | undefined, ground: RebuildGround): Promise<PassProgress> {
    if (this.#order.indexed === 'off') throw new Failure('bad-input', 'this node makes no text index: storage.textIndex is off');
    const order = address === undefined ? this.#everything() : this.#oneAccount(address);
    for (;;) {
      const run = this.#run(order, (notice) => {
        if (notice.is === 'progress') ground.report(notice);
      });
      const stop = (): void => run.stop();
      ground.signal.addEventListener('abort', stop);
      const end = await run.ended.finally(() => ground.signal.removeEventListener('abort', stop));
      if (end.is === 'done') return end;
      await sleep(busyMs, undefined, { signal: ground.signal });
    }
  }

  #everything(): IndexerOrder {
    return { ...this.#order, extent: 'as-configured', begin: 'anew', haste };
  }

  #oneAccount(address: string): IndexerOrder {
    const record = this.#storage.find(address);
    if (record.at !== 'live') throw new Failure('unknown-user', `no account ${address} lives on this node`);
    return { ...this.#order, accounts: [record.account.id], extent: 'make', begin: 'anew', haste };
  }

  #messagesByFolder(): ReadonlyMap<string, number> {
    const messages = new Map<string, number>();
    for (const address of this.#storage.addresses()) {
      if (this.#storage.isTakenOut(address)) continue; // its storage is open until the node is restarted
      const record = this.#storage.find(address);
      if (record.at !== 'live') continue;
      for (const { folder, messages: count } of foldersOf(record.account)) messages.set(folder, count);
    }
    return messages;
  }
}

/** Where the indexes of its mailboxes lie, if they have one. */
function foldersOf(account: Account): { readonly folder: string; readonly messages: number }[] {
  return account.mailboxes().flatMap(({ id, messages }) => {
    const mailbox = account.mailboxById(id);
    return mailbox === undefined ? [] : [{ folder: folderOf(mailbox), messages }];
  });
}
