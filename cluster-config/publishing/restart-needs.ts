/** Which parameters a running node can't change: they keep the value that it started with until `waybill node restart`. */
import { isDeepStrictEqual } from 'node:util';
import type { NodeConfig } from '../effective.ts';
import { parametersSchema } from '../schema.ts';
import { markedPaths } from '../schema-walk.ts';
import { restartOnly } from '../values.ts';

/** As `storage.directories`. */
export const restartPaths: readonly string[] = markedPaths(parametersSchema, restartOnly);

/** The values of these parameters, by path; what is missing was not set. */
export type Frozen = Readonly<Record<string, unknown>>;

/** The cluster's name is no parameter, but the certificates and storages of a running node bear it. */
const nameOfCluster = 'cluster.name';

export function frozenOf(config: NodeConfig): Frozen {
  return { ...Object.fromEntries(restartPaths.map((path) => [path, valueAt(config, path.split('.'))])), [nameOfCluster]: config.clusterName };
}

/** The paths of what `next` would have otherwise. */
export function restartNeeds(frozen: Frozen, next: NodeConfig): readonly string[] {
  return Object.entries(frozenOf(next)).flatMap(([path, value]) => (isDeepStrictEqual(value, frozen[path]) ? [] : [path]));
}

/** The configuration as a node runs it that started with these values. */
export function withFrozen(config: NodeConfig, frozen: Frozen): NodeConfig {
  const clusterName = frozen[nameOfCluster];
  const named = typeof clusterName === 'string' ? { ...config, clusterName } : config;
  // Only values that the schema made for these very paths are put there.
  return restartPaths.reduce<object>((changed, path) => withValue(changed, path.split('.'), frozen[path]), named) as NodeConfig;
}

function valueAt(tree: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return tree;
  return typeof tree === 'object' && tree !== null ? valueAt((tree as Readonly<Record<string, unknown>>)[step], rest) : undefined;
}

function withValue(tree: object, [step = '', ...rest]: readonly string[], value: unknown): object {
  if (rest.length === 0) return { ...tree, [step]: value };
  const below = (tree as Readonly<Record<string, unknown>>)[step];
  return { ...tree, [step]: withValue(typeof below === 'object' && below !== null ? below : {}, rest, value) };
}
