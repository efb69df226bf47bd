/** How a running node changes the cluster configuration for an administrator: where its own comes from, by the rules of publishing. */
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { fileEditor, publishedEditor } from '../configuration-editor.ts';
import type { ConfigurationEditor, NodesAsked } from '../configuration-editor.ts';
import { ConfigurationRefused } from '../problem.ts';
import type { NodeContext } from '../run-node.ts';

const silenceMs = 5000;

export function nodeEditor({ source, log, environment }: Pick<NodeContext, 'source' | 'log' | 'environment'>, targets: Readonly<Record<string, AdminTarget>>): ConfigurationEditor {
  const nodes = nodesAsked(targets);
  const editor = source.number === undefined ? fileEditor(source.file, nodes) : publishedEditor(source.file, nodes, { log, environment });
  return { read: async () => told(editor.read()), change: async (change, by) => told(editor.change(change, by)) };
}

/** What is wrong with a configuration stands in the refusal, too. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof ConfigurationRefused ? new Failure('bad-input', error.message, { cause: error }) : error;
  }
}

/** A node that is away is not asked: it finds out when it comes, and says so. */
function nodesAsked(targets: Readonly<Record<string, AdminTarget>>): NodesAsked {
  const all = Object.entries(targets);
  const asked = async (path: string, body: object): Promise<readonly (readonly [string, unknown])[]> => {
    const answers = await Promise.all(all.map(async ([node, target]): Promise<readonly (readonly [string, unknown])[]> => {
      try {
        return [[node, await callNode(target, { path, body, silenceMs })]];
      } catch (error) {
        if (isFailure(error)) return [];
        throw error;
      }
    }));
    return answers.flat();
  };
  return {
    check: async (text) => {
      const refusals = (await asked('/configuration/check', { text })).flatMap(([node, answer]) => {
        const { good, why } = answer as { readonly good?: unknown; readonly why?: unknown };
        return good === true ? [] : [`${node} can't read it: ${typeof why === 'string' ? why : ''}`];
      });
      if (refusals.length > 0) throw new Failure('bad-input', `nothing was published. ${refusals.join('; ')}`);
    },
    look: async () => void await asked('/configuration/look', {}),
  };
}
