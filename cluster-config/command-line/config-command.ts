/** `waybill config check|show|reference`: reads configurations without running anything. */
import { stringify } from 'yaml';
import { isFailure } from '../../shared/base/failure.ts';
import { readClientCertificates } from '../client-certificates.ts';
import { restartLines } from './config-home.ts';
import { loadConfig } from './load-config.ts';
import type { NodeConfig } from '../effective.ts';
import { jsonSchemaText, referencePage } from '../reference.ts';
import { configOfNode } from '../load.ts';
import { shownNode } from '../shown-node.ts';

export interface CheckOptions {
  readonly node?: string;
  /** The configuration in use (a file, or a bootstrap file): what would wait for a restart is told. */
  readonly against?: string;
}

/**
 * Says that a file is good, and what it describes; `warn` hears of what should be mended soon. Certificates are looked at as far as
 * they are on this machine, and must be there when it is said to be `node`.
 * @throws ConfigurationRefused with every problem, Failure('bad-input') for the first certificate that is no good
 */
export async function checkText(file: string, options: CheckOptions, warn: (text: string) => void): Promise<string> {
  const config = await loadConfig(file);
  const examined = options.node === undefined ? Object.values(config.nodes) : [configOfNode(config, options.node, file)];
  const warnings = await Promise.all(examined.map(async (node) => certificateWarnings(node, options.node === undefined ? 'elsewhere' : 'here')));
  for (const warning of new Set(warnings.flat())) warn(warning);
  const nodes = Object.values(config.nodes).map((node) => `${node.nodeName} (${node.role})`);
  const restarts = options.against === undefined ? [] : restartLines(await loadConfig(options.against), config);
  return [`${file} is good: cluster "${config.clusterName}", version ${config.version}, ${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')}`, ...restarts].join('\n');
}

/** @param place whether the files of that node are known to be on this machine */
async function certificateWarnings(node: NodeConfig, place: 'here' | 'elsewhere'): Promise<readonly string[]> {
  if (node.tls.certificate === undefined) return [];
  try {
    return (await readClientCertificates(node)).flatMap(({ warnings }) => warnings);
  } catch (error) {
    const absent = isFailure(error, 'bad-input') && error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ENOENT';
    if (absent && place === 'elsewhere') return [`${error.message} (run the check with --node on the node itself)`];
    throw error;
  }
}

export interface ShowOptions {
  readonly node?: string;
  readonly json?: boolean;
}

/**
 * What each node, or the one named, is started with: all layers laid over one another, defaults filled in. Secrets are
 * shown as the place where they are read; they themselves are not read. @throws ConfigurationRefused
 */
export async function showText(file: string, options: ShowOptions): Promise<string> {
  const config = await loadConfig(file);
  const nodes = options.node === undefined ? Object.values(config.nodes) : [configOfNode(config, options.node, file)];
  const shown = Object.fromEntries(nodes.map((node) => [node.nodeName, shownNode(node)]));
  return options.json === true ? JSON.stringify(shown, null, 2) : stringify(shown).trimEnd();
}

/** The reference of all parameters, or the JSON Schema for editors. */
export function referenceText(options: { readonly jsonSchema?: boolean }): string {
  return options.jsonSchema === true ? jsonSchemaText() : referencePage();
}
