/** Operations of the admin API on the configuration: what a node runs with, and whether a document is good. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofNode } from './nodes.ts';

export const configurationOperations = {
  showConfiguration: operation({
    name: 'showConfiguration', method: 'GET', path: '/nodes/{node}/configuration', group: 'configuration', needs: 'manageConfig', place: 'node', kind: 'read',
    summary: 'What a node runs with: all layers, defaults filled in. Secrets are shown as the places where they are kept.', params: ofNode, answer: z.object({ version: z.string(), parameters: z.looseObject({}) }),
  }),
  checkConfiguration: operation({
    name: 'checkConfiguration', method: 'POST', path: '/configuration/check', group: 'configuration', needs: 'manageConfig', place: 'here', kind: 'read', summary: 'Is this document good? Nothing is changed.',
    body: z.strictObject({ text: z.string().max(900_000).describe('The YAML document.') }),
    answer: z.object({
      good: z.boolean(), version: z.string().optional(), nodes: z.array(z.object({ name: z.string(), role: z.string() })).optional(),
      problems: z.array(z.object({ path: z.string(), text: z.string(), line: z.number().optional(), column: z.number().optional() })),
    }),
  }),
};
