/** What addresses stand for beyond the entry that has them: parameters of forwarding, groups, aliases of domains, catch-all and details. */
import { z } from 'zod';
import { domainName, wholeNumber } from './values.ts';

const attributeName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'is not the name of an LDAP attribute');
export const emailAddress = z.string().regex(/^[^@\s]+@[^@\s]+$/, 'must be an address');

export const groups = z
  .strictObject({
    searchPattern: z.string().min(1).optional().describe('LDAP filter that finds a group by its address, beside the one for users. By default `(mail=%e)`; of Active Directory also by `proxyAddresses`.'),
    searchBase: z.string().min(1).optional().describe('The entry below which groups are searched, where it is not `searchBase`: then they cost a search of their own.'),
    objectClasses: z.array(z.string().min(1)).min(1).default(['groupOfNames', 'groupOfUniqueNames', 'group']).describe('An entry of one of these object classes is a group, whatever found it.'),
    memberAttribute: attributeName.default('member').describe('Names the members\' entries. Long lists are fetched in parts, as Active Directory gives them.'),
    newEntries: z
      .strictObject({
        base: z.string().min(1).optional().describe('The entry below which they are made. By default `groups.searchBase`, else `searchBase`.'),
        objectClasses: z.array(z.string().min(1)).min(1).optional().describe('Their object classes. By default `groupOfNames` and `extensibleObject`; of Active Directory `top` and `group`.'),
      })
      .optional()
      .describe('Groups that `waybill group add` makes in the directory.'),
    addressAttribute: attributeName.optional().describe('Names members by their addresses, ours or others\'.'),
  })
  .optional()
  .describe('Groups as recipients of mail: each member gets it once. Without it no entry is a group.');

export const addressingParameters = {
  domainAliases: z.record(domainName, domainName).default({}).describe('Domains that have the same addresses as another one: `{ alias.example: example.com }`. Their mail is ours.'),
  catchAll: z.record(domainName, emailAddress).default({}).describe('For a domain of ours: who gets mail for addresses that nobody has. Nobody logs in by such an address.'),
  detailSeparator: z.string().max(1).default('+').describe('What separates a detail from the user: alice+news@ is alice@. Empty: addresses have no details.'),
  allowAliasLogins: z.boolean().default(true).describe('Whether users may log in with their aliases (and addresses with details), not only with their own address.'),
  forwardKeepsCopy: z.boolean().default(true).describe('Whether mail of a user who has both a host and a routing address is kept in the mailbox as well as forwarded.'),
  expansion: z
    .strictObject({
      maxDepth: wholeNumber({ min: 1, max: 50 }).default(8).describe('How many groups and forwarding users may lead to one another.'),
      maxMembers: wholeNumber({ min: 1, max: 100_000 }).default(1000).describe('Members of a group, with those of the groups in it.'),
    })
    .prefault({})
    .describe('Bounds for groups and forwarding.'),
};
