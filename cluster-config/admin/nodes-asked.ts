/** Asks something of several nodes at once, for who asked any node. */
import { isFailure } from '../../shared/base/failure.ts';
import type { Asking, Call } from '../../shared/admin-api/operation.ts';
import type { NodeConfig } from '../effective.ts';

export interface NodesSaid<T> {
  readonly answers: readonly { readonly node: string; readonly answer: T }[];
  readonly silent: { node: string; reason: string }[];
}

interface Question<T> {
  /** Of one node's operation. */
  readonly path: (node: string) => string;
  readonly request?: Asking;
  readonly read: (answer: unknown) => T;
}

export async function askFrontends<T>(config: Pick<NodeConfig, 'nodes'>, call: Pick<Call, 'ask'>, question: Question<T>): Promise<NodesSaid<T>> {
  return askEach(Object.values(config.nodes).filter(({ role }) => role === 'frontend').map(({ name }) => name), call, question);
}

/** One operation of each. Refusals are thrown, as the first node's; silence is told. */
export async function askEach<T>(nodes: readonly string[], { ask }: Pick<Call, 'ask'>, { path, request, read }: Question<T>): Promise<NodesSaid<T>> {
  return fromEach(nodes, async (node) => read(await ask(node, path(node), request)));
}

/** Whatever is to be had of each, in the same way. */
export async function fromEach<T>(nodes: readonly string[], have: (node: string) => Promise<T>): Promise<NodesSaid<T>> {
  const said = await Promise.all(nodes.map(async (node): Promise<{ readonly node: string; readonly answer: T } | { readonly node: string; readonly reason: string }> => {
    try {
      return { node, answer: await have(node) };
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
      return { node, reason: error.message };
    }
  }));
  return {
    answers: said.filter((one) => 'answer' in one),
    silent: said.flatMap((one) => ('reason' in one ? [one] : [])),
  };
}
