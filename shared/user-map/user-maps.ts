/**
 * User maps: who an address belongs to, which host keeps the mailbox, and whether a password is right. The maps are asked in
 * order, without caching; an outage of one is never taken for a miss, since a later map might name another host.
 */
import type { UseTerms } from '../access/account-use.ts';
import { Failure } from '../base/failure.ts';
import type { Language } from '../language/language.ts';
import type { Connector } from '../ldap/connector.ts';
import type { PasswordChange } from '../ldap/password-writer.ts';
import type { Logger } from '../log/log.ts';
import type { ScramKeys, ScramMechanism } from '../sasl/scram-keys.ts';
import { candidatesOf, plainAddressing } from './addressing.ts';
import type { Addressing, Candidate } from './addressing.ts';
import { defaultExpansionRules, expandEntry } from './expansion.ts';
import type { Expansion, ExpansionRules } from './expansion.ts';
import { LdapMap } from './ldap-map.ts';
import { LocalFileMap } from './local-file-map.ts';

/** What a map knows of one user. */
export interface UserEntry {
  /** The canonical address, in lower case. */
  readonly address: string;
  /** The back-end as the map has it: a node's name, a host or `host:port`. */
  readonly mailHost: string | undefined;
  /** The entry's name in its directory. */
  readonly dn: string | undefined;
  /** The name of the map that answered. */
  readonly map: string;
  readonly aliases: readonly string[];
  /** Where mail is forwarded to. */
  readonly routingAddress: string | undefined;
  /** Not a user but a group: mail for it goes to its members, and nobody logs in as it. */
  readonly group?: GroupMembers | undefined;
  /**
   * Set by a map that has no passwords: the back-end that keeps the mailbox checks them. `known`: the map names this very
   * account; else it only says, by a pattern, where such accounts live.
   */
  readonly local?: { readonly known: 'yes' | 'no' } | undefined;
  /** What the directory lets it be used for. */
  readonly terms?: UseTerms | undefined;
  /** What the directory lets the mailbox hold, where it says so; 0 for no limit. */
  readonly limits?: MailboxLimits | undefined;
  /** Which of our languages the user reads best, where the directory says so. */
  readonly language?: Language | undefined;
  /** How the address that was looked up led here, if it is not the user's own. */
  readonly via?: 'alias' | 'detail' | 'catchAll' | undefined;
}

export interface MailboxLimits {
  readonly bytes?: number;
  readonly messages?: number;
}

export interface GroupMembers {
  /** Names of entries. */
  readonly members: readonly string[];
  readonly addresses: readonly string[];
  /** The directory keeps some back. */
  readonly more: 'yes' | 'no';
}

/** What SCRAM can be checked by: keys that the directory keeps, or the password they can be derived from. */
export type ScramSecret = { readonly kind: 'keys'; readonly keys: ScramKeys } | { readonly kind: 'password'; readonly password: string };

export interface UserMaps {
  /**
   * The user whom an address (any letter case) belongs to; undefined when every map that is asked says there is none. An entry
   * whose status is `deleted` is none, unless asked for.
   * @throws Failure('directory-unavailable') when a map can't answer, or answers with several users.
   */
  lookUp(address: string, which?: 'also deleted'): Promise<UserEntry | undefined>;
  /** Whether any map is asked for addresses of this address's domain (with those that it is another name of). */
  covers(address: string): boolean;
  /** The address itself and what it may stand for by domain aliases and details, in lower case; for accounts that no map names. */
  spellings(address: string): readonly string[];
  /** Where mail for an entry goes. @throws Failure('directory-unavailable'), also when only a part of it is known */
  expand(entry: UserEntry): Promise<Expansion>;
  /**
   * Checks the password at the map that the entry came from. Users of a local file map are always refused: their back-ends have the passwords.
   * @throws Failure('directory-unavailable'); what `barred` makes, for an account that nobody gets into (see `isBarred`)
   */
  authenticate(entry: UserEntry, password: string): Promise<'ok' | 'refused'>;
  /** Whether this entry is somebody who logs in, by the name under which it was found: no group, no catch-all, and an alias only where that is allowed. */
  mayLogIn(entry: UserEntry): boolean;
  /** Takes as long as checking the password of somebody does, for an address that nobody has. Never rejects. */
  pretend(address: string, password: string): Promise<void>;
  /**
   * Sets the password at the directory server that takes changes. Other servers follow as their replication does; nothing here
   * keeps the old password.
   * @throws Failure `bad-credentials` (the present password is wrong), `password-refused` (against the directory's rules; the text
   *   says why), `forbidden` (not possible for this user, or not allowed to us), `directory-unavailable`
   */
  changePassword(entry: UserEntry, change: PasswordChange, newPassword: string): Promise<void>;
  /**
   * By what SCRAM logs this user in; undefined when there is nothing: the map is no `ldapPassword`, or keeps only a hash.
   * @throws Failure('directory-unavailable')
   */
  scramSecret(entry: UserEntry, mechanism: ScramMechanism): Promise<ScramSecret | undefined>;
}

