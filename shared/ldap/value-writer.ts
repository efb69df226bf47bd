/** Changes one value of one entry at the directory server that takes writes; opened for each change, as changes are rare. */
import { Failure } from '../base/failure.ts';
import { LdapConnection } from './ldap-connection.ts';
import type { ConnectionOptions } from './ldap-connection.ts';
import { ConnectionLost, ResultError } from './ldap-errors.ts';

/** `uri` is the provider's: replicas refuse changes. */
export interface WriterOptions extends ConnectionOptions {
  readonly bindDn: string;
  readonly bindPassword: string;
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
    const { dn, attribute, from, to } = change;
    // One Modify, so that an entry which has `from` no more isn't changed: noSuchAttribute.
    await connection.modify(dn, [
      ...(from === undefined ? [] : [{ operation: 'delete', attribute, values: [from] } as const]), { operation: 'add', attribute, values: [to] },
    ]);
  } catch (error) {
    if (error instanceof ResultError) throw new Failure('directory-unavailable', `the directory refused to change ${change.attribute} of ${change.dn}: ${error.message}`, { cause: error });
    if (error instanceof ConnectionLost) throw new Failure('directory-unavailable', 'The directory can\'t be reached for writing. Try again later.', { cause: error });
    throw error;
  } finally {
    connection?.close();
  }
}
