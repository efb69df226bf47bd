/**
 * A whole cluster for tests: the demo's own folder, certificates and configuration, its nodes as real processes that a
 * test can kill and start one by one, and as directory the embedded one or Debian's slapd.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { demoDirectoryText } from '../../cluster-config/demo/directory-seed.ts';
import { furnishDataFolder } from '../../cluster-config/demo/data-folder.ts';
import { demoAdminDn, demoBaseDn, demoLayout, demoPassword } from '../../cluster-config/demo/layout.ts';
import type { DemoLayout } from '../../cluster-config/demo/layout.ts';
import { probePort } from '../../shared/net/probe-port.ts';
import { copyClusterTemplate } from './cluster-template.ts';
import { programFile } from './program-file.ts';
import { startSlapd } from './slapd.ts';
import type { Slapd, SlapdOptions } from './slapd.ts';

/** `own`: the test has its own, and names it in `changeConfig`. */
export type DirectoryKind = 'embedded' | 'slapd' | 'own';
export type NodeName = 'fe1' | 'fe2' | 'be1' | 'be2' | 'be3';

export const frontendNames = ['fe1', 'fe2'] as const;

export interface Cluster {
  readonly folder: string;
  readonly configFile: string;
  /** PEM file of the demo's own authority. */
  readonly authorityFile: string;
  readonly ldap: { readonly uri: string; readonly adminDn: string; readonly adminPassword: string };
  readonly password: string;
  /** The port of a service, by the demo's names: `imaps`, `smtp`, `submission`, `https` … */
  port(node: NodeName, service: string): number;
  /** The process that a running node's workers come from, or the embedded directory. */
  pid(node: NodeName | 'directory'): number;
  /** SIGKILL to all processes of a node at once. */
  kill(node: NodeName): Promise<void>;
  /** SIGTERM, and waits for the end; answers the exit code. */
  stopNode(node: NodeName): Promise<number | null>;
  /** Starts a node that was killed or stopped and waits until it is ready. */
  startNode(node: NodeName): Promise<void>;
  /** Stops, or starts again, the directory. */
  stopDirectory(): Promise<void>;
  startDirectory(): Promise<void>;
  /** What a node has logged so far. */
  log(node: NodeName | 'directory'): string;
  stop(): Promise<void>;
}

/** Apart by 2000, because the nodes of one cluster take base, +10000, +20000 and +21000; as no two ports of a node are 10 or 20 apart, there is room for others between. */
const portBases = [0, 10, 20].flatMap((between) => [2000, 4000, 6000, 8000, 10_000].map((base) => base + between));

export interface ClusterOptions {
  readonly directory?: DirectoryKind;
  /** Those that run; all when absent. */
  readonly nodes?: readonly NodeName[];
  /** Two when absent. */
  readonly backends?: 2 | 3;
  /** Further lines of slapd's configuration. */
  readonly slapd?: SlapdOptions['more'];
  /** May rewrite the YAML before anything starts. It is told the cluster's folder, too. */
  readonly changeConfig?: (yaml: string, folder: string) => string | Promise<string>;
  /** What to run instead of a node's command: that command inside another. It is told the cluster's folder, too. */
  readonly wrap?: Partial<Record<NodeName, (command: readonly string[], folder: string) => readonly string[]>>;
}

