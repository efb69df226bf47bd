/** Changes one value of one entry at the directory server that takes writes; opened for each change, as changes are rare. */
import { Failure } from '../base/failure.ts';
import { ConnectionLost, LdapConnection, ResultError } from './ldap-connection.ts';

export interface WriterOptions {
  /** `ldap://host:port` or `ldaps://host:port` of the provider: replicas refuse changes. */
  readonly uri: string;
  readonly bindDn: string;
  readonly bindPassword: string;
  readonly startTls: 'yes' | 'no';
  readonly ca: string | undefined;
  readonly timeoutMs: number;
}

/**
 * Puts `to` in the place of `from` (undefined: the entry has none), if the entry still has `from`.
 * @throws Failure('directory-unavailable') when the server can't be reached or refuses, the reason as cause
 */
export async function writeValue(options: WriterOptions, change: { readonly dn: string; readonly attribute: string; readonly from: string | undefined; readonly to: string }): Promise<void> {
  let connection: LdapConnection | undefined;
  try {
    connection = await LdapConnection.open(options);
    await connection.bind(options.bindDn, options.bindPassword);
    await connection.exchangeValue(change.dn, change);
  } catch (error) {
    if (error instanceof ResultError) throw new Failure('directory-unavailable', `the directory refused to change ${change.attribute} of ${change.dn}: ${error.message}`, { cause: error });
    if (error instanceof ConnectionLost) throw new Failure('directory-unavailable', 'The directory can\'t be reached for writing. Try again later.', { cause: error });
    throw error;
  } finally {
    connection?.close();
  }
}
