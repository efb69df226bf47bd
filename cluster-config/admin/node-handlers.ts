/** Nodes and their health: each tells of itself; whoever is asked for all asks the others. */
import { handled } from '../../shared/admin-api/operation.ts';
import type { Call, Handled } from '../../shared/admin-api/operation.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import type { NodeConfig, NodeEntry } from '../effective.ts';
import { nodeOperations, nodeSchema } from './contract/nodes.ts';
import { statusOfNode } from './worker-status.ts';
import type { NodeStatus } from './worker-status.ts';

export function nodeHandlers(config: NodeConfig, siblings: Siblings): readonly Handled[] {
  return [
    handled(nodeOperations.listNodes, async (call) => {
      const nodes = await Promise.all(Object.values(config.nodes).map(async (node) => (node.name === config.nodeName ? statusOfNode(siblings, config) : statusElsewhere(call, node))));
      return { cluster: config.clusterName, nodes };
    }),
    handled(nodeOperations.showNode, async () => statusOfNode(siblings, config)),
  ];
}

async function statusElsewhere({ ask }: Pick<Call, 'ask'>, { name, role, host }: NodeEntry): Promise<NodeStatus> {
  try {
    return nodeSchema.parse(await ask(name, `/nodes/${name}`));
  } catch (error) {
    return { name, role, host, state: 'unreachable', reason: error instanceof Error ? error.message : String(error), workers: [] };
  }
}
