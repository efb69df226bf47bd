/** `waybill config status`: which node runs which version since when, who refuses and why, who is away. */
import { parseVersion } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import { ConfigurationRefused } from '../problem.ts';
import { parseIfReadable, withPublication } from '../publishing/config-home.ts';
import type { ConfigHome } from '../publishing/config-home.ts';
import type { Publication } from '../publishing/publication.ts';
import { digestOf } from '../publishing/published.ts';
import type { SourceVersion } from '../publishing/source-version.ts';
import { standingsOf } from '../publishing/standings.ts';
import type { Standing, Target } from '../publishing/standings.ts';
import { askThese } from './ask-nodes.ts';
import { openHome } from './config-home.ts';
import { readVersion } from './load-config.ts';
import { table } from './table.ts';

/** Asks every node of the configuration. */
export async function standings(config: ClusterConfig, target: Target): Promise<readonly Standing[]> {
  return standingsOf(await askThese(config, Object.values(config.nodes), { path: '/configuration/state' }), config.nodes, target);
}

/** One row for each node. */
export function standingsTable(all: readonly Standing[]): string {
  const rows = all.map((one) => {
    if (one.kind === 'away') return [one.node, one.role, 'away', '', '', one.why];
    const { running, taking, refused, restartFor, directory } = one.state;
    const notes = [
      ...(taking === undefined ? [] : [`its workers start with ${taking.number === undefined ? taking.version : `version ${String(taking.number)}`} since ${taking.since}`]),
      ...(refused === undefined ? [] : [`refuses ${refused.number === undefined ? 'the file' : `version ${String(refused.number)}`}: ${refused.why.split('\n').join('; ')}`]),
      ...(restartFor.length === 0 ? [] : [`needs a restart for ${restartFor.join(', ')}`]),
      ...(directory === undefined ? [] : [directory]),
    ];
    return [one.node, one.role, one.kind, running.number === undefined ? running.version : String(running.number), running.since, notes.join('; ')];
  });
  return table([['NODE', 'ROLE', 'STATE', 'VERSION', 'SINCE', 'REMARK'], ...rows]);
}

export interface StatusText {
  readonly text: string;
  /** 0 when every node runs the version. */
  readonly exitCode: number;
}

/** @throws ConfigurationRefused, Failure('directory-unavailable') where neither the directory nor a kept copy says what the nodes are */
export async function configStatus(options: { readonly config: string; readonly json?: boolean }): Promise<StatusText> {
  const version = await readVersion(options.config);
  const { config, target, title } = await overview(options.config, version);
  const all = await standings(config, target);
  const exitCode = all.every(({ kind }) => kind === 'runs') ? 0 : 1;
  if (options.json === true) return { text: JSON.stringify({ ...target, nodes: all }, null, 2), exitCode };
  return { text: `${title}\n${standingsTable(all)}`, exitCode };
}

interface Overview {
  /** Says which nodes there are. */
  readonly config: ClusterConfig;
  readonly target: Target;
  readonly title: string;
}

/** A published version that can't be read says nothing of its nodes: the newest one before it that can does. */
async function overview(file: string, version: SourceVersion): Promise<Overview> {
  const { number, text } = version;
  try {
    const config = parseVersion(version);
    const target = { number, version: config.version };
    return { config, target, title: number === undefined ? `the file: version ${config.version}` : `published: version ${String(number)} (${config.version})` };
  } catch (error) {
    if (!(error instanceof ConfigurationRefused) || number === undefined) throw error;
    const home = await openHome(file);
    const config = await withPublication(home, async (publication) => newestReadable(home, publication, number));
    if (config === undefined) throw error;
    const digest = digestOf(text).slice(0, 16);
    return { config, target: { number, version: digest }, title: `published: version ${String(number)} (${digest}), which is bad:\n${error.message}` };
  }
}

async function newestReadable(home: ConfigHome, publication: Publication, below: number): Promise<ClusterConfig | undefined> {
  for (const { number } of await publication.history()) {
    const config = number < below ? parseIfReadable(home, await publication.version(number)) : undefined;
    if (config !== undefined) return config;
  }
  return undefined;
}
