/** What a directory entry lets its user be used for, from the values of its attributes (pure). */
import { accountServices, accountStatuses } from '../access/account-use.ts';
import type { AccountService, AccountStatus, UseTerms } from '../access/account-use.ts';

const statuses: ReadonlyMap<string, AccountStatus> = new Map(accountStatuses.map((status) => [status, status]));
const services: ReadonlyMap<string, AccountService> = new Map(accountServices.map((service) => [service, service]));

/**
 * Letter case does not matter. A status that means nothing here bars logins, since it was meant to say something; a service
 * that means nothing here is another program's. No values: everything is allowed.
 */
export function termsIn(values: { readonly status: readonly string[]; readonly services: readonly string[] }): UseTerms {
  const [status] = values.status.map((value) => value.trim().toLowerCase());
  return {
    status: status === undefined || status === '' ? undefined : statuses.get(status) ?? 'noaccess',
    services: values.services.length === 0 ? undefined : values.services.flatMap((value) => services.get(value.trim().toLowerCase()) ?? []),
  };
}