/** Starts all nodes. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const place = await takePortBase();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-cluster-'));
  const layout = demoLayout(folder, place.base, options.backends);
  copyClusterTemplate(layout);
  await furnishDataFolder(layout, () => undefined);
  const cluster = new RunningCluster(layout, options.wrap ?? {}, place.release);
  try {
    if (options.directory === 'slapd') await cluster.useSlapd(options.slapd);
    else if (options.directory !== 'own') await cluster.startDirectory();
    if (options.changeConfig !== undefined) fs.writeFileSync(layout.configFile, await options.changeConfig(fs.readFileSync(layout.configFile, 'utf8'), folder));
    await Promise.all((options.nodes ?? [...layout.backends, ...layout.frontends].map(({ name }) => name as NodeName)).map(async (node) => cluster.startNode(node)));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

class RunningCluster implements Cluster {
  readonly folder: string;
  readonly configFile: string;
  readonly authorityFile: string;
  readonly password = demoPassword;
  readonly #layout: DemoLayout;
  readonly #wrap: NonNullable<ClusterOptions['wrap']>;
  readonly #releasePorts: () => void;
  readonly #children = new Map<string, ChildProcess>();
  #stands: 'up' | 'torn down' = 'up';
  #slapd: Slapd | undefined;

  constructor(layout: DemoLayout, wrap: NonNullable<ClusterOptions['wrap']>, releasePorts: () => void) {
    this.#layout = layout;
    this.#wrap = wrap;
    this.#releasePorts = releasePorts;
    this.folder = layout.folder;
    this.configFile = layout.configFile;
    this.authorityFile = layout.files.authority.certificate;
  }

  get ldap(): Cluster['ldap'] {
    if (this.#slapd !== undefined) return { uri: this.#slapd.uri, adminDn: this.#slapd.adminDn, adminPassword: this.#slapd.adminPassword };
    return { uri: `ldap://127.0.0.1:${String(this.#layout.directory.ldap)}`, adminDn: demoAdminDn, adminPassword: demoPassword };
  }

  port(node: NodeName, service: string): number {
    const found = [...this.#layout.frontends, ...this.#layout.backends].find(({ name }) => name === node);
    const port = Object.entries(found?.ports ?? {}).find(([name]) => name === service)?.[1];
    if (port === undefined) throw new Error(`${node} has no service ${service}`);
    return port;
  }

  pid(node: NodeName | 'directory'): number {
    const pid = this.#children.get(node)?.pid;
    if (pid === undefined) throw new Error(`${node} is not running`);
    return pid;
  }

  async useSlapd(more: SlapdOptions['more']): Promise<void> {
    const reader = fs.readFileSync(this.#layout.files.readerPassword, 'utf8').trim();
    const { server, authority } = this.#layout.files;
    this.#slapd = await startSlapd({
      ldif: demoDirectoryText(reader, (password) => password).replace(/^version: 1\n+/, ''), // slapadd knows no version line
      tls: { certFile: server.certificate, keyFile: server.key, caFile: authority.certificate }, more,
    });
    const yaml = fs.readFileSync(this.configFile, 'utf8');
    const rewritten = yaml.replace(/uris: \[[^\]]*\]/, `uris: ["${this.#slapd.secureUri ?? ''}"]`);
    fs.writeFileSync(this.configFile, rewritten);
  }

  async startDirectory(): Promise<void> {
    if (this.#slapd !== undefined) return this.#slapd.resume();
    const { directory, files } = this.#layout;
    await this.#launch('directory', [
      'directory', '--file', directory.file, '--base', demoBaseDn,
      '--ldap', `127.0.0.1:${String(directory.ldap)}`, '--ldaps', `127.0.0.1:${String(directory.ldaps)}`,
      '--certificate', files.server.certificate, '--key', files.server.key,
      '--admin-dn', demoAdminDn, '--admin-password-file', files.adminPassword,
    ]);
  }

  async stopDirectory(): Promise<void> {
    if (this.#slapd !== undefined) await this.#slapd.halt();
    else await this.#end('directory', 'SIGKILL');
  }

  async startNode(node: NodeName): Promise<void> {
    await this.#launch(node, [node.startsWith('fe') ? 'frontend' : 'backend', '--config', this.configFile, '--node', node]);
  }

  async kill(node: NodeName): Promise<void> {
    await this.#end(node, 'SIGKILL');
  }

  async stopNode(node: NodeName): Promise<number | null> {
    return this.#end(node, 'SIGTERM');
  }

  log(node: NodeName | 'directory'): string {
    return fs.readFileSync(this.#layout.files.log(node), 'utf8');
  }

  async stop(): Promise<void> {
    this.#stands = 'torn down'; // whoever measures may be about to start a node again
    await Promise.all([...this.#children.keys()].map(async (name) => this.#end(name, 'SIGKILL')));
    await this.#slapd?.stop();
    this.#releasePorts();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  async #launch(name: NodeName | 'directory', words: readonly string[]): Promise<void> {
    if (this.#stands === 'torn down') throw new Error(`the cluster is no more: ${name} cannot be started`);
    const log = fs.openSync(this.#layout.files.log(name), 'a');
    const command = [process.execPath, '--disable-warning=DEP0060', programFile, ...words];
    const wrap = name === 'directory' ? undefined : this.#wrap[name];
    const [file = '', ...rest] = wrap?.(command, this.folder) ?? command;
    // A wrapped node runs as an operator would start it, without the compile cache of `npm test`.
    const { NODE_COMPILE_CACHE: cache, ...environment } = process.env;
    const env = wrap === undefined && cache !== undefined ? { ...environment, NODE_COMPILE_CACHE: cache } : environment;
    const child = spawn(file, rest, { stdio: ['ignore', log, log, 'ipc'], detached: true, env });
    fs.closeSync(log);
    this.#children.set(name, child);
    const over = once(child, 'exit').then(() => 'over');
    const ready = once(child, 'message').then(() => 'ready');
    if ((await Promise.race([over, ready])) !== 'ready') throw new Error(`${name} did not start:\n${this.log(name).slice(-3000)}`);
  }

  async #end(name: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#children.get(name);
    this.#children.delete(name);
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit');
    // The whole process group dies by SIGKILL; SIGTERM goes to the supervisor, which drains its workers.
    process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
    const [code] = (await exit) as [number | null];
    await endOfGroup(child.pid);
    return code;
  }
}

/** Workers may outlive the process that they come from by moments, and their listeners with them. */
async function endOfGroup(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    try {
      process.kill(-pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Finds a base that no other test uses now: whoever listens on the port below it has it. */
async function takePortBase(): Promise<{ readonly base: number; readonly release: () => void }> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    for (const base of portBases) {
      const lock = net.createServer();
      const got = await new Promise<boolean>((resolve) => {
        lock.once('error', () => resolve(false));
        lock.listen(base - 1, '127.0.0.1', () => resolve(true));
      });
      if (got && (await portsAreFree(base))) return { base, release: () => lock.close() };
      if (got) lock.close();
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('all port bases are in use');
}

/** Whether no node that somebody left behind listens at the ports of this base. */
async function portsAreFree(base: number): Promise<boolean> {
  const { frontends, backends, directory } = demoLayout('/', base);
  const ports = [...[...frontends, ...backends].flatMap((node) => Object.values(node.ports)), directory.ldap, directory.ldaps];
  const answers = await Promise.all(ports.map(async (port) => probePort('127.0.0.1', port)));
  return answers.every((answer) => answer === 'free');
}
