/** The cluster as a command on a node's machine sees it: the admin APIs of all nodes, asked with that node's certificate, and the directory. */
import { userInfo } from 'node:os';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { createLog } from '../../shared/log/log.ts';
import { openDirectoryAccess } from '../directory-access.ts';
import type { DirectoryAccess } from '../directory-access.ts';
import type { NodeConfig } from '../effective.ts';
import { configOfNode } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import { frontendTargets } from '../host-import.ts';
import type { HostImport } from '../host-import.ts';
import { loadConfig } from './load-config.ts';
import { overviewPath, overviewSchema } from '../map-findings.ts';
import type { Overview } from '../map-findings.ts';
import { loadNodeTls } from '../node-tls.ts';
import { UsageError } from './usage-error.ts';

export interface ClusterOptions {
  readonly config: string;
  /** Whose certificate and parameters are used; the first back-end's when absent. */
  readonly as?: string;
}

export interface ClusterView {
  readonly config: NodeConfig;
  /** All of its nodes. */
  readonly cluster: ClusterConfig;
  readonly directory: DirectoryAccess;
  /** Where front-ends are asked. */
  readonly frontends: HostImport['frontends'];
  /** Names of all back-ends. */
  readonly backends: readonly string[];
  /** @throws UsageError for a name that is no back-end with an admin API */
  target(backend: string): AdminTarget;
  /** The whole address; the primary domain is added when there is none. */
  complete(address: string): string;
}

const overviewMs = 30_000;

/** What a back-end holds. @throws Failure('backend-unavailable') */
export async function overviewAt(view: ClusterView, node: string): Promise<Overview> {
  return overviewSchema.parse(await callNode(view.target(node), { path: overviewPath, silenceMs: overviewMs }));
}

/** Runs `work` and closes what was opened for it. @throws ConfigurationRefused, Failure, UsageError */
export async function withCluster<T>(options: ClusterOptions, work: (view: ClusterView) => Promise<T>): Promise<T> {
  const loaded = await loadConfig(options.config);
  const names = Object.values(loaded.nodes).filter(({ role }) => role === 'backend').map(({ nodeName }) => nodeName).toSorted();
  const config = configOfNode(loaded, options.as ?? names[0] ?? '', options.config);
  const tls = await loadNodeTls(config);
  const directory = await openDirectoryAccess(config, { log: createLog({ node: config.nodeName, level: 'silent' }), environment: process.env });
  const at = (node: string): AdminTarget | undefined => {
    const { host, endpoints: { admin: port } } = config.nodes[node] ?? { host: '', endpoints: {} };
    return port === undefined ? undefined : { host, port, tls: tls.toNode(node), operator: userInfo().username };
  };
  const target = (backend: string): AdminTarget => {
    const found = names.includes(backend) ? at(backend) : undefined;
    if (found === undefined) throw new UsageError(`${backend} is no back-end of this cluster with an admin API; there are ${names.join(', ')}`);
    return found;
  };
  try {
    return await work({
      config, cluster: loaded, directory, frontends: frontendTargets(config, at), backends: names, target,
      complete: (address) => (address.includes('@') ? address : `${address}@${config.primaryDomain}`).toLowerCase(),
    });
  } finally {
    directory.close();
  }
}
