/**
 * A connector: one directory, reached at up to five addresses that are tried in order, with pools of connections. Searches
 * share connections; binds that check a user's password have connections of their own, one bind at a time on each, because
 * a bind changes who the connection speaks for (RFC 4511 section 4.2.1).
 */
import { Failure } from '../base/failure.ts';
import type { Logger } from '../log/log.ts';
import { accountStateOf, policyState } from './account-state.ts';
import type { AccountState } from './account-state.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { Filter } from './filter.ts';
import { LdapConnection } from './ldap-connection.ts';
import type { Entry } from './ldap-connection.ts';
import { ResultError, resultCodes } from './ldap-errors.ts';
import { OperationCounter } from './operations.ts';
import type { LdapOperations } from './operations.ts';
import { UriChooser } from './uri-chooser.ts';
import { listWhole } from './whole-listing.ts';

export type { Entry } from './ldap-connection.ts';

export interface ConnectorOptions {
  /** The name in the configuration and in the log. */
  readonly name: string;
  /** One to five of `ldap://host:port` or `ldaps://host:port`; the first that is healthy is used. */
  readonly uris: readonly string[];
  /** Who searches; anonymous when absent. */
  readonly bindDn?: string | undefined;
  readonly bindPassword?: string | undefined;
  readonly startTls?: 'yes' | 'no' | undefined;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  readonly searchBase: string;
  readonly scope: 'base' | 'one' | 'sub';
  /** Time for one attempt at one address; a request makes at most one more attempt than there are addresses. */
  readonly timeoutMs: number;
  /** At most so many connections for searches, and as many again for checking passwords. */
  readonly connections: number;
  readonly log: Logger;
}

export type BindVerdict = 'ok' | 'refused' | AccountState;

export interface Connector {
  readonly name: string;
  /** What was sent to the directory since the start. */
  readonly operations: LdapOperations;
  /**
   * The entries below the search base that match. With more than `sizeLimit` matches exactly `sizeLimit` entries are returned.
   * @throws Failure('directory-unavailable') also when the search base is missing: an empty directory is no answer.
   */
  search(filter: Filter, attributes: readonly string[], options: { readonly sizeLimit: number; readonly base?: string | undefined }): Promise<readonly Entry[]>;
  /**
   * All entries with that attribute, any number, whatever size limits the server has.
   * @throws Failure('directory-unavailable') where not all can be had
   */
  list(what: { readonly having: string; readonly base: string | undefined }, attributes: readonly string[]): Promise<readonly Entry[]>;
  /** The entry of that name; undefined when there is none. @throws Failure('directory-unavailable') */
  read(dn: string, attributes: readonly string[]): Promise<Entry | undefined>;
  /**
   * Checks a password by a simple bind as `dn`. An empty password is refused without asking, since directories take it for
   * an anonymous bind (RFC 4513 section 5.1.2). An account's state is answered when the directory gives it for its refusal.
   * @throws Failure('directory-unavailable')
   */
  bind(dn: string, password: string): Promise<BindVerdict>;
  /** Ends all connections; calls under way fail. */
  close(): void;
}

/** Makes a connector; nothing is opened before the first call. @throws Failure('bad-input') for unusable options. */
export function createConnector(options: ConnectorOptions): Connector {
  checkOptions(options);
  const log = options.log.child({ connector: options.name });
  const chooser = new UriChooser(options.uris, log);
  const counter = new OperationCounter();
  const open = async (uri: string): Promise<LdapConnection> =>
    await LdapConnection.open({ uri, startTls: options.startTls ?? 'no', ca: options.ca, timeoutMs: options.timeoutMs });
  const pool = (use: 'shared' | 'exclusive', openOne: (uri: string) => Promise<LdapConnection>): ConnectionPool =>
    new ConnectionPool({ open: openOne, use, chooser, limit: options.connections, waitMs: options.timeoutMs, log });

  const lookups = pool('shared', async (uri) => {
    const connection = await open(uri);
    if (options.bindDn !== undefined) {
      counter.count('serviceBinds');
      await bindAsService(connection, options.bindDn, options.bindPassword ?? '');
    }
    return connection;
  });
  const passwordChecks = pool('exclusive', open);

  return {
    name: options.name,
    get operations() {
      return counter.counts;
    },
    search: async (filter, attributes, { sizeLimit, base = options.searchBase }) => await lookups.run(async (connection) => {
      counter.count('searches');
      const { entries, more } = await connection.search({
        base, scope: options.scope, filter, attributes, sizeLimit,
      });
      if (more === 'yes' && entries.length < sizeLimit) throw tooFewResults();
      return entries;
    }),
    list: async ({ having, base = options.searchBase }, attributes) => await lookups.run(async (connection) => {
      counter.count('searches');
      return await listWhole(connection, { base, scope: options.scope, having, attributes });
    }),
    read: async (dn, attributes) => await lookups.run(async (connection) => {
      counter.count('searches');
      return await readEntry(connection, dn, attributes);
    }),
    bind: async (dn, password) => {
      if (password === '' || dn === '') return 'refused';
      return await passwordChecks.run(async (connection, uri) => {
        counter.count('passwordBinds');
        const verdict = await checkPassword(connection, dn, password);
        // A server that has lost its entries refuses everybody (RFC 4511 section 4.2.2).
        if (verdict === 'refused' && !chooser.isSound(uri)) throw new ResultError(resultCodes.unavailable, 'refuses a password, but can\'t show entries: not believed');
        return verdict;
      });
    },
    close: () => {
      lookups.close();
      passwordChecks.close();
    },
  };
}

async function readEntry(connection: LdapConnection, dn: string, attributes: readonly string[]): Promise<Entry | undefined> {
  try {
    const filter = { kind: 'present', attribute: 'objectClass' } as const;
    const { entries, more } = await connection.search({ base: dn, scope: 'base', filter, attributes, sizeLimit: 1 });
    if (more === 'yes' && entries.length === 0) throw tooFewResults();
    return entries[0];
  } catch (error) {
    if (error instanceof ResultError && error.resultCode === resultCodes.noSuchObject) return undefined;
    throw error;
  }
}

function tooFewResults(): ResultError {
  return new ResultError(resultCodes.sizeLimitExceeded, 'the directory allows fewer results than are needed');
}

/** `noSuchObject` is none: somebody has just shown the entry, so this server is not filled. */
const refusals: readonly number[] = [resultCodes.invalidCredentials, resultCodes.inappropriateAuthentication];

async function checkPassword(connection: LdapConnection, dn: string, password: string): Promise<BindVerdict> {
  try {
    return policyState(await connection.bind(dn, password)) ?? 'ok';
  } catch (error) {
    if (error instanceof ResultError && refusals.includes(error.resultCode)) return accountStateOf(error) ?? 'refused';
    throw error;
  }
}

async function bindAsService(connection: LdapConnection, dn: string, password: string): Promise<void> {
  try {
    await connection.bind(dn, password);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function checkOptions(options: ConnectorOptions): void {
  if (options.uris.length < 1 || options.uris.length > 5) {
    throw new Failure('bad-input', `connector ${options.name}: one to five addresses are needed`);
  }
  for (const uri of options.uris) {
    if (!URL.canParse(uri) || !/^ldaps?:\/\/[^/]+\/?$/.test(uri)) {
      throw new Failure('bad-input', `connector ${options.name}: "${uri}" is not of the form ldap://host:port or ldaps://host:port`);
    }
  }
  if (options.bindDn !== undefined && (options.bindPassword ?? '') === '') {
    throw new Failure('bad-input', `connector ${options.name}: bindDn needs a bindPassword`);
  }
}
