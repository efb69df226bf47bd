/** From the text of a cluster configuration to the effective configuration of each node, or to all that is wrong with it. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { z } from 'zod';
import { activeListeners, checkNode } from './checks.ts';
import { parseYaml } from './document.ts';
import type { ParsedDocument } from './document.ts';
import { endpointsOf, relativeTo } from './effective.ts';
import type { NodeConfig, NodeEntry } from './effective.ts';
import { hasPath, isTree, mergeLayers, mergeTrees, originOf } from './layers.ts';
import type { Layer, Tree } from './layers.ts';
import { ConfigurationRefused, nearest } from './problem.ts';
import type { Problem } from './problem.ts';
import type { SourceVersion } from './publishing/source-version.ts';
import { frameSchema, parametersSchema, servicesOfRole } from './schema.ts';
import type { Frame, Parameters, Role } from './schema.ts';
import { knownKeys, parameterPaths, replaceFileNames } from './schema-walk.ts';

/** A document that passed all checks. */
export interface ClusterConfig {
  readonly clusterName: string;
  /** A digest of the document: equal texts, equal versions. */
  readonly version: string;
  readonly nodes: Readonly<Record<string, NodeConfig>>;
}

/** A problem that is still to be given its line; `at` says what of the path is to blame. */
interface Finding extends Problem {
  readonly at: 'key' | 'value';
}

/** What a text has besides itself. */
export interface Belongings {
  /** How problems name it; the file when absent. */
  readonly label?: string;
  /** Parameters below all of its layers, with absolute file names. */
  readonly base?: Tree;
}

interface Checked {
  readonly text: string;
  readonly file: string;
  readonly base: string;
  readonly config: ClusterConfig;
}

/** The version in use and the one before or to come: a node that starts asks for the same one eight times, who watches a publication with every look. */
const mostKept = 2;
let kept: readonly Checked[] = [];

/** A version from any source, checked. @throws ConfigurationRefused */
export function parseVersion(version: Omit<SourceVersion, 'number'>): ClusterConfig {
  const { text, file } = version;
  const base = JSON.stringify(version.base);
  const known = kept.find((one) => one.text === text && one.file === file && one.base === base);
  const config = known?.config ?? parseConfig(text, file, version);
  if (known === undefined) kept = [{ text, file, base, config }, ...kept].slice(0, mostKept);
  return config;
}

/**
 * Checks the text of a configuration; relative file names in it count from the folder of `file`.
 * @throws ConfigurationRefused with every problem found.
 */
export function parseConfig(text: string, file: string, { label = file, base = {} }: Belongings = {}): ClusterConfig {
  const document = parseYaml(text);
  if (!('locate' in document)) throw new ConfigurationRefused(label, document);
  const frame = frameSchema.safeParse(document.value, { reportInput: false });
  if (!frame.success) throw refused(label, document, findings(frame.error, frameSchema, (path) => path));
  const checked = checkParameters(frame.data, base);
  const found = [...checked.found, ...checkPorts(checked.nodes), ...checkKeepers(frame.data, checked.nodes)];
  if (found.length > 0) throw refused(label, document, found);
  return assemble({ text, file, frame: frame.data, nodes: checked.nodes });
}

function refused(file: string, document: ParsedDocument, found: readonly Finding[]): ConfigurationRefused {
  const located = found.map(({ at, ...problem }) => document.locate(problem, at));
  const distinct = new Map(located.map((problem) => [JSON.stringify([problem.path.map(String), problem.text]), problem]));
  return new ConfigurationRefused(file, [...distinct.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)));
}

/**
 * Where in a text a parameter of a node, as `administration.administrators[0]`, comes from: the uppermost layer that has it.
 * Undefined for a text that can't be taken apart, a node that it doesn't have, or a parameter that no layer has.
 */
