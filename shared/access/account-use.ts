/**
 * What an account may be used for. Three have a say: the domain and the account (its directory entry, its record at the
 * back-end); the server's own say is which services it runs. An account may use what all of them allow.
 */
import { Failure } from '../base/failure.ts';

/** `smtp`: gets mail; `relay`: may send mail to other domains; the others are ways to log in. */
export const accountServices = ['smtp', 'imap', 'pop3', 'webmail', 'submission', 'relay'] as const;
export type AccountService = (typeof accountServices)[number];

/** `noaccess`: nobody logs in, mail is taken; `disabled`: neither; `deleted`: as if there were no such account. The words are those of qmail's `accountStatus`. */
export const accountStatuses = ['active', 'noaccess', 'disabled', 'deleted'] as const;
export type AccountStatus = (typeof accountStatuses)[number];

/** What one of them says. */
export interface UseTerms {
  readonly status?: AccountStatus | undefined;
  /** All when absent. */
  readonly services?: readonly AccountService[] | undefined;
}

const names: Readonly<Record<AccountService, string>> = {
  smtp: 'get mail', imap: 'use IMAP', pop3: 'use POP3', webmail: 'use WebMail', submission: 'send mail', relay: 'send mail to other domains',
};

const ask = 'Ask your administrator.';

/**
 * Lets the use pass, or says why not. To be told to a client only once it has shown that it knows the password; but for `smtp`,
 * whose refusals are for senders.
 * @throws Failure `account-disabled`, `service-denied`; for `smtp` `unknown-user`, `mailbox-disabled`
 */
export function requireUse(service: AccountService, levels: readonly UseTerms[]): void {
  const statuses = new Set(levels.map(({ status }) => status));
  const isDenied = levels.some(({ services }) => services?.includes(service) === false);
  if (service === 'smtp') {
    if (statuses.has('deleted')) throw new Failure('unknown-user', 'no such user');
    if (statuses.has('disabled') || isDenied) throw new Failure('mailbox-disabled', 'the mailbox is disabled, it takes no mail');
    return;
  }
  if (statuses.has('deleted')) throw new Failure('account-disabled', `The account was deleted. ${ask}`);
  if (statuses.has('disabled') || statuses.has('noaccess')) throw new Failure('account-disabled', `The account is disabled. ${ask}`);
  if (isDenied) throw new Failure('service-denied', `This account may not ${names[service]}. ${ask}`);
}

/** The services that all allow, in the order of `accountServices`. */
export function commonServices(levels: readonly UseTerms[]): readonly AccountService[] {
  return accountServices.filter((service) => levels.every(({ services }) => services?.includes(service) ?? true));
}
