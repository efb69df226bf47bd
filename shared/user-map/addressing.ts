/** What an address may stand for when no entry has it itself: another domain's name, a detail after a separator, a catch-all. Pure. */

/** The rules of the cluster; all domains in lower case. */
export interface Addressing {
  /** Whether a domain's mail is ours; alias domains count. */
  readonly isOurs: (domain: string) => boolean;
  /** Domain → the domain whose addresses it repeats. */
  readonly domainAliases: Readonly<Record<string, string>>;
  /** Domain → the address that has the mail for unknown addresses of it. */
  readonly catchAll: Readonly<Record<string, string>>;
  /** Domain → the address that has the mail for its postmaster, where nobody has that address (RFC 5321 section 4.5.1). */
  readonly postmasters?: Readonly<Record<string, string>>;
  /** Between local part and detail (RFC 5233); undefined: addresses have no details. */
  readonly detailSeparator: string | undefined;
}

/** No domain aliases, no catch-all, details after `+`; every domain is asked about. */
export const plainAddressing: Addressing = { isOurs: () => true, domainAliases: {}, catchAll: {}, detailSeparator: '+' };

/** An address to look up, and why: `alias` is found out by who looks it up. */
export interface Candidate {
  readonly address: string;
  readonly via: 'itself' | 'detail' | 'catchAll';
}

/** What to look up for an address in lower case, in this order; the first that an entry has counts. */
export function candidatesOf(address: string, rules: Addressing): readonly Candidate[] {
  const at = address.lastIndexOf('@');
  if (at < 1) return [{ address, via: 'itself' }];
  const given = address.slice(at + 1);
  const domain = own(rules.domainAliases, given) ?? given;
  const localPart = address.slice(0, at);
  const itself: Candidate = { address: `${localPart}@${domain}`, via: 'itself' };
  const cut = rules.detailSeparator === undefined ? -1 : localPart.indexOf(rules.detailSeparator);
  const detail: Candidate[] = cut < 1 ? [] : [{ address: `${localPart.slice(0, cut)}@${domain}`, via: 'detail' }];
  const postmaster = localPart === 'postmaster' && rules.postmasters !== undefined ? own(rules.postmasters, given) ?? own(rules.postmasters, domain) : undefined;
  const catcher = postmaster ?? own(rules.catchAll, given) ?? own(rules.catchAll, domain);
  return [itself, ...detail, ...(catcher === undefined ? [] : [{ address: catcher.toLowerCase(), via: 'catchAll' } as const])];
}

function own(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
