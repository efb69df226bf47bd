/** The schema of a cluster configuration: the only place where a parameter is defined; groups stand in files of their own. */
import { z } from 'zod';
import { administrationParameters } from './administration.ts';
import { addressingParameters } from './addressing.ts';
import { directoryParameters } from './directory.ts';
import { domainParameters } from './domain-settings.ts';
import { genericParameters } from './generic.ts';
import { backendServices, frontendServices, servicesParameters } from './services.ts';
import { storageParameters } from './storage.ts';
import { host } from './values.ts';

/** The number a document bears as `schema`; it grows when older programs could misread a document. */
export const schemaNumber = 1;

/** Every parameter a node can have. Each layer of a document may hold any of them; what results for a node is checked by this. */
export const parametersSchema = z.strictObject({
  ...genericParameters,
  ...addressingParameters,
  ...domainParameters,
  ...directoryParameters,
  ...storageParameters,
  ...servicesParameters,
  ...administrationParameters,
});

export type Parameters = z.output<typeof parametersSchema>;

/** The services that run on one kind of node only. */
export const servicesOfRole = {
  frontend: Object.keys(frontendServices),
  backend: Object.keys(backendServices),
} as const;

export type Role = keyof typeof servicesOfRole;

const nodeName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a name of small letters, digits and "-"');
const role = z.enum(['frontend', 'backend']).describe('What the node is.');
const nodeHost = host.describe('The name or address under which the other nodes reach it.');
const clusterName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, 'must be a name of letters, digits, " ", ".", "_" and "-"').describe('The name of the cluster; it stands in the certificates of its nodes.');

/** The frame of a document: what is not a parameter. Parameters of the layers are let through and checked for each node. */
export const frameSchema = z.strictObject({
  schema: z.literal(schemaNumber).describe('The number of this schema.'),
  cluster: z.looseObject({ name: clusterName }).describe('Parameters of all nodes, and the cluster\'s name.'),
  frontends: z.record(z.string(), z.unknown()).default({}).describe('Parameters of all front-ends; they win over those of `cluster`.'),
  backends: z.record(z.string(), z.unknown()).default({}).describe('Parameters of all back-ends; they win over those of `cluster`.'),
  nodes: z
    .record(nodeName, z.looseObject({ role, host: nodeHost }))
    .refine((nodes) => Object.keys(nodes).length > 0, 'names no node')
    .describe('The nodes by name; their own parameters win over all others.'),
});

export type Frame = z.output<typeof frameSchema>;

/** The whole document with the parameters of each layer, for the JSON Schema that editors use. */
export function documentSchema(): z.ZodType {
  const layer = parametersSchema.partial({ primaryDomain: true });
  return z.strictObject({
    schema: frameSchema.shape.schema,
    cluster: layer.extend({ name: clusterName }).describe(frameSchema.shape.cluster.description ?? ''),
    frontends: layer.optional().describe(frameSchema.shape.frontends.description ?? ''),
    backends: layer.optional().describe(frameSchema.shape.backends.description ?? ''),
    nodes: z.record(nodeName, layer.extend({ role, host: nodeHost })).describe(frameSchema.shape.nodes.description ?? ''),
  });
}
