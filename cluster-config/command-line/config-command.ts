/** `waybill config check|show|reference`: reads configurations without running anything. */
import { stringify } from 'yaml';
import { loadConfig } from '../load.ts';
import type { NodeConfig } from '../effective.ts';
import { jsonSchemaText, referencePage } from '../reference.ts';
import { configOfNode } from '../load.ts';

/** Says that a file is good, and what it describes. @throws ConfigurationRefused with every problem */
export async function checkText(file: string): Promise<string> {
  const config = await loadConfig(file);
  const nodes = Object.values(config.nodes).map((node) => `${node.nodeName} (${node.role})`);
  return `${file} is good: cluster "${config.clusterName}", version ${config.version}, ${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')}`;
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

/** Without what is the same for all nodes and not a parameter. */
function shownNode({ nodes: _nodes, clusterName: _clusterName, nodeName: _nodeName, version: _version, ...parameters }: NodeConfig): object {
  return parameters;
}

/** The reference of all parameters, or the JSON Schema for editors. */
export function referenceText(options: { readonly jsonSchema?: boolean }): string {
  return options.jsonSchema === true ? jsonSchemaText() : referencePage();
}
