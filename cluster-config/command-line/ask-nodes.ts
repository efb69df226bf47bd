/** How commands ask running nodes over their admin APIs: by which certificate, and many at once. */
import { userInfo } from 'node:os';
import { callNode } from '../../shared/admin/admin-call.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { NodeConfig } from '../effective.ts';
import type { ClusterConfig } from '../load.ts';
import { loadNodeTls } from '../node-tls.ts';
import type { NodeTls } from '../node-tls.ts';
import type { NodeQuestion, NodeSaid } from '../node-said.ts';

const silenceMs = 5000;

/** What a command prints, and the nodes that did not take part: with one of those the exit code is 1. */
export interface NodesText {
  readonly text: string;
  readonly complaints: readonly string[];
}

export function complaintsOf(said: readonly NodeSaid[]): string[] {
  return said.flatMap((one) => ('complaint' in one ? [`${one.node} ${one.complaint}`] : []));
}

/** Asks every node of the configuration that has one of the roles. @throws Failure('bad-input') as the first node that gave one */
export async function askNodes(config: ClusterConfig, roles: readonly NodeConfig['role'][], question: NodeQuestion): Promise<readonly NodeSaid[]> {
  return askThese(config, Object.values(config.nodes).filter(({ role }) => roles.includes(role)), question);
}

/** Asks these nodes of the configuration at once. @throws Failure as the first node that gave one */
export async function askThese(config: ClusterConfig, asked: readonly NodeConfig[], { path, body }: NodeQuestion): Promise<readonly NodeSaid[]> {
  const all = Object.values(config.nodes);
  return Promise.all(asked.map(async (node): Promise<NodeSaid> => {
    const port = node.nodes[node.nodeName]?.endpoints.admin;
    if (port === undefined) return { node: node.nodeName, complaint: 'has no admin listener' };
    const { toNode } = await readableTls(node, all);
    try {
      return { node: node.nodeName, answer: await callNode({ host: node.host, port, tls: toNode(node.nodeName), operator: userInfo().username }, { path, body, silenceMs }) };
    } catch (error) {
      if (isFailure(error, 'timed-out')) return { node: node.nodeName, complaint: `does not answer (${error.message})` };
      if (!isFailure(error, 'backend-unavailable')) throw error;
      return { node: node.nodeName, complaint: `does not answer${error.cause instanceof Error ? ` (${error.cause.message})` : ''}` };
    }
  }));
}

/** The certificate by which a node lets us ask: its own where it can be read, else that of another node of this machine. */
export async function readableTls(node: NodeConfig, all: readonly NodeConfig[]): Promise<NodeTls> {
  let firstCause: unknown;
  for (const candidate of [node, ...all.filter((other) => other !== node)]) {
    try {
      return await loadNodeTls(candidate);
    } catch (error) {
      if (!isFailure(error, 'bad-input')) throw error;
      firstCause ??= error;
    }
  }
  throw new Failure('backend-unavailable', `${node.nodeName} can't be asked without a node's certificate`, { cause: firstCause });
}
