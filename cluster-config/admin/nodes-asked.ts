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

/** Refusals are thrown, as the first node's; silence is told. */
export async function askEach<T>(nodes: readonly string[], { ask }: Pick<Call, 'ask'>, question: Question<T>): Promise<NodesSaid<T>> {
  const said = await Promise.all(nodes.map(async (name): Promise<{ readonly node: string; readonly answer: T } | { readonly node: string; readonly reason: string }> => {
    try {
      return { node: name, answer: question.read(await ask(name, question.path(name), question.request)) };
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
      return { node: name, reason: error.message };
    }
  }));
  return {
    answers: said.filter((one) => 'answer' in one),
    silent: said.flatMap((one) => ('reason' in one ? [{ node: one.node, reason: one.reason }] : [])),
  };
}
