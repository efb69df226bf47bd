/** What is set for single domains of the cluster: who may use them for what. */
import { z } from 'zod';
import { accountServices, accountStatuses } from '../shared/access/account-use.ts';
import type { UseTerms } from '../shared/access/account-use.ts';
import { emailAddress } from './addressing.ts';
import { domainName, fileName, wholeNumber } from './values.ts';

const domainSetting = z.strictObject({
  status: z.enum(accountStatuses).default('active').describe('`active`; `noaccess`: nobody of it logs in, mail is taken; `disabled`: neither; `deleted`: not ours any more, but its mailboxes are kept until they are removed.'),
  quota: z
    .strictObject({
      maxKilobytes: wholeNumber({ min: 0, max: 2 ** 40 }).optional().describe('Most kilobytes of mail of an account of the domain; 0 for no limit. `storage.quota` when absent.'),
      maxMessages: wholeNumber({ min: 0, max: 2 ** 32 }).optional().describe('Most messages of an account of the domain; 0 for no limit. `storage.quota` when absent.'),
    })
    .optional()
    .describe('What each account of the domain may use, where `account quota` says nothing else.'),
  storages: z.array(fileName()).min(1).max(128).optional().describe('The storages, of those in `storage.directories`, in which new accounts of the domain are made, spread over all of these; all when absent. Accounts that exist stay where they are. A back-end that has none of them makes no account of the domain, and mail for one waits.'),
  postmaster: emailAddress.optional().describe('Who gets mail for `postmaster@` the domain, where nobody has that address.'),
  publicFolders: emailAddress.optional().describe('The account whose folders are the public folders of the domain: its users find under `Public Folders/` what of them they may see. No public folders when absent.'),
  pop3LoginDelaySeconds: wholeNumber({ min: 0, max: 86_400 }).optional().describe('From one login of a user of the domain by POP3 to the next; 0 for no wait. `services.pop3.loginDelaySeconds` when absent.'),
  services: z.array(z.enum(accountServices)).optional().describe('What its accounts may be used for, as far as the account itself may: get mail (`smtp`), log in (`imap`, `pop3`, `webmail`, `submission`), send to other domains (`relay`). All when absent.'),
});

export const domainParameters = {
  domainSettings: z.record(domainName, domainSetting).default({}).describe('For domains of ours, the primary one included: what holds for all of their accounts.'),
  accounts: z
    .strictObject({
      keepDeletedDays: wholeNumber({ min: 0, max: 3650 }).default(30).describe('How long the mailbox of a deleted account is kept, and can be brought back by `account undelete`; then it is removed for good.'),
      keepVanishedDays: wholeNumber({ min: 0, max: 3650 }).default(30).describe('How long the mailbox of an account whose directory entry is gone is kept; if the entry comes back, so does the account. Then it is removed for good.'),
      reconcileSeconds: wholeNumber({ min: 1, max: 604_800 }).default(3600).describe('How often a back-end compares its accounts with the directory.'),
      confirmVanished: wholeNumber({ min: 1, max: 100 }).default(3).describe('In how many comparisons in a row an entry must be missing before its account counts as vanished: a replica may lag behind.'),
      maxVanishedPercent: wholeNumber({ min: 0, max: 100 }).default(10).describe('More accounts than this share of a back-end\'s missing at once are an accident of the directory: nothing happens to any of them, and the log has an alert. One account may always go.'),
    })
    .prefault({})
    .describe('How long accounts that are gone are kept.'),
};

type Settings = Readonly<Record<string, z.output<typeof domainSetting>>>;

/** What is set for the domain of an address. */
function settingsOf({ domainSettings }: { readonly domainSettings: Settings }, address: string): Partial<z.output<typeof domainSetting>> {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  return Object.hasOwn(domainSettings, domain) ? (domainSettings[domain] ?? {}) : {};
}

/** What the domain of an address lets its accounts be used for. */
export function domainTermsOf(config: { readonly domainSettings: Settings }): (address: string) => UseTerms {
  return (address) => settingsOf(config, address);
}

/** What accounts of a domain may have of the storages of a node. */
export function domainStorageRules(config: { readonly domainSettings: Settings }): {
  readonly limitsOf: (address: string) => { readonly bytes?: number; readonly messages?: number };
  readonly storagesOf: (address: string) => readonly string[] | undefined;
} {
  return {
    limitsOf: (address) => limitsOfQuota(settingsOf(config, address).quota ?? {}),
    storagesOf: (address) => settingsOf(config, address).storages,
  };
}

/** Limits in the units of storages; what is not set is absent. */
export function limitsOfQuota({ maxKilobytes, maxMessages }: { readonly maxKilobytes?: number | undefined; readonly maxMessages?: number | undefined }): { readonly bytes?: number; readonly messages?: number } {
  return { ...(maxKilobytes === undefined ? {} : { bytes: maxKilobytes * 1024 }), ...(maxMessages === undefined ? {} : { messages: maxMessages }) };
}

/** From one login by POP3 to the next, in milliseconds. */
export function pop3LoginDelays(config: { readonly domainSettings: Settings; readonly services: { readonly pop3: { readonly loginDelaySeconds: number } } }): { readonly of: (address: string) => number; readonly longest: number; readonly differ: 'yes' | 'no' } {
  const usual = config.services.pop3.loginDelaySeconds;
  const all = [usual, ...Object.values(config.domainSettings).flatMap(({ pop3LoginDelaySeconds: own }) => own ?? [])];
  return {
    of: (address) => (settingsOf(config, address).pop3LoginDelaySeconds ?? usual) * 1000,
    longest: Math.max(...all) * 1000,
    differ: new Set(all).size > 1 ? 'yes' : 'no',
  };
}

/** The account that keeps the public folders of an address's domain. */
export function publicOwnersOf(config: { readonly domainSettings: Settings }): (address: string) => string | undefined {
  return (address) => settingsOf(config, address).publicFolders?.toLowerCase();
}

/** Who gets mail for the postmasters of domains. */
export function postmastersOf({ domainSettings }: { readonly domainSettings: Settings }): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(domainSettings).flatMap(([domain, { postmaster }]): [string, string][] => (postmaster === undefined ? [] : [[domain, postmaster]])));
}
