/** Opens the admin API of a node: administrators, sessions, audit, and the handlers that front-ends and back-ends have in common. */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AdminSessions } from '../../shared/admin-api/admin-session.ts';
import { Api, apiPrefix } from '../../shared/admin-api/api-server.ts';
import type { Reach } from '../../shared/admin-api/api-server.ts';
import { openAuditLog } from '../../shared/admin-api/audit-log.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { routeActs } from '../../shared/admin-api/route-acts.ts';
import { SignIn } from '../../shared/admin-api/sign-in.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { ActLog, AdminPart, AdminRoute } from '../../shared/admin/admin-server.ts';
import type { Service } from '../../shared/service/service.ts';
import type { ServiceRack } from '../../shared/service/service-rack.ts';
import type { Health } from '../../shared/admin/health-routes.ts';
import type { NodeConfig } from '../effective.ts';
import type { NodeTls } from '../node-tls.ts';
import type { NodeContext } from '../run-node.ts';
import { readCookieSecret } from '../webmail-settings.ts';
import type { DirectoryAccess } from '../directory-access.ts';
import { ActKeeper } from './act-keeper.ts';
import type { KeepHere } from './act-keeper.ts';
import { accountHandlers } from './account-handlers.ts';
import { accountLifeHandlers } from './account-life-handlers.ts';
import { AdminNews } from './admin-news.ts';
import { administratorHandlers } from './administrator-handlers.ts';
import { domainHandlers } from './domain-handlers.ts';
import { groupHandlers } from './group-handlers.ts';
import { holderOf } from './holders.ts';
import { loadAdministrators } from './administrators.ts';
import { auditHandlers } from './audit-handlers.ts';
import { configurationHandlers } from './configuration-handlers.ts';
import { ConfigurationGround } from './configuration-ground.ts';
import { operations } from './contract/operations.ts';
import { doneRoutes } from './done-route.ts';
import { logHandlers } from './log-handlers.ts';
import { nodeEditor } from './node-editor.ts';
import { nodeHandlers } from './node-handlers.ts';
import { passwordHandlers } from './password-handlers.ts';
import { publishingHandlers } from './publishing-handlers.ts';
import { reportHandlers } from './report-handlers.ts';
import { serviceHandlers } from './service-handlers.ts';
import { sessionsHandlers } from './sessions-handlers.ts';
import { signInHandlers } from './sign-in-handlers.ts';
import { statusHandlers } from './status-handlers.ts';
import { userMapHandlers } from './user-map-handlers.ts';
import { answerStatus } from './worker-status.ts';

export interface AdminApiParts {
  readonly context: NodeContext;
  readonly tls: NodeTls;
  readonly directory: DirectoryAccess;
  readonly health: Health;
  readonly rack: ServiceRack;
  /** What only this kind of node does. */
  readonly handlers: readonly Handled[];
  /** See `Reach`. */
  readonly keeperOf: (address: string) => Promise<string>;
  /** See `ActKeeper`. */
  readonly keepAct: KeepHere | undefined;
}

export interface AdminApi {
  readonly part: AdminPart;
  /** What of the audit nodes answer each other. */
  readonly routes: readonly AdminRoute[];
  /** Where acts by other routes of the node are written down. */
  readonly acts: ActLog;
  /** What one worker of the node does. */
  readonly onAppointed: () => Service;
}

