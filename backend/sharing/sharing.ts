/**
 * Folders of others: who may do what with them, which there are, and on which node they are. The node of the owner decides on rights;
 * what other nodes keep is asked of them, and remembered for seconds.
 */
import { Failure } from '../../shared/base/failure.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import { allRights } from '../../shared/imap/rights.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { anyone, effectiveRights, groupMark, groupsNamed } from '../storage/storage.ts';
import type { Account, Applies, MailboxState, RightsEntry, Storage } from '../storage/storage.ts';
import { Memberships } from './memberships.ts';

/** Where an owner's folders are. `none`: there is no such account, or nobody may be in it. */
export type Owner =
  | { readonly at: 'here'; readonly account: Account }
  | { readonly at: 'node'; readonly node: string }
  | { readonly at: 'none' };

/** A folder of somebody else that a user may see. */
export interface SharedFolder {
  readonly owner: string;
  /** As the owner calls it. */
  readonly name: string;
  readonly rights: Rights;
}

/** The same on this node. */
export interface FolderHere extends SharedFolder {
  readonly account: Account;
  readonly state: MailboxState;
}

/** What nodes say of folders; `silent` are those that did not say all of them, now or lately. */
export interface SharedFolders {
  readonly folders: readonly SharedFolder[];
  readonly silent: readonly string[];
}

/** The folder behind which a further page begins, in the order of owners and names. */
export interface PageMark {
  readonly owner: string;
  readonly name: string;
}

/** Some folders, and where the rest begins, if there is one. */
export interface FolderPage<Folder extends SharedFolder = FolderHere> {
  readonly folders: readonly Folder[];
  readonly next: PageMark | undefined;
}

/** How IMAP reaches what other nodes keep. */
export interface OtherNodes {
  /** What they say is shared with that user. Never rejects. */
  readonly sharedWith: (visitor: string) => Promise<SharedFolders>;
  /** A connection to the trusted IMAP listener of that node. @throws Failure('backend-unavailable') */
  readonly connect: (node: string) => Promise<AnySocket>;
}

export interface SharingOptions {
  readonly storage: Pick<Storage, 'find' | 'ownersGranting' | 'groupsGranted'>;
  readonly accounts: Pick<Accounts, 'lookUp' | 'expand' | 'nodeOf'>;
  readonly nodeName: string;
  /** What the first levels of names of shared folders are called. */
  readonly namespaces: Namespaces;
  /** The account that keeps the public folders of the domain of that address. */
  readonly publicOwnerOf: (address: string) => string | undefined;
  readonly others: OtherNodes;
  /** Of names of folders in one page; see `mostPages`. */
  readonly mostNameBytes?: number | undefined;
}

export interface Namespaces {
  readonly otherUsers: string;
  readonly publicFolders: string;
}

/** So much of names is in one page of folders: it is an answer to another node, which takes a megabyte (`askNode`). */
const usualMostNameBytes = 400_000;
/** More of them is not told by one node, nor looked at: of folders that are granted to everybody there may be many, and all of them are in memory. */
export const mostPages = 10;

export class Sharing {
  readonly namespaces: Namespaces;
  readonly others: OtherNodes;
  readonly nodeName: string;
  readonly publicOwnerOf: (address: string) => string | undefined;
  readonly #options: SharingOptions;
  readonly #memberships: Memberships;

  constructor(options: SharingOptions) {
    this.namespaces = options.namespaces;
    this.others = options.others;
    this.nodeName = options.nodeName;
    this.publicOwnerOf = options.publicOwnerOf;
    this.#options = options;
    this.#memberships = new Memberships(async (address) => options.accounts.expand(address));
  }

  /** @throws Failure('directory-unavailable') */
  async ownerOf(address: string): Promise<Owner> {
    const { storage, accounts } = this.#options;
    const record = storage.find(address);
    if (record.at === 'live') return isOpen(record.account) ? { at: 'here', account: record.account } : { at: 'none' };
    if (record.at === 'moved' || record.at === 'arriving') return { at: 'node', node: record.node };
    if (record.at === 'withdrawn') return { at: 'none' };
    const entry = await accounts.lookUp(address);
    const node = entry?.address === address ? accounts.nodeOf(entry.mailHost) : undefined;
    return node === undefined || node === this.nodeName ? { at: 'none' } : { at: 'node', node };
  }

  /** What somebody may do with a folder of an account of this node, whether it exists or not. @throws Failure('directory-unavailable') */
  async rightsOf(visitor: string, account: Account, name: string): Promise<Rights> {
    return (await this.reasonedRights(visitor, account, name)).rights;
  }

