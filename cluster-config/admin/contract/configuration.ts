/** Operations of the admin API on the text of the configuration: what is in use, whether a text is good, where in it something stands. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { nodeName, ofNode } from './nodes.ts';

/** Leaves room for the rest of a request, in which every quote takes two bytes. */
export const documentText = z.string().max(900_000).describe('The YAML document.');

export const waitingSchema = z.array(z.object({ node: z.string(), parameters: z.array(z.string()) })).describe('Nodes that would keep parameters until they are restarted, and which.');

const common = { group: 'configuration', needs: 'manageConfig' } as const;

export const configurationOperations = {
  showConfiguration: operation({
    ...common, name: 'showConfiguration', method: 'GET', path: '/nodes/{node}/configuration', place: 'node', kind: 'read',
    summary: 'What a node runs with: all layers, defaults filled in. Secrets are shown as the places where they are kept.', params: ofNode, answer: z.object({ version: z.string(), parameters: z.looseObject({}) }),
  }),
  readConfiguration: operation({
    ...common, name: 'readConfiguration', method: 'GET', path: '/configuration', place: 'here', kind: 'read',
    summary: 'The text of the configuration: the version that is published; where nodes read it from a file, what the node that answers reads.',
    answer: z.object({
      source: z.enum(['directory', 'file']),
      node: z.string().describe('The node that answers.'),
      file: z.string().optional().describe('Of a file: where it lies on that node.'),
      number: z.number().describe('The version, to be named when another is published; 0 for a file.'),
      digest: z.string().describe('SHA-256 of the text.'),
      at: z.string().optional(), by: z.string().optional(), message: z.string().optional(),
      text: z.string(),
      readOnly: z.string().optional().describe('Why it can\'t be changed over the admin API; absent when it can.'),
    }),
  }),
  checkConfiguration: operation({
    ...common, name: 'checkConfiguration', method: 'POST', path: '/configuration/check', place: 'here', kind: 'read', summary: 'Is this document good, and what would it change? Nothing is changed.',
    body: z.strictObject({ text: documentText }),
    answer: z.object({
      good: z.boolean(), version: z.string().optional(), nodes: z.array(z.object({ name: z.string(), role: z.string() })).optional(),
      problems: z.array(z.object({ path: z.string(), text: z.string(), line: z.number().optional(), column: z.number().optional() })),
      restarts: waitingSchema,
      warnings: z.array(z.string()).describe('What whoever publishes it should know.'),
    }),
  }),
  locateParameter: operation({
    ...common, name: 'locateParameter', method: 'POST', path: '/configuration/locate', place: 'here', kind: 'read', summary: 'Where in a document a parameter of a node comes from: the uppermost layer that has it.',
    body: z.strictObject({ text: documentText, node: nodeName, path: z.string().min(1).max(1000).describe('As `services.imap.listeners[0].address`.') }),
    answer: z.object({ path: z.string(), line: z.number(), column: z.number() }),
  }),
};
