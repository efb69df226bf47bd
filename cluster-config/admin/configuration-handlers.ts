/** The configuration as a node runs it, and the check of a document that is to replace it. */
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { NodeConfig } from '../effective.ts';
import { parseConfig } from '../load.ts';
import { ConfigurationRefused, pathText } from '../problem.ts';
import { shownNode } from '../shown-node.ts';
import { configurationOperations } from './contract/configuration.ts';

export function configurationHandlers(config: NodeConfig): readonly Handled[] {
  return [
    handled(configurationOperations.showConfiguration, async () => Promise.resolve({ version: config.version, parameters: { ...shownNode(config) } })),
    handled(configurationOperations.checkConfiguration, async ({ body }) => {
      try {
        const { version, nodes } = parseConfig(body.text, 'document');
        return await Promise.resolve({ good: true, version, problems: [], nodes: Object.values(nodes).map(({ nodeName, role }) => ({ name: nodeName, role })) });
      } catch (error) {
        if (!(error instanceof ConfigurationRefused)) throw error;
        return { good: false, problems: error.problems.map(({ path, ...rest }) => ({ ...rest, path: pathText(path) })) };
      }
    }),
  ];
}
