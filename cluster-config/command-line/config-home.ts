/** The published configuration as a command is pointed to it, and what the command says where it is not there. */
import { Failure } from '../../shared/base/failure.ts';
import type { ClusterConfig } from '../load.ts';
import { waitingNodes, withPublication } from '../publishing/config-home.ts';
import type { ConfigHome } from '../publishing/config-home.ts';
import type { Published } from '../publishing/published.ts';
import { readSourceFile } from '../publishing/source-file.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError when the file is a configuration itself, ConfigurationRefused */
export async function openHome(file: string): Promise<ConfigHome> {
  const { bootstrap } = await readSourceFile(file);
  if (bootstrap === undefined) throw new UsageError(`${file} is a configuration itself, and its nodes read it as a file; only a bootstrap file (source: directory) leads to a published one`);
  return { file, bootstrap, environment: process.env };
}

/** @throws UsageError when there is none of that number */
export async function versionOf(home: ConfigHome, number: number): Promise<Published> {
  const found = await withPublication(home, async (publication) => publication.version(number));
  if (found === undefined) throw new UsageError(`there is no version ${String(number)}; "config history" lists those that are kept`);
  return found;
}

/** One line for each node that would keep something until it is restarted. */
export function restartLines(before: ClusterConfig | undefined, after: ClusterConfig): readonly string[] {
  return waitingNodes(before, after).map(({ node, parameters }) => `${node}: ${parameters.join(', ')} only after "waybill node restart ${node}"`);
}

/** A version number that was typed. @throws UsageError */
export function readNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new UsageError(`${text} is no version number`);
}

/** @throws Failure('bad-input') */
export function requireHead(home: ConfigHome, head: Published | undefined): Published {
  if (head === undefined) throw new Failure('bad-input', `nothing is published at ${home.bootstrap.directory.entry}`);
  return head;
}
