/**
 * User maps: who an address belongs to, which host keeps the mailbox, and whether a password is right. The maps are asked in
 * order, without caching; an outage of one is never taken for a miss, since a later map might name another host.
 */
import { Failure } from '../base/failure.ts';
import type { Connector } from '../ldap/connector.ts';
import type { Logger } from '../log/log.ts';
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
}

export interface UserMaps {
  /**
   * The user whom an address (any letter case) belongs to; undefined when every map that is asked says there is none.
   * @throws Failure('directory-unavailable') when a map can't answer, or answers with several users.
   */
  lookUp(address: string): Promise<UserEntry | undefined>;
  /**
   * Checks the password at the map that the entry came from. Users of a local file map are always refused: it has no passwords.
   * @throws Failure('directory-unavailable')
   */
  authenticate(entry: UserEntry, password: string): Promise<'ok' | 'refused'>;
}

/** The names under which a directory keeps what we need. */
export interface AttributeNames {
  readonly mail: string;
  readonly mailLocalAddress: string;
  readonly userPassword: string;
  readonly mailHost: string;
  readonly mailRoutingAddress: string;
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
}

export interface LocalFileMapOptions extends AnyMapOptions {
  readonly kind: 'localFile';
  readonly path: string;
}

export interface UserMapsOptions {
  readonly maps: readonly (LdapMapOptions | LocalFileMapOptions)[];
  readonly log: Logger;
}

/** One map of a list. */
export interface UserMap {
  readonly name: string;
  lookUp(address: string): Promise<UserEntry | undefined>;
  authenticate(entry: UserEntry, password: string): Promise<'ok' | 'refused'>;
}

/** Makes the list of maps. @throws Failure('bad-input') for a search pattern or a name that can't be used. */
export function createUserMaps(options: UserMapsOptions): UserMaps {
  const maps = options.maps.map((map) => ({
    map: map.kind === 'localFile' ? new LocalFileMap(map, options.log) : new LdapMap(map, options.log),
    domains: map.domains === undefined ? undefined : new Set(map.domains.map((domain) => domain.toLowerCase())),
  }));
  const byName = new Map(maps.map(({ map }) => [map.name, map]));
  if (byName.size !== maps.length) throw new Failure('bad-input', 'two user maps have the same name');
  return {
    lookUp: async (address) => {
      const normal = address.toLowerCase();
      const domain = normal.slice(normal.lastIndexOf('@') + 1);
      for (const { map, domains } of maps) {
        const entry = domains === undefined || domains.has(domain) ? await map.lookUp(normal) : undefined;
        if (entry !== undefined) return entry;
      }
      return undefined;
    },
    authenticate: async (entry, password) => {
      const map = byName.get(entry.map);
      if (map === undefined) throw new Error(`no user map is called ${entry.map}`);
      return password === '' ? 'refused' : await map.authenticate(entry, password);
    },
  };
}
