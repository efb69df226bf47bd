/** Wiring of a back-end's worker: from the node's configuration to running services. The only file that knows all rooms. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { nodeOfMailHost } from '../cluster-config/effective.ts';
import { openDirectoryAccess } from '../cluster-config/directory-access.ts';
import { adminListeners, hostAndPortOf } from '../cluster-config/listeners.ts';
import { loadNodeTls } from '../cluster-config/node-tls.ts';
import type { NodeTls } from '../cluster-config/node-tls.ts';
import type { NodeContext } from '../cluster-config/run-node.ts';
import { startAdmin } from '../shared/admin/admin-server.ts';
import type { AdminTarget } from '../shared/admin/admin-client.ts';
import type { Service } from '../shared/service/service.ts';
import type { NodeServices } from '../shared/service/worker.ts';
import { createAccounts } from './accounts/accounts.ts';
import type { Accounts } from './accounts/accounts.ts';
import { accountRoute, askHolders } from './accounts/holders.ts';
import { startImap } from './imap/imap.ts';
import { startPop3 } from './pop3/pop3.ts';
import { openStorage } from './storage/storage.ts';
import type { Storage } from './storage/storage.ts';

/** How long a back-end waits before it answers a failed login; users come through front-ends, which slow guesses down themselves. */
const loginFailureDelayMs = 1000;

/** What all services of a back-end stand on. */
interface Ground {
  readonly context: NodeContext;
  readonly config: NodeConfig;
  readonly tls: NodeTls;
  readonly storage: Storage;
  readonly accounts: Accounts;
}

/** Starts everything of one worker. @throws Failure or the system's error of the first thing that can't be had. */
export async function startBackend(context: NodeContext): Promise<NodeServices> {
  const { config, log, slot, hints } = context;
  const directory = await openDirectoryAccess(config, context);
  const tls = await loadNodeTls(config);
  const storage = await openStorage({
    directories: config.storage.directories,
    clusterName: config.clusterName,
    nodeName: config.nodeName,
    hints, log,
    workerSlot: slot,
    reserveBytes: config.storage.reserveMegabytes * 1024 * 1024,
    quota: { bytes: config.storage.quota.maxKilobytes * 1024, messages: config.storage.quota.maxMessages },
  });
  const accounts = createAccounts({
    storage, log,
    maps: directory.maps,
    nodeName: config.nodeName,
    primaryDomain: config.primaryDomain,
    nodeOf: (mailHost) => nodeOfMailHost(config.nodes, mailHost),
    holders: async (address) => askHolders(otherBackends(config, tls), address),
  });
  const ground: Ground = { context, config, tls, storage, accounts };
  const services = await Promise.all([...imapServices(ground), ...pop3Services(ground), ...adminServices(ground)]);
  return {
    log,
    services,
    onAppointed: async () => Promise.resolve([]),
    close: async () => {
      await storage.close();
      directory.close();
    },
  };
}

/** The admin APIs of the other back-ends. */
function otherBackends(config: NodeConfig, tls: NodeTls): Readonly<Record<string, AdminTarget>> {
  return Object.fromEntries(
    Object.values(config.nodes).flatMap(({ name, role, host, endpoints }): [string, AdminTarget][] =>
      role !== 'backend' || name === config.nodeName || endpoints.admin === undefined ? [] : [[name, { host, port: endpoints.admin, tls: tls.toNode(name) }]],
    ),
  );
}

function imapServices(ground: Ground): Promise<Service>[] {
  const { config, tls, storage, accounts, context } = ground;
  const service = config.services.imap;
  return byAudience(service, tls).map(async ({ listeners, serverTls }) =>
    startImap({
      listeners: listeners.map((listener) => ({ ...mailListener(listener), trusted: listener.trusted ? 'yes' : 'no' })),
      serverTls, accounts, storage,
      hints: context.hints,
      log: context.log,
      isTrustedNode: tls.isTrustedNode,
      limits: {
        maxConnections: service.maxConnections,
        maxErrors: service.maxErrors,
        maxAuthErrors: service.maxAuthErrors,
        loginFailureDelayMs,
        loginTimeoutMs: service.loginTimeoutSeconds * 1000,
        idleTimeoutMs: service.idleTimeoutSeconds * 1000,
        maxMessageBytes: service.maxMessageKilobytes * 1024,
      },
    }));
}

function pop3Services(ground: Ground): Promise<Service>[] {
  const { config, tls, accounts, context } = ground;
  const service = config.services.pop3;
  return byAudience(service, tls).map(async ({ listeners, serverTls }) =>
    startPop3({
      listeners: listeners.map((listener) => ({ ...mailListener(listener), trusted: listener.trusted ? 'yes' : 'no' })),
      serverTls, accounts,
      log: context.log,
      isTrustedNode: tls.isTrustedNode,
      limits: {
        maxConnections: service.maxConnections,
        maxErrors: service.maxErrors,
        maxAuthErrors: service.maxAuthErrors,
        loginFailureDelayMs,
        loginTimeoutMs: service.loginTimeoutSeconds * 1000,
        idleTimeoutMs: service.idleTimeoutSeconds * 1000,
      },
    }));
}

function adminServices({ config, tls, storage, context }: Ground): Promise<Service>[] {
  const routes = [
    { prefix: '/healthz', allow: 'loopback', answer: async () => Promise.resolve({ status: 200, body: { ok: true } }) } as const,
    accountRoute(storage),
  ];
  return adminListeners(config).map(async (at) => startAdmin({ ...at, serverTls: tls.forNodes, isTrustedNode: tls.isTrustedNode, routes, log: context.log }));
}

/** Listeners for nodes show the node's certificate, all others the one for clients: one service for each kind, if enabled. */
function byAudience<Listener extends { readonly trusted: boolean }>(
  service: { readonly enable: boolean; readonly listeners: readonly Listener[] },
  tls: NodeTls,
): { readonly listeners: readonly Listener[]; readonly serverTls: NodeTls['forNodes'] }[] {
  if (!service.enable) return [];
  return [
    { listeners: service.listeners.filter(({ trusted }) => trusted), serverTls: tls.forNodes },
    { listeners: service.listeners.filter(({ trusted }) => !trusted), serverTls: tls.forClients },
  ].filter(({ listeners }) => listeners.length > 0);
}

function mailListener(listener: { readonly address: string; readonly tls: 'implicit' | 'starttls' | 'none' }): { readonly host: string; readonly port: number; readonly tls: 'implicit' | 'starttls' } {
  return { ...hostAndPortOf(listener), tls: listener.tls === 'implicit' ? 'implicit' : 'starttls' };
}
