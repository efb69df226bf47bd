/** Operations of the admin API on all users at once: the directory compared with the nodes and with files, and what was counted. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { findingKinds } from '../../map-findings.ts';

/** At most so many findings in one answer. */
export const mostFindings = 10_000;
/** Longer files come in parts. */
export const longestPart = 400_000;

const finding = z.object({
  kind: z.enum(findingKinds), address: z.string().optional(), node: z.string().optional(), text: z.string().describe('In words, with the command that mends it where there is one.'),
});

const part = z.strictObject({
  format: z.enum(['csv', 'ldif']), text: z.string().max(longestPart).describe('Whole lines of CSV (address, node, aliases with blanks between), or whole records of LDIF; as `waybill map export` writes them.'),
  firstLine: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(1).describe('The number in the file of the first line of the text; mistakes are told by it.'),
});
const told = z.array(z.string()).describe('What differs, in words.');
const ldif = z.string().describe('What is still to be done, for ldapmodify; empty for nothing.');

const silentNodes = z.array(z.object({ node: z.string(), reason: z.string() }));

const common = { group: 'user map', needs: 'manageUserMap', place: 'here' } as const;

const count = z.number().int().nonnegative();
const ldapOperations = z.object({ searches: count, passwordBinds: count, serviceBinds: count });
export const workerStatisticsSchema = z.object({
  process: count,
  mapping: z.object({ hits: count, misses: count, stale: count, questions: count }),
  logins: z.object({ accepted: count, refused: count, unavailable: count, operations: count }),
  connectors: z.record(z.string(), ldapOperations).describe('What each LDAP connector has sent.'),
});

export const userMapOperations = {
  checkMap: operation({
    ...common, name: 'checkMap', method: 'GET', path: '/directory/check', kind: 'read',
    summary: 'The whole directory against the nodes: entries without a host or with an unknown one, addresses of several entries, mail where no entry leads, moves that are not finished. For administrators of the whole cluster.',
    answer: z.object({ entries: z.number(), backends: z.number(), total: z.number().describe('Of the findings.'), findings: z.array(finding).describe(`The first ${String(mostFindings)}.`) }),
  }),
  compareMap: operation({
    ...common, name: 'compareMap', method: 'POST', path: '/directory/compare', kind: 'read', summary: 'A file of users against the directory. Nothing is changed.', body: part,
    answer: z.object({ mistakes: z.array(z.object({ where: z.string(), what: z.string() })), told, ldif }),
  }),
  importMap: operation({
    ...common, name: 'importMap', method: 'POST', path: '/directory/import', needs: 'manageCluster', kind: 'act',
    summary: 'Write the hosts of a file into the directory; aliases stay in the LDIF. Needs `manageUserMap` as well. With a mistake anywhere in the text nothing is written. Front-ends forget where these users were. No mail is moved.', body: part,
    answer: z.object({ told, ldif, silent: silentNodes.default([]).describe('Front-ends that did not hear of it: they may go on with the hosts of before until `routing.positiveAgeSeconds` are over.') }),
  }),
  mapStatistics: operation({
    ...common, name: 'mapStatistics', method: 'GET', path: '/map-statistics', needs: 'manageReporting', kind: 'read',
    summary: 'What the workers of all nodes have counted since they began: answers from the cache, logins, operations at the directory. For administrators of the whole cluster.',
    answer: z.object({
      nodes: z.array(z.object({ node: z.string(), role: z.enum(['frontend', 'backend']), workers: z.array(workerStatisticsSchema) })),
      silent: silentNodes,
    }),
  }),
};