export function placeOfParameter(text: string, node: string, path: readonly (string | number)[]): Problem | undefined {
  const document = parseYaml(text);
  const frame = 'locate' in document ? frameSchema.safeParse(document.value).data : undefined;
  const role = frame !== undefined && Object.hasOwn(frame.nodes, node) ? frame.nodes[node]?.role : undefined;
  if (!('locate' in document) || frame === undefined || role === undefined) return undefined;
  const layers = layersOf(frame, role, node);
  if (!layers.some(({ parameters }) => hasPath(parameters, path))) return undefined;
  return document.locate({ path: originOf(layers, path), text: '' }, 'key');
}

interface CheckedNode {
  readonly name: string;
  readonly role: Role;
  readonly host: string;
  readonly layers: readonly Layer[];
  readonly parameters: Parameters;
}

/** The layers of one node, lowest first; `name` and `role`, `host` are not parameters. */
function layersOf(frame: Frame, role: Role, nodeName?: string): readonly Layer[] {
  const { name: _clusterName, ...cluster } = frame.cluster;
  const ofRole = role === 'frontend' ? 'frontends' : 'backends';
  const common: readonly Layer[] = [{ path: ['cluster'], parameters: cluster }, { path: [ofRole], parameters: frame[ofRole] }];
  const node = nodeName === undefined ? undefined : frame.nodes[nodeName];
  if (node === undefined || nodeName === undefined) return common;
  const { role: _role, host: _host, ...parameters } = node;
  return [...common, { path: ['nodes', nodeName], parameters }];
}

/** Checks what results for each node. A layer that no node uses is checked too, so that no error waits in it. */
function checkParameters(frame: Frame, base: Tree): { readonly nodes: readonly CheckedNode[]; readonly found: readonly Finding[] } {
  const found: Finding[] = [];
  const nodes: CheckedNode[] = [];
  for (const [name, { role, host }] of Object.entries(frame.nodes)) {
    const layers = layersOf(frame, role, name);
    found.push(...misplacedServices(layers, role));
    const result = parametersSchema.safeParse(mergeTrees(base, mergeLayers(layers)), { reportInput: false });
    const origin = (path: readonly PropertyKey[]): readonly PropertyKey[] => originOf(layers, path);
    if (!result.success) found.push(...findings(result.error, parametersSchema, origin));
    else {
      found.push(...checkNode(result.data, role).map((problem): Finding => ({ ...problem, path: origin(problem.path), at: 'value' })));
      nodes.push({ name, role, host, layers, parameters: result.data });
    }
  }
  for (const role of ['frontend', 'backend'] as const) {
    if (Object.values(frame.nodes).some((node) => node.role === role)) continue;
    const layers = layersOf(frame, role);
    const result = parametersSchema.safeParse(mergeTrees(base, mergeLayers(layers)), { reportInput: false });
    if (!result.success) found.push(...findings(result.error, parametersSchema, (path) => originOf(layers, path)));
  }
  return { nodes, found };
}

/** Services of back-ends under `frontends` or at a front-end, and the other way round: they would have no effect. */
function misplacedServices(layers: readonly Layer[], role: Role): readonly Finding[] {
  const otherRole = role === 'frontend' ? 'backend' : 'frontend';
  return layers.slice(1).flatMap(({ path, parameters }): readonly Finding[] => {
    const services = parameters['services'];
    if (!isTree(services)) return [];
    return Object.keys(services)
      .filter((name) => servicesOfRole[otherRole].includes(name))
      .map((name) => ({ path: [...path, 'services', name], text: `is a service of ${otherRole}s only`, at: 'key' }));
  });
}

/** Turns what zod says into findings at the place in the document that caused it. */
function findings(error: z.ZodError, schema: z.ZodType, origin: (path: readonly PropertyKey[]) => readonly PropertyKey[]): readonly Finding[] {
  return error.issues.flatMap((issue): readonly Finding[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: origin([...issue.path, key]), text: unknownKeyText(schema, issue.path, key), at: 'key' }));
    }
    const missing = issue.code === 'invalid_type' && /received undefined/.test(issue.message);
    return [{ path: origin(issue.path), text: missing ? 'is missing' : lowerFirst(issue.message), at: 'value' }];
  });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Names the nearest key known at this place, or the place where this very key is known. */
