/** The configuration as a node runs it, the text that is in use, and the check of a text that is to replace it. */
import { effectiveCapabilities } from '../../shared/admin-api/capability.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { NodeConfig } from '../effective.ts';
import { placeOfParameter } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import { ConfigurationRefused, pathText } from '../problem.ts';
import { headOf, waitingNodes } from '../publishing/config-home.ts';
import type { ConfigHome } from '../publishing/config-home.ts';
import { parsePlace } from '../publishing/draft.ts';
import { digestOf } from '../publishing/published.ts';
import { shownNode } from '../shown-node.ts';
import type { ConfigurationGround } from './configuration-ground.ts';
import { configurationOperations } from './contract/configuration.ts';

export function configurationHandlers(ground: ConfigurationGround): readonly Handled[] {
  const { config, source } = ground;
  return [
    handled(configurationOperations.showConfiguration, async () => Promise.resolve({ version: config.version, parameters: { ...shownNode(config) } })),
    handled(configurationOperations.readConfiguration, async () => {
      const home = await ground.home();
      if (home === undefined) {
        return {
          source: 'file' as const, node: config.nodeName, file: source.file, number: 0, digest: digestOf(source.text), text: source.text,
          readOnly: 'The nodes of this cluster read their configuration from a file. It is changed on each machine, and can\'t be changed from here.',
        };
      }
      const head = await headOf(home);
      if (head === undefined) throw new Failure('bad-input', `nothing is published at ${home.bootstrap.directory.entry} any more; the nodes go on with what they run`);
      const reason = await whyReadOnly(ground, home);
      return { source: 'directory' as const, node: config.nodeName, ...head, ...(reason === undefined ? {} : { readOnly: reason }) };
    }),
    handled(configurationOperations.checkConfiguration, async ({ body, caller }) => {
      try {
        const next = await ground.parse(body.text);
        const nodes = Object.values(next.nodes).map(({ nodeName, role }) => ({ name: nodeName, role }));
        return { good: true, version: next.version, problems: [], nodes, restarts: restartsOf(ground.running, next), warnings: warningsOf(config, next, caller) };
      } catch (error) {
        if (!(error instanceof ConfigurationRefused)) throw error;
        return { good: false, problems: error.problems.map(({ path, ...rest }) => ({ ...rest, path: pathText(path) })), restarts: [], warnings: [] };
      }
    }),
    handled(configurationOperations.locateParameter, async ({ body: { text, node, path } }) => {
      const place = placeOfParameter(text, node, parsePlace(path));
      if (place?.line === undefined) throw new ApiRefusal(404, 'no-such-thing', { text: `no layer of the document gives ${node} a parameter ${path}` });
      return Promise.resolve({ path: pathText(place.path), line: place.line, column: place.column ?? 1 });
    }),
  ];
}

/** As answers have them. */
export function restartsOf(before: ClusterConfig | undefined, after: ClusterConfig): { node: string; parameters: string[] }[] {
  return waitingNodes(before, after).map(({ node, parameters }) => ({ node, parameters: [...parameters] }));
}

async function whyReadOnly(ground: ConfigurationGround, { bootstrap }: ConfigHome): Promise<string | undefined> {
  if (bootstrap.directory.write !== undefined || (await ground.publishers()).length > 0) return undefined;
  return 'No node that answers can publish: directory.write stands in none of their bootstrap files. "waybill config publish" can, where it does.';
}

/** What whoever publishes it may not have meant. */
function warningsOf(present: NodeConfig, next: ClusterConfig, { who }: Caller): string[] {
  const gone = Object.keys(present.nodes).filter((name) => !Object.hasOwn(next.nodes, name));
  const leaving = gone.map((name) => `${name} is not in it any more: while it still runs it refuses this version, and goes on with the one before.`);
  if (who.kind === 'node') return leaving;
  const { name } = who.administrator;
  const without = Object.values(next.nodes).filter((node) => !mayConfigure(node, name)).map(({ nodeName }) => nodeName);
  return [...leaving, ...(without.length === 0 ? [] : [`You (${name}) could not change the configuration any more at ${without.join(', ')}.`])];
}

function mayConfigure({ administration: { administrators, groups } }: NodeConfig, name: string): boolean {
  const one = administrators.find((each) => each.name === name);
  return one !== undefined && effectiveCapabilities([one, ...groups.filter((group) => one.groups.includes(group.name))], one.domains).has('manageConfig');
}
