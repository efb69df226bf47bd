/** `waybill account add`: local accounts, whose passwords the back-end keeps that has the mailbox. */
import { accountLifeOperations } from '../admin/contract/account-life.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { readNewPassword } from './new-password.ts';

export interface LocalAccountOptions extends ApiOptions {
  /** The back-end that is to keep a new account; where the maps and `routing.mappingHost` say when absent. */
  readonly node?: string;
  /** The password is the first line of standard input; else it is asked for. */
  readonly stdin?: boolean;
  /** A password is made up, and told once. */
  readonly generate?: boolean;
}

/** Makes an account with a password; answers what to tell. @throws Failure, UsageError */
export async function accountAdd(given: string, options: LocalAccountOptions): Promise<string> {
  const api = await openApi(options);
  const address = await api.complete(given);
  const password = options.generate === true ? undefined : await readNewPassword(options.stdin === true ? 'standard input' : 'terminal', address);
  const body = { address, ...(password === undefined ? {} : { password }), ...(options.node === undefined ? {} : { node: options.node }) };
  const made = accountLifeOperations.makeAccount.answer.parse(await api.ask('/accounts', { method: 'POST', body }));
  return `${made.address} lives on ${made.node}${made.password === undefined ? '' : `\nits password is ${made.password}`}`;
}