function unknownKeyText(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const known = knownKeys(schema, path);
  const elsewhere = parameterPaths(parametersSchema).filter((other) => other.split('.').at(-1) === key);
  const near = nearest(key, known);
  const suggestion = near === undefined ? '' : `; the nearest known one is "${near}"`;
  const place = elsewhere.length === 0 ? '' : `; "${elsewhere[0] ?? ''}" is a parameter${elsewhere.length > 1 ? ' (and others of that name)' : ''}`;
  return `unknown key "${key}"${suggestion}${place}`;
}

/** Two nodes on one host can't listen at the same address. */
function checkPorts(nodes: readonly CheckedNode[]): readonly Finding[] {
  const usedBy = new Map<string, string>();
  return nodes.flatMap((node) =>
    activeListeners(node.parameters.services, node.role).flatMap(({ path, listener }): readonly Finding[] => {
      const key = `${node.host} ${listener.address}`;
      const other = usedBy.get(key);
      usedBy.set(key, other ?? node.name);
      if (other === undefined || other === node.name) return [];
      return [{ path: originOf(node.layers, [...path, 'address']), text: `${listener.address} is used by ${other} too, on the same host`, at: 'value' }];
    }),
  );
}

/** The nodes that keep the authority's key, that order certificates, and that mail the daily report, are back-ends. */
function checkKeepers(frame: Frame, nodes: readonly CheckedNode[]): readonly Finding[] {
  return nodes.flatMap(({ parameters: { tls, reporting }, layers }): readonly Finding[] => {
    const named = [[['tls', 'authorityKey'], tls.authorityKey?.node], [['tls', 'acme'], tls.acme?.node], [['reporting', 'dailyReport'], reporting.dailyReport.node]] as const;
    return named.flatMap(([path, keeper]): readonly Finding[] => {
      if (keeper === undefined || frame.nodes[keeper]?.role === 'backend') return [];
      return [{ path: originOf(layers, [...path, 'node']), text: `no back-end is named "${keeper}"`, at: 'value' }];
    });
  });
}

function assemble(parts: { readonly text: string; readonly file: string; readonly frame: Frame; readonly nodes: readonly CheckedNode[] }): ClusterConfig {
  const version = createHash('sha256').update(parts.text).digest('hex').slice(0, 16);
  const clusterName = parts.frame.cluster.name;
  const replace = relativeTo(parts.file);
  const entries = parts.nodes.map(({ name, role, host, parameters }): readonly [string, NodeEntry] => [name, { name, role, host, endpoints: endpointsOf(parameters.services) }]);
  const known = Object.fromEntries(entries);
  const configs = parts.nodes.map(({ name, role, host, parameters }): readonly [string, NodeConfig] => {
    // Replacing file names keeps the shape, so the result is what the schema made.
    const absolute = replaceFileNames(parametersSchema, parameters, replace) as Parameters;
    return [name, { ...absolute, serverName: absolute.serverName ?? (isIP(host) === 0 ? host : absolute.primaryDomain), clusterName, nodeName: name, role, host, nodes: known, version }];
  });
  return { clusterName, version, nodes: Object.fromEntries(configs) };
}

/** The configuration of one node. @throws ConfigurationRefused when the document has no node of this name. */
export function configOfNode(config: ClusterConfig, nodeName: string, source: string): NodeConfig {
  const node = Object.hasOwn(config.nodes, nodeName) ? config.nodes[nodeName] : undefined;
  if (node !== undefined) return node;
  const known = Object.keys(config.nodes);
  throw new ConfigurationRefused(source, [{ path: ['nodes'], text: `has no node "${nodeName}"; there are: ${known.join(', ')}` }]);
}

