/** What administrators may be allowed: the permissions of the manual, and those of what came later. */
import { z } from 'zod';

/** Name and meaning of each. Those marked `domain` can be had for some domains only. */
export const capabilities = {
  manageSMTPIn: 'Start and stop SMTP of back-ends.',
  manageSMTPOut: 'Start and stop sending to other servers.',
  manageProcessing: 'Start and stop the work on the queue.',
  manageIMAP: 'Start and stop IMAP of back-ends.',
  managePOP3: 'Start and stop POP3 of back-ends.',
  manageWebmail: 'Start and stop WebMail of back-ends.',
  manageSMTPProxy: 'Start and stop SMTP of front-ends.',
  manageIMAPProxy: 'Start and stop IMAP of front-ends.',
  managePOP3Proxy: 'Start and stop POP3 of front-ends.',
  manageWebmailProxy: 'Start and stop WebMail of front-ends.',
  manageDNR: 'See and change name resolution.',
  manageLog: 'Read logs and traces.',
  manageReporting: 'Read counters and reports.',
  manageCluster: 'Move accounts, and act on nodes as a whole.',
  manageConfig: 'Read and change the cluster configuration.',
  manageUserMap: 'Search the directory, and see where a mailbox is.',
  manageSessions: 'See live sessions, and cut them.',
  manageQueue: 'See queued messages; retry, hold, return and delete them.',
  manageStorage: 'See storages; check, lock and back them up, and bring accounts back from a backup.',
  manageDomains: 'See and change domains.',
  manageAccounts: 'See and make accounts, set their passwords.',
  viewAudit: 'Read what administrators did.',
} as const;

export type Capability = keyof typeof capabilities;

export const capabilityNames = Object.keys(capabilities) as [Capability, ...Capability[]];

/** What can be had for some domains only; an administrator of domains has none of the others. */
const ofDomains: ReadonlySet<Capability> = new Set<Capability>(['manageUserMap', 'manageSessions', 'manageQueue', 'manageDomains', 'manageAccounts', 'manageReporting', 'viewAudit']);

export function isOfDomains(capability: Capability): boolean {
  return ofDomains.has(capability);
}

/** As the configuration gives them: by name, or all. */
export const grantSchema = z.enum(['all', ...capabilityNames]);
export type Grant = z.output<typeof grantSchema>;

export interface Grants {
  readonly allow: readonly Grant[];
  readonly deny: readonly Grant[];
}

/** What remains of one's own grants and those of one's groups. What is denied anywhere is denied. */
export function effectiveCapabilities(grants: readonly Grants[], domains: readonly string[]): ReadonlySet<Capability> {
  const named = (list: readonly Grant[]): ReadonlySet<Capability> => new Set(list.flatMap((one): Capability[] => (one === 'all' ? capabilityNames : [one])));
  const allowed = named(grants.flatMap(({ allow }) => allow));
  const denied = named(grants.flatMap(({ deny }) => deny));
  return new Set([...allowed].filter((one) => !denied.has(one) && (domains.length === 0 || isOfDomains(one))));
}
