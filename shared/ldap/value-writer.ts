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

export interface ValueToWrite {
  readonly dn: string;
  readonly attribute: string;
  readonly to: string;
}

/** RFC 4511 section 4.1.9: what we read was changed by somebody before our Modify came. */
const noSuchAttribute = 16;
const attributeOrValueExists = 20;
const tries = 3;

/**
 * Puts `to` in the place of the value that the entry has at this server, which alone knows it: a replica may lag behind.
 * @throws Failure('directory-unavailable') when the server can't be reached or refuses, the reason as cause
 */
export async function writeValue(options: WriterOptions, value: ValueToWrite): Promise<'written' | 'already'> {
  let connection: LdapConnection | undefined;
  try {
    connection = await LdapConnection.open(options);
    await connection.bind(options.bindDn, options.bindPassword);
    return await replaceValue(connection, value);
  } catch (error) {
    if (error instanceof ResultError) throw new Failure('directory-unavailable', `the directory refused to change ${value.attribute} of ${value.dn}: ${error.message}`, { cause: error });
    if (error instanceof ConnectionLost) throw new Failure('directory-unavailable', 'The directory can\'t be reached for writing. Try again later.', { cause: error });
    throw error;
  } finally {
    connection?.close();
  }
}

async function replaceValue(connection: LdapConnection, { dn, attribute, to }: ValueToWrite): Promise<'written' | 'already'> {
  for (let attempt = 1; ; attempt += 1) {
    const { entries } = await connection.search({ base: dn, scope: 'base', filter: { kind: 'present', attribute: 'objectClass' }, attributes: [attribute], sizeLimit: 1 });
    const values = (entries[0]?.attributes.get(attribute.toLowerCase()) ?? []).map((value) => value.toString('utf8'));
    if (values.length === 1 && values[0]?.trim() === to) return 'already';
    try {
      // One Modify, which names what it removes: what somebody else writes at this very moment is not undone unseen.
      await connection.modify(dn, [...(values.length === 0 ? [] : [{ operation: 'delete', attribute, values } as const]), { operation: 'add', attribute, values: [to] }]);
      return 'written';
    } catch (error) {
      const isOvertaken = error instanceof ResultError && (error.resultCode === noSuchAttribute || error.resultCode === attributeOrValueExists);
      if (!isOvertaken || attempt >= tries) throw error;
    }
  }
}