export interface UserMapList extends UserMaps {
  /** The maps of these names alone, asked in this order; entries of the others can still be expanded and authenticated. */
  only(names: readonly string[]): UserMapList;
}

/** The names under which a directory keeps what we need. */
export interface AttributeNames {
  readonly mail: string;
  readonly mailLocalAddress: string;
  readonly userPassword: string;
  readonly mailHost: string;
  readonly mailRoutingAddress: string;
  /** Whether the account is in use (`AccountStatus`), and for what (`AccountService`); where no attribute says so it is, for everything. */
  readonly status?: string | undefined;
  readonly services?: string | undefined;
  /** What the mailbox may hold. */
  readonly quotaBytes?: string | undefined;
  readonly quotaMessages?: string | undefined;
  /** The user's languages, as preferredLanguage has them (RFC 2798 section 2.7). */
  readonly language?: string | undefined;
}

/** The names of inetOrgPerson and inetLocalMailRecipient. */
export const standardAttributeNames: AttributeNames = {
  mail: 'mail', mailLocalAddress: 'mailLocalAddress', userPassword: 'userPassword', mailHost: 'mailHost', mailRoutingAddress: 'mailRoutingAddress',
};

interface AnyMapOptions {
  readonly name: string;
  /** The map is asked for addresses of these domains only; of every domain when absent. */
  readonly domains?: readonly string[] | undefined;
}

export interface LdapMapOptions extends AnyMapOptions {
  /** `ldapBind` checks passwords by a bind as the entry, `ldapPassword` by fetching and comparing the password attribute. */
  readonly kind: 'ldapBind' | 'ldapPassword';
  readonly connector: Connector;
  /** For example `(|(mail=%e)(mailLocalAddress=%e))`; see `compileSearchPattern`. */
  readonly searchPattern: string;
  readonly attributes: AttributeNames;
  /** What several matching entries mean: a temporary failure, or the first by name; both are logged with all names. */
  readonly onSeveral: 'refuse' | 'first';
  /** Groups as recipients; without it no entry is one. */
  readonly groups?: GroupOptions | undefined;
  /** Sets the password of an entry; throws as `UserMaps.changePassword` does. Without it passwords can't be changed. */
  readonly writePassword?: ((dn: string, request: { readonly change: PasswordChange; readonly newPassword: string }) => Promise<void>) | undefined;
}

export interface GroupOptions {
  /** Finds a group as `searchPattern` finds a user. */
  readonly searchPattern: string;
  /** The entry below which groups are searched, where it is not the connector's search base. */
  readonly searchBase?: string | undefined;
  /** An entry of one of these is a group. */
  readonly objectClasses: readonly string[];
  /** Has the names of the members' entries. */
  readonly memberAttribute: string;
  /** Has addresses of members. */
  readonly addressAttribute?: string | undefined;
}

export interface LocalFileMapOptions extends AnyMapOptions {
  readonly kind: 'localFile';
  readonly path: string;
}

export interface UserMapsOptions {
  readonly maps: readonly (LdapMapOptions | LocalFileMapOptions)[];
  readonly addressing?: Addressing | undefined;
  readonly expansion?: ExpansionRules | undefined;
  /** Whether users log in with aliases and addresses with details; with a catch-all nobody does. */
  readonly aliasLogins?: 'yes' | 'no' | undefined;
  readonly log: Logger;
}

/** One map of a list. */
export interface UserMap {
  readonly name: string;
  lookUp(address: string, which?: 'also deleted'): Promise<UserEntry | undefined>;
  /** The entry of that name, as a member of a group; undefined when there is none, or none with an address. */
  member(dn: string): Promise<UserEntry | undefined>;
  authenticate(entry: UserEntry, password: string): Promise<'ok' | 'refused'>;
  changePassword(entry: UserEntry, change: PasswordChange, newPassword: string): Promise<void>;
  pretend(password: string): Promise<void>;
  scramSecret(entry: UserEntry, mechanism: ScramMechanism): Promise<ScramSecret | undefined>;
}

