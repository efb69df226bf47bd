/** The published configuration as commands and the admin API see it: the bootstrap file that leads to it, and how its texts are understood. */
import { isFailure } from '../../shared/base/failure.ts';
import { createLog } from '../../shared/log/log.ts';
import { parseYaml } from '../document.ts';
import { parseVersion } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import { ConfigurationRefused } from '../problem.ts';
import type { Bootstrap } from './bootstrap.ts';
import { inlineSecrets } from './inline-secrets.ts';
import { Publication } from './publication.ts';
import type { Surroundings } from './publication.ts';
import type { Published } from './published.ts';
import { frozenOf, restartNeeds } from './restart-needs.ts';
import { asSourceVersion } from './source-version.ts';

export interface ConfigHome {
  readonly file: string;
  readonly bootstrap: Bootstrap;
  /** Where secrets may be. */
  readonly environment: Surroundings['environment'];
}

/** Opens what is published, and closes it afterwards. @throws what `work` throws, Failure('bad-input') */
export async function withPublication<T>({ bootstrap, environment }: Omit<ConfigHome, 'file'>, work: (publication: Publication) => Promise<T>): Promise<T> {
  const publication = await Publication.open(bootstrap, { log: createLog({ node: bootstrap.node ?? 'command', level: 'silent' }), environment });
  try {
    return await work(publication);
  } finally {
    publication.close();
  }
}

/** @throws Failure('directory-unavailable') */
export async function headOf(home: ConfigHome): Promise<Published | undefined> {
  return withPublication(home, async (publication) => publication.head());
}

/** The checks of every node, and that no secret stands in it itself. @throws ConfigurationRefused with every problem */
export function parseForPublishing({ bootstrap, file }: ConfigHome, text: string, label: string): ClusterConfig {
  const document = parseYaml(text);
  if ('locate' in document) {
    const secrets = inlineSecrets(document.value).map((problem) => document.locate(problem, 'value'));
    if (secrets.length > 0) throw new ConfigurationRefused(label, secrets);
  }
  return parseVersion({ ...asSourceVersion(bootstrap, file, { number: 1, text }), label });
}

/** A version that this very program can't read is none to compare with. */
export function parseIfReadable({ bootstrap, file }: ConfigHome, published: Published | undefined): ClusterConfig | undefined {
  if (published === undefined) return undefined;
  try {
    return parseVersion(asSourceVersion(bootstrap, file, published));
  } catch (error) {
    if (error instanceof ConfigurationRefused || isFailure(error)) return undefined;
    throw error;
  }
}

/** A node that would keep some parameters until it is restarted. */
export interface WaitingNode {
  readonly node: string;
  readonly parameters: readonly string[];
}

export function waitingNodes(before: ClusterConfig | undefined, after: ClusterConfig): readonly WaitingNode[] {
  return Object.entries(after.nodes).flatMap(([node, next]) => {
    const present = before?.nodes[node];
    const parameters = present === undefined ? [] : restartNeeds(frozenOf(present), next);
    return parameters.length === 0 ? [] : [{ node, parameters }];
  });
}
