/** `waybill passwd`: an administrator sets a user's password, wherever it is kept, and ends the user's WebMail sessions. */
import { accountOperations } from '../admin/contract/accounts.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { readNewPassword } from './new-password.ts';

export interface PasswdOptions extends ApiOptions {
  readonly stdin?: boolean;
  /** A password is made up, and told once. */
  readonly generate?: boolean;
}

export interface PasswdOutcome {
  readonly text: string;
  /** Why the user's WebMail sessions go on; undefined when they are ended, or there is no mailbox yet. */
  readonly complaint: string | undefined;
}

/** @throws Failure when the password is not changed, UsageError */
export async function passwd(given: string, options: PasswdOptions): Promise<PasswdOutcome> {
  const api = await openApi(options);
  const address = await api.complete(given);
  const password = options.generate === true ? undefined : await readNewPassword(options.stdin === true ? 'standard input' : 'terminal', address);
  const body = password === undefined ? {} : { password };
  const { takenBy, notes: [complaint], password: made } = accountOperations.setPassword.answer.parse(await api.ask(`/accounts/${encodeURIComponent(address)}/password`, { method: 'POST', body }));
  return { text: `the password of ${address} is changed; ${takenBy} took it${made === undefined ? '' : `\nit is ${made}`}`, complaint };
}
