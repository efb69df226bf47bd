/** Changes values of one entry at the directory server that takes writes; opened for each change, as changes are rare. */
import { Failure } from '../base/failure.ts';
import { LdapConnection } from './ldap-connection.ts';
import type { ConnectionOptions } from './ldap-connection.ts';
import { ConnectionLost, ResultError, isOvertaken } from './ldap-errors.ts';
import type { ValueChange } from './result-message.ts';

/** `uri` is the provider's: replicas refuse changes. */
export interface WriterOptions extends ConnectionOptions {
  readonly bindDn: string;
  readonly bindPassword: string;
}

export type EntryValues = Readonly<Record<string, readonly string[]>>;

export interface EntryChange {
  readonly dn: string;
  /** The attributes that the change is about. */
  readonly attributes: readonly string[];
  /** What they are to hold, from what they hold at this server, which alone knows it: a replica may lag behind. */
  readonly next: (present: EntryValues) => EntryValues;
}

const tries = 3;

/** Runs `work` on a connection of its own, bound as who may write. @throws Failure('directory-unavailable') when the server can't be reached or refuses, the reason as cause */
export async function withWriter<T>(options: WriterOptions, what: string, work: (connection: LdapConnection) => Promise<T>): Promise<T> {
  let connection: LdapConnection | undefined;
  try {
    connection = await LdapConnection.open(options);
    await bindAsWriter(connection, options);
    return await work(connection);
  } catch (error) {
    if (error instanceof ResultError) throw new Failure('directory-unavailable', `the directory refused to change ${what}: ${error.message.trim() === '' ? 'it says no more' : error.message.trim()} (LDAP result ${String(error.resultCode)})`, { cause: error });
    if (error instanceof ConnectionLost) throw new Failure('directory-unavailable', 'The directory can\'t be reached for writing. Try again later.', { cause: error });
    throw error;
  } finally {
    connection?.close();
  }
}

async function bindAsWriter(connection: LdapConnection, { uri, bindDn, bindPassword }: WriterOptions): Promise<void> {
  try {
    await connection.bind(bindDn, bindPassword);
  } catch (error) {
    if (!(error instanceof ResultError)) throw error;
    throw new Failure('directory-unavailable', `the directory at ${uri} does not let ${bindDn} in, who is to write (ldapConnectors[].write): LDAP result ${String(error.resultCode)}`, { cause: error });
  }
}

/** Puts `to` in the place of the value that the entry has. @throws as `writeEntry` */
export async function writeValue(options: WriterOptions, { dn, attribute, to }: { readonly dn: string; readonly attribute: string; readonly to: string }): Promise<'written' | 'already'> {
  return writeEntry(options, { dn, attributes: [attribute], next: () => ({ [attribute]: [to] }) });
}

/** Makes the change in one Modify. @throws Failure('directory-unavailable') when the server can't be reached or refuses, the reason as cause */
export async function writeEntry(options: WriterOptions, change: EntryChange): Promise<'written' | 'already'> {
  return withWriter(options, `${change.attributes.join(', ')} of ${change.dn}`, async (connection) => replaceValues(connection, change));
}

async function replaceValues(connection: LdapConnection, { dn, attributes, next }: EntryChange): Promise<'written' | 'already'> {
  for (let attempt = 1; ; attempt += 1) {
    const { entries } = await connection.search({ base: dn, scope: 'base', filter: { kind: 'present', attribute: 'objectClass' }, attributes, sizeLimit: 1 });
    const present = Object.fromEntries(attributes.map((name) => [name, (entries[0]?.attributes.get(name.toLowerCase()) ?? []).map((value) => value.toString('utf8'))]));
    const changes = differences(present, next(present));
    if (changes.length === 0) return 'already';
    try {
      await connection.modify(dn, changes);
      return 'written';
    } catch (error) {
      if (!isOvertaken(error) || attempt >= tries) throw error;
    }
  }
}

/** Names what is removed, so that what somebody else writes at this very moment is not undone unseen. */
function differences(present: EntryValues, wanted: EntryValues): ValueChange[] {
  return Object.entries(wanted).flatMap(([attribute, values]): ValueChange[] => {
    const before = present[attribute] ?? [];
    if (before.length === values.length && before.every((value, index) => value.trim() === values[index])) return [];
    return [
      ...(before.length === 0 ? [] : [{ operation: 'delete', attribute, values: before } as const]),
      ...(values.length === 0 ? [] : [{ operation: 'add', attribute, values } as const]),
    ];
  });
}
