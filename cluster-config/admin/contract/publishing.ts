/** Operations of the admin API on published versions of the configuration: history, differences, publishing, and what nodes make of it. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { nodeStateSchema } from '../../publishing/node-state-schema.ts';
import { longestFact, longestRestartWaitSeconds } from '../../publishing/limits.ts';
import { documentText, waitingSchema } from './configuration.ts';
import { ofNode } from './nodes.ts';

const versionNumber = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const versionParam = z.coerce.number().pipe(versionNumber);
export const versionFactsSchema = z.object({
  number: z.number(), digest: z.string().describe('SHA-256 of the text.'), at: z.string(), by: z.string(), message: z.string(),
});

const message = z.string().max(longestFact).describe('What for; it stands in the history.');
/** The compare-and-swap. */
const after = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).describe('The version that the text was made from: when another was published meanwhile, nothing is, and the answer is 409 with who was first.');

const published = versionFactsSchema.extend({
  silent: z.array(z.object({ node: z.string(), reason: z.string() })).describe('Nodes that did not answer, and were not asked whether they can read it.'),
  restarts: waitingSchema,
});

/** A version, or a text that is none. */
const side = z.union([z.strictObject({ version: versionNumber }), z.strictObject({ text: documentText })]);
const line = z.object({ mark: z.enum([' ', '-', '+']), text: z.string() });

export const standingSchema = z.object({
  node: z.string(), role: z.string(),
  kind: z.enum(['runs', 'starting', 'behind', 'refuses', 'restarting', 'away']).describe('starting: its workers start with it; behind: it has not yet said what it makes of it.'),
  why: z.string().optional().describe('Of one that is away.'),
  state: nodeStateSchema.optional().describe('What it says of itself.'),
});

const common = { group: 'configuration', needs: 'manageConfig', place: 'here' } as const;

export const publishingOperations = {
  listVersions: operation({
    ...common, name: 'listVersions', method: 'GET', path: '/configuration/versions', kind: 'read', summary: 'Published versions, the newest first.',
    query: z.strictObject({ after: versionParam.optional().describe('`next` of the page before.'), limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    answer: z.object({ versions: z.array(versionFactsSchema), next: z.string().optional().describe('Absent on the last page.') }),
  }),
  showVersion: operation({
    ...common, name: 'showVersion', method: 'GET', path: '/configuration/versions/{number}', kind: 'read', summary: 'A published version with its text.',
    params: z.strictObject({ number: versionParam }), answer: versionFactsSchema.extend({ text: z.string() }),
  }),
  compareVersions: operation({
    ...common, name: 'compareVersions', method: 'POST', path: '/configuration/diff', kind: 'read', summary: 'What differs, line by line, between versions or texts; the present version where a side is not given.',
    body: z.strictObject({ before: side.optional(), after: side.optional() }),
    answer: z.object({
      before: versionFactsSchema.optional().describe('Absent for a text.'), after: versionFactsSchema.optional(),
      hunks: z.array(z.object({ before: z.number().describe('The first line of it in the text before, from 1.'), after: z.number(), lines: z.array(line) })),
      restarts: waitingSchema,
    }),
  }),
  publishConfiguration: operation({
    ...common, name: 'publishConfiguration', method: 'POST', path: '/configuration/publish', kind: 'act',
    summary: 'Publish a document: it is checked here and by every node that answers, and then written, if `after` is still the present version.',
    body: z.strictObject({ text: documentText, after, message: message.default('') }), answer: published,
  }),
  rollBackConfiguration: operation({
    ...common, name: 'rollBackConfiguration', method: 'POST', path: '/configuration/rollback', kind: 'act', summary: 'Publish the content of an old version as a new one.',
    body: z.strictObject({ version: versionNumber, after, message: message.optional() }), answer: published,
  }),
  configurationStatus: operation({
    ...common, name: 'configurationStatus', method: 'GET', path: '/configuration/status', kind: 'read',
    summary: 'Which node runs which version since when, who refuses it and why, who is away, and what waits for a restart.',
    answer: z.object({
      source: z.enum(['directory', 'file']),
      number: z.number().optional().describe('Of the published version.'), version: z.string().describe('The digest by which nodes know what they are to run.'),
      trouble: z.string().optional().describe('Why what is published can\'t be read or used; the nodes are those of the version that the node that answers runs.'),
      nodes: z.array(standingSchema),
    }),
  }),
  showNodeState: operation({
    name: 'showNodeState', method: 'GET', path: '/nodes/{node}/state', group: 'nodes', needs: 'manageCluster', place: 'node', kind: 'read',
    summary: 'Which version a node runs since when, whether it restarts, and what it could not start with.', params: ofNode, answer: nodeStateSchema,
  }),
  restartNode: operation({
    name: 'restartNode', method: 'POST', path: '/nodes/{node}/restart', group: 'nodes', needs: 'manageCluster', place: 'node', kind: 'act',
    summary: 'Restart a node: it accepts nothing new, its sessions may end by themselves, are then told to, and it starts with everything that waited.',
    params: ofNode, body: z.strictObject({ waitSeconds: z.number().int().min(0).max(longestRestartWaitSeconds).default(60).describe('How long sessions may go on.') }),
    answer: z.object({ restarting: z.enum(['begun', 'already']) }),
  }),
};
