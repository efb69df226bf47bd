/** What the operations on the configuration stand on at a node: the text that it runs, where that is from, and how the other nodes are asked. */
import { callNode } from '../../shared/admin/admin-call.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import type { NodeConfig, NodeEntry } from '../effective.ts';
import { parseVersion } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import type { NodeQuestion, NodeSaid } from '../node-said.ts';
import type { NodeTls } from '../node-tls.ts';
import { parseForPublishing } from '../publishing/config-home.ts';
import type { ConfigHome } from '../publishing/config-home.ts';
import { nodeStateSchema } from '../publishing/node-state-schema.ts';
import { readSourceFile } from '../publishing/source-file.ts';
import type { SourceVersion } from '../publishing/source-version.ts';
import type { NodeContext } from '../run-node.ts';

/** How a text that came with a request is named. */
const label = 'document';
const silenceMs = 5000;

export class ConfigurationGround {
  readonly config: NodeConfig;
  readonly source: SourceVersion;
  readonly siblings: Siblings;
  readonly #environment: NodeContext['environment'];
  readonly #tls: NodeTls;
  #home: Promise<ConfigHome | undefined> | undefined;
  #running: ClusterConfig | undefined;

  constructor({ config, source, siblings, environment }: Pick<NodeContext, 'config' | 'source' | 'siblings' | 'environment'>, tls: NodeTls) {
    this.config = config;
    this.source = source;
    this.siblings = siblings;
    this.#environment = environment;
    this.#tls = tls;
  }

  /** All of the version that this node runs. */
  get running(): ClusterConfig {
    this.#running ??= parseVersion(this.source);
    return this.#running;
  }

  /** Where versions are published; undefined where nodes read a file. @throws ConfigurationRefused when the bootstrap file was damaged */
  async home(): Promise<ConfigHome | undefined> {
    const { file, number } = this.source;
    if (number === undefined) return undefined;
    this.#home ??= readSourceFile(file).then(({ bootstrap }) => (bootstrap === undefined ? undefined : { file, bootstrap, environment: this.#environment }));
    return this.#home;
  }

  /** @throws ApiRefusal where nodes read a file */
  async publishedHome(): Promise<ConfigHome> {
    const home = await this.home();
    if (home !== undefined) return home;
    throw new ApiRefusal(422, 'not-published', {
      text: `the nodes of this cluster read their configuration from a file (${this.config.nodeName}: ${this.source.file}), and no versions of it are kept`,
      advice: 'Change the file on each machine; or publish the configuration through the directory: docs/configuration.md.',
    });
  }

  /** The checks that a text has to pass before nodes take it. @throws ConfigurationRefused with every problem */
  async parse(text: string): Promise<ClusterConfig> {
    const home = await this.home();
    return home === undefined ? parseVersion({ ...this.source, text, label }) : parseForPublishing(home, text, label);
  }

  /** The same question to each of these nodes, with this node's certificate. @throws Failure as the first node that gave one */
  async ask(nodes: readonly NodeEntry[], { path, body }: NodeQuestion): Promise<readonly NodeSaid[]> {
    return Promise.all(nodes.map(async ({ name, host, endpoints: { admin: port } }): Promise<NodeSaid> => {
      if (port === undefined) return { node: name, complaint: 'has no admin listener' };
      try {
        return { node: name, answer: await callNode({ host, port, tls: this.#tls.toNode(name) }, { path, body, silenceMs }) };
      } catch (error) {
        if (!isFailure(error, 'backend-unavailable')) throw error;
        return { node: name, complaint: 'does not answer' };
      }
    }));
  }

  /** Other nodes that say they can publish: where a node can't, it passes the wish on. */
  async publishers(): Promise<readonly string[]> {
    const { nodes, nodeName } = this.config;
    const said = await this.ask(Object.values(nodes).filter(({ name }) => name !== nodeName), { path: '/configuration/state' });
    return said.flatMap((one) => ('answer' in one && nodeStateSchema.safeParse(one.answer).data?.publishes === true ? [one.node] : []));
  }
}

/** All nodes that a configuration names, by name. */
export function entriesOf({ nodes }: ClusterConfig): Readonly<Record<string, NodeEntry>> {
  return Object.values(nodes)[0]?.nodes ?? {};
}
