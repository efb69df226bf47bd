/** What the nodes of the cluster make of the configuration, and the restart of one for what waits for it. */
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { askSupervisor } from '../../shared/service/siblings.ts';
import type { NodeEntry } from '../effective.ts';
import { parseVersion } from '../load.ts';
import { ConfigurationRefused } from '../problem.ts';
import { headOf } from '../publishing/config-home.ts';
import { topics } from '../publishing/node-routes.ts';
import { nodeStateSchema } from '../publishing/node-state-schema.ts';
import { digestOf } from '../publishing/published.ts';
import { asSourceVersion } from '../publishing/source-version.ts';
import { standingsOf } from '../publishing/standings.ts';
import type { Target } from '../publishing/standings.ts';
import { entriesOf } from './configuration-ground.ts';
import type { ConfigurationGround } from './configuration-ground.ts';
import { publishingOperations } from './contract/publishing.ts';

export function statusHandlers(ground: ConfigurationGround): readonly Handled[] {
  return [
    handled(publishingOperations.configurationStatus, async () => {
      const { source, target, nodes, trouble } = await wantedOf(ground);
      const said = await ground.ask(Object.values(nodes), { path: '/configuration/state' });
      return {
        source, version: target.version, nodes: standingsOf(said, nodes, target).map((one) => ({ ...one })),
        ...(target.number === undefined ? {} : { number: target.number }), ...(trouble === undefined ? {} : { trouble }),
      };
    }),
    handled(publishingOperations.showNodeState, async () => nodeStateSchema.parse(await askSupervisor(ground.siblings, topics.state, {}))),
    handled(publishingOperations.restartNode, async ({ body }) => publishingOperations.restartNode.answer.parse(await askSupervisor(ground.siblings, topics.restart, body))),
  ];
}

interface WantedState {
  readonly source: 'file' | 'directory';
  readonly target: Target;
  readonly nodes: Readonly<Record<string, NodeEntry>>;
  readonly trouble?: string;
}

/** What nodes should run, and which there are: those of what is published, and those that this node knows. */
async function wantedOf(ground: ConfigurationGround): Promise<WantedState> {
  const { source, config: { version, nodes } } = ground;
  const asRun = { target: { number: source.number, version }, nodes };
  const home = await ground.home();
  if (home === undefined) return { source: 'file', ...asRun };
  const head = await headOf(home).catch((error: unknown) => {
    if (isFailure(error)) return error;
    throw error;
  });
  if (head instanceof Failure) return { source: 'directory', ...asRun, trouble: head.message };
  if (head === undefined) return { source: 'directory', ...asRun, trouble: 'nothing is published any more' };
  const target = { number: head.number, version: digestOf(head.text).slice(0, 16) };
  try {
    return { source: 'directory', target, nodes: { ...nodes, ...entriesOf(parseVersion(asSourceVersion(home.bootstrap, home.file, head))) } };
  } catch (error) {
    if (!(error instanceof ConfigurationRefused)) throw error;
    return { source: 'directory', target, nodes, trouble: `what is published is bad: ${error.message}` };
  }
}