/** Makes the list of maps. @throws Failure('bad-input') for a search pattern or a name that can't be used. */
export function createUserMaps(options: UserMapsOptions): UserMapList {
  const maps = options.maps.map((map): ListedMap => ({
    map: map.kind === 'localFile' ? new LocalFileMap(map, options.log) : new LdapMap(map, options.log),
    domains: map.domains === undefined ? undefined : new Set(map.domains.map((domain) => domain.toLowerCase())),
  }));
  const byName = new Map(maps.map((listed) => [listed.map.name, listed]));
  if (byName.size !== maps.length) throw new Failure('bad-input', 'two user maps have the same name');
  return new ListedUserMaps(options, byName, maps);
}

interface ListedMap {
  readonly map: UserMap;
  /** Undefined: all. */
  readonly domains: ReadonlySet<string> | undefined;
}

class ListedUserMaps implements UserMapList {
  readonly #options: UserMapsOptions;
  readonly #byName: ReadonlyMap<string, ListedMap>;
  readonly #asked: readonly ListedMap[];

  constructor(options: UserMapsOptions, byName: ReadonlyMap<string, ListedMap>, asked: readonly ListedMap[]) {
    this.#options = options;
    this.#byName = byName;
    this.#asked = asked;
  }

  only(names: readonly string[]): UserMapList {
    return new ListedUserMaps(this.#options, this.#byName, names.map((name) => this.#named(name)));
  }

  async lookUp(address: string, which?: 'also deleted'): Promise<UserEntry | undefined> {
    for (const candidate of candidatesOf(address.toLowerCase(), this.#options.addressing ?? plainAddressing)) {
      const entry = await this.#ask(candidate.address, which);
      if (entry !== undefined) return withWay(entry, candidate);
    }
    return undefined;
  }

  async expand(entry: UserEntry): Promise<Expansion> {
    const { addressing = plainAddressing, expansion = defaultExpansionRules, log } = this.#options;
    return expandEntry(entry, {
      lookUp: async (address) => this.lookUp(address),
      member: async (of, dn) => this.#named(of.map).map.member(dn),
      isOurs: addressing.isOurs, rules: expansion, log,
    });
  }

  covers(address: string): boolean {
    return this.spellings(address).some((spelling) => this.#asked.some(({ domains }) => domains?.has(domainOf(spelling)) ?? true));
  }

  spellings(address: string): readonly string[] {
    const candidates = candidatesOf(address.toLowerCase(), this.#options.addressing ?? plainAddressing);
    return candidates.filter(({ via }) => via !== 'catchAll').map((candidate) => candidate.address);
  }

  async authenticate(entry: UserEntry, password: string): Promise<'ok' | 'refused'> {
    return password === '' || !this.mayLogIn(entry) ? 'refused' : await this.#named(entry.map).map.authenticate(entry, password);
  }

  async pretend(address: string, password: string): Promise<void> {
    const domain = domainOf(address.toLowerCase());
    for (const { map, domains } of password === '' ? [] : this.#asked) if (domains?.has(domain) ?? true) await map.pretend(password);
  }

  async changePassword(entry: UserEntry, change: PasswordChange, newPassword: string): Promise<void> {
    await this.#named(entry.map).map.changePassword(entry, change, newPassword);
  }

  async scramSecret(entry: UserEntry, mechanism: ScramMechanism): Promise<ScramSecret | undefined> {
    return this.mayLogIn(entry) ? await this.#named(entry.map).map.scramSecret(entry, mechanism) : undefined;
  }

  async #ask(address: string, which: 'also deleted' | undefined): Promise<UserEntry | undefined> {
    const domain = domainOf(address);
    for (const { map, domains } of this.#asked) {
      const entry = domains === undefined || domains.has(domain) ? await map.lookUp(address, which) : undefined;
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  #named(name: string): ListedMap {
    const listed = this.#byName.get(name);
    if (listed === undefined) throw new Error(`no user map is called ${name}`);
    return listed;
  }

  mayLogIn(entry: UserEntry): boolean {
    return entry.group === undefined && entry.via !== 'catchAll' && (entry.via === undefined || this.#options.aliasLogins !== 'no');
  }
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function withWay(entry: UserEntry, { address, via }: Candidate): UserEntry {
  if (via !== 'itself') return { ...entry, via };
  return entry.aliases.includes(address) ? { ...entry, via: 'alias' } : entry;
}
