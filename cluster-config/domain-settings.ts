/** What is set for single domains of the cluster: who may use them for what. */
import { z } from 'zod';
import { accountServices, accountStatuses } from '../shared/access/account-use.ts';
import type { UseTerms } from '../shared/access/account-use.ts';
import { domainName, wholeNumber } from './values.ts';

const domainSetting = z.strictObject({
  status: z.enum(accountStatuses).default('active').describe('`active`; `noaccess`: nobody of it logs in, mail is taken; `disabled`: neither; `deleted`: not ours any more, but its mailboxes are kept until they are removed.'),
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

/** What the domain of an address lets its accounts be used for. */
export function domainTermsOf(config: { readonly domainSettings: Readonly<Record<string, UseTerms>> }): (address: string) => UseTerms {
  return (address) => {
    const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
    return Object.hasOwn(config.domainSettings, domain) ? (config.domainSettings[domain] ?? {}) : {};
  };
}
