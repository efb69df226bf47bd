/** Operations of the admin API on nodes: which there are and how they are. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';

export const nodeName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is not the name of a node').describe('A node of the cluster.');
export const ofNode = z.strictObject({ node: nodeName });

export const workerSchema = z.object({
  pid: z.number(),
  state: z.enum(['ready', 'stopping', 'not-ready']),
  reason: z.string().optional().describe('Why it is not ready.'),
  services: z.array(z.string()),
  configVersion: z.string(),
  startedAt: z.string(),
  memoryBytes: z.number().describe('Resident memory.'),
});

export const certificateSchema = z.object({
  parameter: z.string().describe('Names it in the configuration.'),
  endsAt: z.string(),
  standing: z.enum(['good', 'ending', 'over']).describe('ending: within `tls.warnDays`.'),
});

const entry = z.object({ name: z.string(), role: z.enum(['frontend', 'backend']), host: z.string() });

export const nodeSchema = entry.extend({
  state: z.enum(['ready', 'stopping', 'not-ready', 'unreachable']).describe('ready: all its workers are.'),
  reason: z.string().optional(),
  configVersion: z.string().optional().describe('Digest of the configuration that its workers run.'),
  workers: z.array(workerSchema),
  certificates: z.array(certificateSchema).default([]).describe('Those in use; none is told by a node of an older program.'),
});

export const nodeOperations = {
  listNodes: operation({
    name: 'listNodes', method: 'GET', path: '/nodes', group: 'nodes', needs: 'signed-in', place: 'here', kind: 'read',
    summary: 'All nodes of the cluster and their health, asked now.', answer: z.object({ cluster: z.string(), nodes: z.array(nodeSchema) }),
  }),
  showNode: operation({ name: 'showNode', method: 'GET', path: '/nodes/{node}', group: 'nodes', needs: 'signed-in', place: 'node', kind: 'read', summary: 'One node and its workers.', params: ofNode, answer: nodeSchema }),
  makeJoinToken: operation({
    name: 'makeJoinToken', method: 'POST', path: '/join-tokens', group: 'nodes', needs: 'manageCluster', place: 'here', kind: 'act',
    summary: 'Make a one-time token with which a node gets its first certificate (`waybill node join`).',
    body: z.strictObject({
      node: nodeName, role: z.enum(['frontend', 'backend']), validMinutes: z.number().int().min(1).max(10_080).default(60),
      hosts: z.array(z.union([z.ipv4(), z.ipv6(), z.string().regex(/^[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/)])).max(20).default([]).describe('Names and addresses that the certificate is to have beside those of the configuration.'),
    }),
    answer: z.object({ token: z.string().describe('Whoever has it can be that node.'), expiresAt: z.string() }),
  }),
};
