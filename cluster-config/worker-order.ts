/** What the first process of a node tells its workers to run, and the node's configuration that it makes of a version. */
import { z } from 'zod';
import type { NodeConfig } from './effective.ts';
import type { HeldFiles } from './held-files.ts';
import { configOfNode, parseVersion } from './load.ts';
import { ConfigurationRefused } from './problem.ts';
import type { SourceVersion } from './publishing/source-version.ts';
import type { Role } from './schema.ts';

export interface WorkerOrder {
  /** The name of this node. */
  readonly node: string;
  readonly version: SourceVersion;
  /** What a worker is to run: what this version says, with what waits for a restart as it was. The first process has checked it, and workers need not. */
  readonly config: NodeConfig;
  /** What the node holds in memory in the place of files. */
  readonly held: HeldFiles;
}

interface WhoWeAre {
  readonly nodeName: string;
  readonly role: Role;
}

const orderSchema = z.object({
  node: z.string(),
  version: z.object({ text: z.string(), label: z.string(), file: z.string(), base: z.record(z.string(), z.unknown()), number: z.number().optional() }),
  config: z.custom<NodeConfig>((value) => typeof value === 'object' && value !== null),
  held: z.record(z.string(), z.object({ text: z.string(), insteadOf: z.string().optional() }).transform(({ text, insteadOf }) => ({ text, insteadOf }))),
});

/** As JSON: every parameter is a value that survives that, which a test keeps so. */
export function orderText(order: WorkerOrder): string {
  return JSON.stringify(order);
}

export function readOrder(text: string): WorkerOrder {
  const { node, version, config, held } = orderSchema.parse(JSON.parse(text));
  return { node, version: { ...version, number: version.number }, config, held };
}

/** @throws ConfigurationRefused also when the document has no such node, or it is of the other kind */
export function nodeConfig({ nodeName, role }: WhoWeAre, version: SourceVersion): NodeConfig {
  const config = configOfNode(parseVersion(version), nodeName, version.label);
  if (config.role === role) return config;
  throw new ConfigurationRefused(version.label, [{ path: ['nodes', nodeName, 'role'], text: `${nodeName} is a ${config.role}; start it with: waybill ${config.role}` }]);
}