/** @throws Failure('bad-input') for an administrator whose secrets can't be read */
export async function openAdminApi({ context, tls, directory, health, rack, handlers, keeperOf, keepAct }: AdminApiParts): Promise<AdminApi> {
  const { config, environment, notices, siblings, wishes, log } = context;
  const administrators = await loadAdministrators(config, environment);
  const find = administrators.get.bind(administrators);
  const secret = await signingSecret(config, environment);
  const { guessing, administration } = config;
  const reach = reachOf({ config, tls, directory, keeperOf });
  const signIn: SignIn = new SignIn({
    find, notices, tellOthers: async (name, step) => news.tell({ kind: 'code-used', name, step }),
    ipv6Prefix: guessing.ipv6PrefixBits,
    guesses: {
      free: guessing.freeAttempts, firstMs: guessing.firstDelayMilliseconds, longestMs: guessing.longestRefusalSeconds * 1000,
      longestWaitMs: guessing.longestWaitSeconds * 1000, forgetMs: guessing.forgetSeconds * 1000,
      key: createHmac('sha256', secret).update('digests of wrong passwords of administrators').digest(), notices, topics: 'administrators',
    },
  });
  const sessions = new AdminSessions({
    secret, find, notices, tokenMs: administration.tokenSeconds * 1000,
    ages: { idleMs: administration.sessionIdleSeconds * 1000, absoluteMs: administration.sessionSeconds * 1000 },
  });
  const news: AdminNews = new AdminNews({ others: otherNodes(config, reach), sessions, signIn, notices, log });
  answerStatus(siblings, config, health);
  const keeper = new ActKeeper({ node: config.nodeName, keepHere: keepAct, keeperOf, target: reach.target, log });
  const audit = keeper.watching(openAuditLog(administration.auditFile, log));
  const ground = new ConfigurationGround(context, tls);
  const tellEnded = async (session: string): Promise<void> => news.tell({ kind: 'session-ended', session });
  const api = new Api({
    operations, find, signIn, sessions, reach, audit, log,
    handlers: [
      ...signInHandlers({ signIn, sessions, tellEnded, primaryDomain: config.primaryDomain }), ...administratorHandlers(config, sessions, tellEnded), ...nodeHandlers(config, context), ...reportHandlers(context), ...sessionsHandlers(config), ...accountHandlers(config, directory), ...userMapHandlers({ config, directory, target: reach.target }), ...accountLifeHandlers(config, directory), ...groupHandlers({ config, directory, target: reach.target }),
      ...domainHandlers({ config, editor: nodeEditor(context, Object.fromEntries(Object.keys(config.nodes).flatMap((name) => { const at = reach.target(name); return at === undefined ? [] : [[name, at]]; }))) }), ...passwordHandlers({ config, directory, target: reach.target }),
      ...configurationHandlers(ground), ...publishingHandlers(ground), ...statusHandlers(ground), ...logHandlers(config), ...auditHandlers(administration.auditFile), ...serviceHandlers({ siblings, wishes, states: rack.states.bind(rack), drainMs: config.drainSeconds * 1000 }), ...handlers,
    ],
    isTrustedNode: tls.isTrustedNode, signerOf: tls.signerOf, clusterName: config.clusterName,
    ipv6Prefix: guessing.ipv6PrefixBits,
  });
  const part: AdminPart = { owns: (path) => path.startsWith(`${apiPrefix}/`), serve: async (request, response, url) => api.serve(request, response, url) };
  return { part, routes: [...doneRoutes(), ...news.routes()], acts: routeActs(audit, config.nodeName), onAppointed: () => news.start() };
}

function reachOf({ config, tls, directory, keeperOf }: Pick<AdminApiParts, 'tls' | 'directory' | 'keeperOf'> & { readonly config: NodeConfig }): Reach {
  const target = (name: string): AdminTarget | undefined => {
    const entry = Object.hasOwn(config.nodes, name) ? config.nodes[name] : undefined;
    return entry?.endpoints.admin === undefined ? undefined : { host: entry.host, port: entry.endpoints.admin, tls: tls.toNode(name) };
  };
  const frontends = Object.values(config.nodes).filter(({ role }) => role === 'frontend').map(({ name }) => name);
  return { node: config.nodeName, role: config.role, frontends, target, keeperOf, holderOf: async (address) => holderOf({ config, directory, target }, address) };
}

function otherNodes({ nodes, nodeName }: NodeConfig, { target }: Reach): ReadonlyMap<string, AdminTarget> {
  const named = Object.keys(nodes).map((name) => [name, name === nodeName ? undefined : target(name)] as const);
  return new Map(named.flatMap(([name, found]) => (found === undefined ? [] : [[name, found]])));
}

/** The cluster's, so that all nodes take each other's cookies; a node without one signs for itself alone. */
async function signingSecret(config: NodeConfig, environment: NodeContext['environment']): Promise<Buffer> {
  if (config.cookieSecret !== undefined) return readCookieSecret(config, environment);
  return createHmac('sha256', await readFile(config.tls.nodeKey ?? '')).update('cookies of administrators').digest();
}
