/** What the first process of a node tells its workers to run, and the node's configuration that it makes of a version. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { NodeConfig } from './effective.ts';
import type { HeldFiles } from './held-files.ts';
import { configOfNode, parseVersion } from './load.ts';
import { ConfigurationRefused } from './problem.ts';
import { withFrozen } from './publishing/restart-needs.ts';
import type { Frozen } from './publishing/restart-needs.ts';
import type { SourceVersion } from './publishing/source-version.ts';
import { parametersSchema } from './schema.ts';
import type { Role } from './schema.ts';
import { valueTraits } from './schema-walk.ts';

export interface WorkerOrder {
  /** The name of this node. */
  readonly node: string;
  readonly version: SourceVersion;
  readonly frozen: Frozen;
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
  frozen: z.record(z.string(), z.unknown()),
  checked: z.object({ config: z.custom<NodeConfig>((value) => typeof value === 'object' && value !== null), parameters: z.string() }).optional(),
  held: z.record(z.string(), z.object({ text: z.string(), insteadOf: z.string().optional() }).transform(({ text, insteadOf }) => ({ text, insteadOf }))),
});

/** As JSON: every parameter is a value that survives that, which a test keeps so. */
export function orderText({ config, ...order }: WorkerOrder): string {
  return JSON.stringify({ ...order, checked: { config, parameters: knownParameters() } });
}

/**
 * A worker that starts after the program was replaced on disk, while its node still runs the one before, knows other parameters, and has to
 * check the text itself. @throws ConfigurationRefused then
 */
export function readOrder(text: string, role: Role): WorkerOrder {
  const { node, version: { number, ...rest }, frozen, checked, held } = orderSchema.parse(JSON.parse(text));
  const version = { ...rest, number };
  const config = checked?.parameters === knownParameters() ? checked.config : withFrozen(nodeConfig({ nodeName: node, role }, version), frozen);
  return { node, version, frozen, config, held };
}

/** A digest of all parameters that this program knows, with their bounds and defaults. */
function knownParameters(): string {
  known ??= createHash('sha256').update(valueTraits(parametersSchema).join('\n')).digest('hex');
  return known;
}
let known: string | undefined;

/** @throws ConfigurationRefused also when the document has no such node, or it is of the other kind */
export function nodeConfig({ nodeName, role }: WhoWeAre, version: SourceVersion): NodeConfig {
  const config = configOfNode(parseVersion(version), nodeName, version.label);
  if (config.role === role) return config;
  throw new ConfigurationRefused(version.label, [{ path: ['nodes', nodeName, 'role'], text: `${nodeName} is a ${config.role}; start it with: waybill ${config.role}` }]);
}
