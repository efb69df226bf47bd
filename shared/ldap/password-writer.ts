/**
 * Sets a user's password at the directory server that takes changes. OpenLDAP and the embedded directory: Password Modify
 * (RFC 3062). Active Directory: the attribute unicodePwd (MS-ADTS section 3.1.1.3.1.5.1), over TLS only. A connection is opened for
 * each change, as changes are rare, and the bind of a user's own change must not serve anybody else.
 */
import { Failure } from '../base/failure.ts';
import { LdapConnection } from './ldap-connection.ts';
import type { ConnectionOptions } from './ldap-connection.ts';
import { ConnectionLost, ResultError, resultCodes } from './ldap-errors.ts';
import type { ValueChange } from './result-message.ts';

export type ServerType = 'openldap' | 'activeDirectory';

/** `own`: the user's, who knows the present password; `reset`: an administrator's, who doesn't. */
export type PasswordChange = { readonly kind: 'own'; readonly old: string } | { readonly kind: 'reset' };

export interface PasswordWriterOptions extends ConnectionOptions {
  readonly serverType: ServerType;
  /** Who may set others' passwords. Own changes need it in Active Directory only, and only once the password has expired. */
  readonly service: { readonly dn: string; readonly password: string } | undefined;
}

/**
 * Sets the password of the entry.
 * @throws Failure `bad-credentials` (the present password is wrong), `password-refused` (against the directory's rules; the text says
 *   which, if the directory does), `forbidden` (not by us, or not at this server), `directory-unavailable`
 */
export async function writePassword(options: PasswordWriterOptions, dn: string, { change, newPassword }: { readonly change: PasswordChange; readonly newPassword: string }): Promise<void> {
  // An empty password binds as nobody (RFC 4513 section 5.1.2), and Password Modify without a new one makes one up.
  if (newPassword === '' || (change.kind === 'own' && change.old === '')) throw new Failure('bad-input', 'A password must not be empty.');
  const isSecured = options.startTls === 'yes' || options.uri.toLowerCase().startsWith('ldaps:');
  if (options.serverType === 'activeDirectory' && !isSecured) throw new Failure('forbidden', 'Active Directory takes passwords over TLS only; its address must be ldaps://, or startTls true.');
  let connection: LdapConnection | undefined;
  try {
    connection = await LdapConnection.open(options);
    await bindForChange(connection, options, { dn, change });
    if (options.serverType === 'activeDirectory') await connection.modify(dn, unicodePasswordChanges(change, newPassword));
    else await connection.modifyPassword(dn, { old: change.kind === 'own' ? change.old : undefined, new: newPassword });
  } catch (error) {
    throw asFailure(error);
  } finally {
    connection?.close();
  }
}

async function bindForChange(connection: LdapConnection, { serverType, service }: PasswordWriterOptions, { dn, change }: { readonly dn: string; readonly change: PasswordChange }): Promise<void> {
  const asOneself = change.kind === 'own' && (serverType === 'openldap' || service === undefined);
  if (asOneself) {
    await connection.bind(dn, change.old);
    return;
  }
  if (service === undefined) throw new Failure('forbidden', 'Nobody is named who may set passwords (ldapConnectors[].write).');
  try {
    await connection.bind(service.dn, service.password);
  } catch (error) {
    if (!(error instanceof ResultError)) throw error;
    throw new Failure('directory-unavailable', 'The directory can\'t be reached for writing. Try again later.', { cause: error });
  }
}

/** The user's own change names the old value, which AD then checks; an administrator's replaces whatever there is. */
function unicodePasswordChanges(change: PasswordChange, newPassword: string): ValueChange[] {
  const quoted = (password: string): Buffer => Buffer.from(`"${password}"`, 'utf16le');
  const attribute = 'unicodePwd';
  if (change.kind === 'reset') return [{ operation: 'replace', attribute, values: [quoted(newPassword)] }];
  return [{ operation: 'delete', attribute, values: [quoted(change.old)] }, { operation: 'add', attribute, values: [quoted(newPassword)] }];
}

/** Windows error codes at the beginning of AD's diagnostic messages: ERROR_PASSWORD_RESTRICTION and ERROR_INVALID_PASSWORD. */
const [againstRules, wrongOldPassword] = [/^0000052d/i, /^00000056/];
const generalRules = 'it does not meet the rules for length, complexity or age, or was used before';

function asFailure(error: unknown): unknown {
  if (error instanceof ConnectionLost) return new Failure('directory-unavailable', 'The directory can\'t be reached for writing. Try again later.', { cause: error });
  if (!(error instanceof ResultError)) return error;
  const { resultCode, message } = error;
  const cause = { cause: error };
  if (wrongOldPassword.test(message) || /verify old password/i.test(message)) return wrongPassword(error);
  if (againstRules.test(message) || resultCode === resultCodes.constraintViolation) return new Failure('password-refused', `The directory refuses the new password: ${reasonIn(message)}.`, cause);
  switch (resultCode) {
    case resultCodes.invalidCredentials:
    case resultCodes.noSuchObject:
    case resultCodes.inappropriateAuthentication:
      return wrongPassword(error);
    case resultCodes.busy:
    case resultCodes.unavailable:
      return new Failure('directory-unavailable', 'The directory can\'t be reached for writing. Try again later.', cause);
    default:
      return new Failure('forbidden', 'The directory does not allow this password to be changed.', cause);
  }
}

function wrongPassword(cause: ResultError): Failure {
  return new Failure('bad-credentials', 'The present password is wrong.', { cause });
}

/** What the directory says is wrong with a password, if it says it for people: AD has codes, Samba text behind them. */
function reasonIn(message: string): string {
  const text = againstRules.test(message) ? (/check_password_restrictions: (?<text>.+)$/s.exec(message)?.groups?.['text'] ?? '') : message;
  const readable = text.replaceAll(/[^\x20-\x7e]/g, ' ').trim().replace(/[.!]+$/, '').slice(0, 200);
  return readable === '' || /^[0-9a-f]{8}:/i.test(readable) ? generalRules : readable;
}
