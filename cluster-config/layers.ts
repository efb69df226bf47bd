/** Layers of parameters and how they are laid over one another: maps are merged, everything else is replaced whole. */

export type Tree = Readonly<Record<string, unknown>>;

/** One layer: where it stands in the document, and its parameters. */
export interface Layer {
  readonly path: readonly string[];
  readonly parameters: Tree;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What results from laying the upper tree over the lower one. */
export function mergeTrees(lower: Tree, upper: Tree): Tree {
  const merged = Object.entries(upper).map(([key, value]): [string, unknown] => {
    const below = Object.hasOwn(lower, key) ? lower[key] : undefined;
    return [key, isTree(below) && isTree(value) && !(isSecret(below) && isSecret(value)) ? mergeTrees(below, value) : value];
  });
  return { ...lower, ...Object.fromEntries(merged) };
}

/** `{file: …}` over `{env: …}` replaces it: the two are alternatives, not members of one map. */
function isSecret(value: Tree): boolean {
  const keys = Object.keys(value);
  return keys.length === 1 && (keys[0] === 'file' || keys[0] === 'env');
}

/** All layers laid over one another, the first lowest. */
export function mergeLayers(layers: readonly Layer[]): Tree {
  return layers.reduce<Tree>((lower, layer) => mergeTrees(lower, layer.parameters), {});
}

/**
 * Where in the document a parameter of the merged result comes from: the path in the uppermost layer that has it; where no
 * layer has it, the longest part of the path that one has.
 */
export function originOf(layers: readonly Layer[], path: readonly PropertyKey[]): readonly PropertyKey[] {
  const uppermostFirst = layers.toReversed();
  const depths = uppermostFirst.map((layer) => depthOf(layer.parameters, path));
  const deepest = Math.max(...depths);
  const origin = (deepest === 0 ? layers[0] : uppermostFirst[depths.indexOf(deepest)]) ?? { path: [] };
  return [...origin.path, ...path];
}

/** Whether something stands at the path. */
export function hasPath(tree: Tree, path: readonly PropertyKey[]): boolean {
  return depthOf(tree, path) === path.length;
}

/** How many steps of the path exist in the tree. */
function depthOf(tree: unknown, path: readonly PropertyKey[]): number {
  const [step, ...rest] = path;
  if (step === undefined || typeof tree !== 'object' || tree === null || !Object.hasOwn(tree, step)) return 0;
  return 1 + depthOf((tree as Record<PropertyKey, unknown>)[step], rest);
}
