/** The published configuration as a command sees it: the bootstrap file that leads to it, and what it says now. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { parseYaml } from '../document.ts';
import { parseVersion } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import { ConfigurationRefused } from '../problem.ts';
import type { Bootstrap } from '../publishing/bootstrap.ts';
import { inlineSecrets } from '../publishing/inline-secrets.ts';
import type { Published } from '../publishing/published.ts';
import { frozenOf, restartNeeds } from '../publishing/restart-needs.ts';
import { readSourceFile } from '../publishing/source-file.ts';
import { asSourceVersion } from '../publishing/source-version.ts';
import { withPublication } from './load-config.ts';
import { UsageError } from './usage-error.ts';

export interface ConfigHome {
  readonly file: string;
  readonly bootstrap: Bootstrap;
}

/** @throws UsageError when the file is a configuration itself, ConfigurationRefused */
export async function openHome(file: string): Promise<ConfigHome> {
  const { bootstrap } = await readSourceFile(file);
  if (bootstrap === undefined) throw new UsageError(`${file} is a configuration itself, and its nodes read it as a file; only a bootstrap file (source: directory) leads to a published one`);
  return { file, bootstrap };
}

/** @throws Failure('directory-unavailable') */
export async function headOf({ bootstrap }: ConfigHome): Promise<Published | undefined> {
  return withPublication(bootstrap, async (publication) => publication.head());
}

/** @throws UsageError when there is none of that number */
export async function versionOf({ bootstrap }: ConfigHome, number: number): Promise<Published> {
  const found = await withPublication(bootstrap, async (publication) => publication.version(number));
  if (found === undefined) throw new UsageError(`there is no version ${String(number)}; "config history" lists those that are kept`);
  return found;
}

/** @throws ConfigurationRefused */
export function parsePublished({ bootstrap, file }: ConfigHome, published: { readonly number: number; readonly text: string }): ClusterConfig {
  return parseVersion(asSourceVersion(bootstrap, file, published));
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

/** One line for each node that would keep something until it is restarted. */
export function restartLines(before: ClusterConfig | undefined, after: ClusterConfig): readonly string[] {
  return Object.entries(after.nodes).flatMap(([name, next]) => {
    const present = before?.nodes[name];
    const needs = present === undefined ? [] : restartNeeds(frozenOf(present), next);
    return needs.length === 0 ? [] : [`${name}: ${needs.join(', ')} only after "waybill node restart ${name}"`];
  });
}

/** A version number that was typed. @throws UsageError */
export function readNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new UsageError(`${text} is no version number`);
}

/** A version that this very program can't read is none to compare with. */
export function parseIfReadable(home: ConfigHome, published: Published | undefined): ClusterConfig | undefined {
  if (published === undefined) return undefined;
  try {
    return parsePublished(home, published);
  } catch (error) {
    if (error instanceof ConfigurationRefused || isFailure(error)) return undefined;
    throw error;
  }
}

/** @throws Failure('bad-input') */
export function requireHead(home: ConfigHome, head: Published | undefined): Published {
  if (head === undefined) throw new Failure('bad-input', `nothing is published at ${home.bootstrap.directory.entry}`);
  return head;
}
