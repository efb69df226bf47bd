/** The parameters of one node as they are shown to people: what is the same for all nodes, and no parameter, is left out. */
import type { NodeConfig } from './effective.ts';

export function shownNode({ nodes: _nodes, clusterName: _clusterName, nodeName: _nodeName, version: _version, ...parameters }: NodeConfig): object {
  return parameters;
}