  /** The same, with the entries that count for that user; those of folders above say of which. @throws Failure('directory-unavailable') */
  async reasonedRights(visitor: string, account: Account, name: string): Promise<{ readonly rights: Rights; readonly because: readonly (RightsEntry & { readonly from?: string })[] }> {
    if (visitor === account.address) return { rights: allRights, because: [] };
    const rights = account.folderRights(name);
    const groups = new Map<string, Applies>();
    for (const group of groupsNamed(rights)) groups.set(group, await this.#membership(group, visitor));
    const applies = (who: string): Applies => groups.get(who) ?? (who === visitor || (who === anyone && this.#mayBeAnyone(visitor, account.address)) ? 'yes' : 'no');
    const counts = ({ who, deny }: RightsEntry): boolean => applies(who) === 'yes' || (applies(who) === 'unknown' && deny !== '');
    return { rights: effectiveRights(rights, applies), because: [...rights.own, ...rights.inherited].filter(counts) };
  }

  /** Folders of accounts of this node that somebody may see, a page of them. @throws Failure('directory-unavailable') */
  async pageOfShared(visitor: string, after?: PageMark): Promise<FolderPage> {
    return this.#pageOf(visitor, { after, isMeant: () => true, mostBytes: this.#pageBytes });
  }

  /** Those of the owners who are meant, for who draws conclusions from one that is missing. @throws Failure `directory-unavailable`, `limit` for more than are looked at */
  async allSharedHere(visitor: string, isMeant: (owner: string) => boolean): Promise<readonly FolderHere[]> {
    const { folders, next } = await this.#pageOf(visitor, { isMeant, mostBytes: mostPages * this.#pageBytes });
    if (next !== undefined) throw new Failure('limit', 'too many shared folders');
    return folders;
  }

  async #pageOf(visitor: string, { after, isMeant, mostBytes }: { readonly after?: PageMark | undefined; readonly isMeant: (owner: string) => boolean; readonly mostBytes: number }): Promise<FolderPage> {
    const folders: FolderHere[] = [];
    let bytes = 0;
    for (const owner of [...(await this.#ownersFor(visitor))].sort()) {
      const record = this.#options.storage.find(owner);
      if (record.at !== 'live' || owner === visitor || (after !== undefined && owner < after.owner) || !isMeant(owner) || !isOpen(record.account)) continue;
      const all = (await this.sharedBy(record.account, visitor)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      for (const folder of after?.owner === owner ? all.filter(({ name }) => name > after.name) : all) {
        bytes += Buffer.byteLength(owner) + Buffer.byteLength(folder.name);
        const last = folders.at(-1);
        if (bytes > mostBytes && last !== undefined) return { folders, next: { owner: last.owner, name: last.name } };
        folders.push(folder);
      }
    }
    return { folders, next: undefined };
  }

  /** Folders of one account of this node that somebody may see. @throws Failure('directory-unavailable') */
  async sharedBy(account: Account, visitor: string): Promise<readonly FolderHere[]> {
    const folders: FolderHere[] = [];
    const pacer = new Pacer(); // an owner with thousands of folders, of which one is granted to everybody, is everybody's to look at
    for (const state of account.mailboxes()) {
      if (pacer.isDue) await pacer.breathe();
      const { name } = state;
      const rights = await this.rightsOf(visitor, account, name);
      if (rights.includes('l')) folders.push({ owner: account.address, name, rights, account, state });
    }
    return folders;
  }

  /** Folders of all nodes that somebody may see. */
  async sharedWith(visitor: string): Promise<SharedFolders> {
    const here = this.#pageOf(visitor, { isMeant: () => true, mostBytes: mostPages * this.#pageBytes });
    const [{ folders, next }, elsewhere] = await Promise.all([here, this.#options.others.sharedWith(visitor)]);
    const ours = new Set(folders.map(({ owner }) => owner));
    const silent = next === undefined ? elsewhere.silent : [this.nodeName, ...elsewhere.silent];
    return { folders: [...folders, ...elsewhere.folders.filter(({ owner }) => !ours.has(owner))], silent };
  }

  /**
   * The identifier as it is kept: an account's own address, a group's behind its mark, or `anyone`.
   * @param domain completes a bare name. @throws Failure `unknown-user`, `directory-unavailable`
   */
  async identifier(given: string, domain: string): Promise<string> {
    if (given.toLowerCase() === anyone) return anyone;
    const isGroup = given.startsWith(groupMark);
    const name = (isGroup ? given.slice(1) : given).toLowerCase();
    const address = name.includes('@') ? name : `${name}@${domain}`;
    const record = this.#options.storage.find(address);
    if (!isGroup && record.at === 'live') return address;
    const entry = await this.#options.accounts.lookUp(address);
    if (!isGroup && entry !== undefined && entry.group === undefined && entry.local?.known !== 'no') return entry.address;
    if (!isGroup) throw new Failure('unknown-user', `there is no user ${address}`);
    const expansion = await this.#options.accounts.expand(address);
    if (expansion.kind === 'mailbox') throw new Failure('unknown-user', `${address} is no group`);
    return `${groupMark}${address}`;
  }

  get #pageBytes(): number {
    return this.#options.mostNameBytes ?? usualMostNameBytes;
  }

  async #ownersFor(visitor: string): Promise<ReadonlySet<string>> {
    const { storage } = this.#options;
    const owners = new Set(storage.ownersGranting(visitor));
    for (const owner of storage.ownersGranting(anyone)) if (this.#mayBeAnyone(visitor, owner)) owners.add(owner);
    for (const group of storage.groupsGranted()) {
      if ((await this.#membership(group, visitor)) === 'yes') for (const owner of storage.ownersGranting(group)) owners.add(owner);
    }
    return owners;
  }

  async #membership(group: string, visitor: string): Promise<Applies> {
    return this.#memberships.of(group.slice(groupMark.length), visitor);
  }

  #mayBeAnyone(visitor: string, owner: string): boolean {
    return domainOf(visitor) === domainOf(owner) || this.publicOwnerOf(visitor) === owner;
  }
}

/** Whether others than its owner may be in it now. */
export function isOpen(account: Account): boolean {
  const standing = account.standing();
  return standing === 'live' || standing === 'held';
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
