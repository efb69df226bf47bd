/** Nodes and their health: each tells of itself; whoever is asked for all asks the others. */
import { handled } from '../../shared/admin-api/operation.ts';
import type { Call, Handled } from '../../shared/admin-api/operation.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { NodeConfig, NodeEntry } from '../effective.ts';
import { AuthorityKeeper } from '../joining/authority-keeper.ts';
import type { NodeContext } from '../run-node.ts';
import { nodeOperations, nodeSchema } from './contract/nodes.ts';
import { statusOfNode } from './worker-status.ts';
import type { NodeStatus } from './worker-status.ts';

const madeSchema = nodeOperations.makeJoinToken.answer;

export function nodeHandlers(config: NodeConfig, { siblings, environment }: Pick<NodeContext, 'siblings' | 'environment'>): readonly Handled[] {
  return [
    handled(nodeOperations.listNodes, async (call) => {
      const nodes = await Promise.all(Object.values(config.nodes).map(async (node) => (node.name === config.nodeName ? statusOfNode(siblings, config) : statusElsewhere(call, node))));
      return { cluster: config.clusterName, nodes };
    }),
    handled(nodeOperations.showNode, async () => statusOfNode(siblings, config)),
    handled(nodeOperations.makeJoinToken, async (call) => {
      const kept = config.tls.authorityKey;
      if (kept === undefined) throw new Failure('forbidden', 'the configuration says of no back-end that keeps the authority\'s key: tls.authorityKey');
      const { who } = call.caller;
      if (who.kind === 'node' && config.nodes[who.node]?.role !== 'backend') throw new Failure('forbidden', 'tokens are made with the certificate of a back-end, or by an administrator');
      call.reply.note({ node: call.body.node, role: call.body.role });
      if (kept.node !== config.nodeName) return madeSchema.parse(await call.ask(kept.node, '/join-tokens', { method: 'POST', body: call.body }));
      return new AuthorityKeeper(config, kept, environment).makeToken(call.body);
    }),
  ];
}

async function statusElsewhere({ ask }: Pick<Call, 'ask'>, { name, role, host }: NodeEntry): Promise<NodeStatus> {
  try {
    return nodeSchema.parse(await ask(name, `/nodes/${name}`));
  } catch (error) {
    return { name, role, host, state: 'unreachable', reason: error instanceof Error ? error.message : String(error), workers: [], certificates: [] };
  }
}
