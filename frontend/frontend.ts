/** Wiring of a front-end's worker: from the node's configuration to running services. The only file that knows all rooms. */
import { createHmac } from 'node:crypto';
import type { NodeConfig } from '../cluster-config/effective.ts';
import { domainTermsOf } from '../cluster-config/domain-settings.ts';
import { openDirectoryAccess } from '../cluster-config/directory-access.ts';
import type { DirectoryAccess } from '../cluster-config/directory-access.ts';
import { loadForeignBackends } from '../cluster-config/foreign-backends.ts';
import type { ForeignBackends } from '../cluster-config/foreign-backends.ts';
import { challengeAnswers } from '../cluster-config/acme/acme-routes.ts';
import { dailyReportHandlers } from '../cluster-config/admin/daily-report-handlers.ts';
import { dayRoutes } from '../cluster-config/daily-report/day-routes.ts';
import { endingCertificates } from '../cluster-config/certificate-ends.ts';
import { joinRoutes } from '../cluster-config/joining/join-routes.ts';
import { loadNodeTls } from '../cluster-config/node-tls.ts';
import type { NodeTls } from '../cluster-config/node-tls.ts';
import type { NodeContext } from '../cluster-config/run-node.ts';
import { startReporting } from '../cluster-config/node-reporting.ts';
import { observationRoutes } from '../cluster-config/observation.ts';
import { adminListeners, enabled, placeOf, tcpPlaces, tlsOf } from '../cluster-config/listeners.ts';
import type { ProxyName } from '../cluster-config/proxy-maps.ts';
import { readScramSaltKey } from '../cluster-config/scram-salts.ts';
import { httpLimits, languageChoice, readCookieSecret, sessionAges, uiDirectory } from '../cluster-config/webmail-settings.ts';
import { requireUse } from '../shared/access/account-use.ts';
import { parseNetwork } from '../shared/access/network.ts';
import { webAdmin } from '../cluster-config/web-admin/web-admin.ts';
import { openAdminApi } from '../cluster-config/admin/open-api.ts';
import { Failure } from '../shared/base/failure.ts';
import { startAdmin } from '../shared/admin/admin-server.ts';
import { healthRoutes } from '../shared/admin/health-routes.ts';
import type { Health } from '../shared/admin/health-routes.ts';
import type { Logger } from '../shared/log/log.ts';
import { TlsSessions } from '../shared/net/connect.ts';
import type { Service } from '../shared/service/service.ts';
import { ServiceRack } from '../shared/service/service-rack.ts';
import type { Unit } from '../shared/service/service-rack.ts';
import { defaultSmtpLimits } from '../shared/smtp/limits.ts';
import type { NodeServices } from '../shared/service/worker.ts';
import type { UserMaps } from '../shared/user-map/user-maps.ts';
import { adminHandlers } from './admin-handlers.ts';
import { adminRoutes } from './admin-routes.ts';
import { authPolicyOf } from './auth-policy.ts';
import { createAuthentication } from './authentication/authentication.ts';
import type { AuthenticatedUser, PasswordsAt, SaslAuthentication } from './authentication/authentication.ts';
import { startImapProxy } from './imap-proxy/imap-proxy.ts';
import { loginProxyOptions } from './login-proxies.ts';
import type { LoginGround, LoginProtocol } from './login-proxies.ts';
import { SessionSet } from './login/session-set.ts';
import type { Mapping, Route } from './mapping/mapping.ts';
import { Mappings } from './mappings.ts';
import { startPop3Proxy } from './pop3-proxy/pop3-proxy.ts';
import { traceRoute } from './protocol-trace.ts';
import { measureSessions } from './session-counters.ts';
import { defaultBackendTimeouts, startSmtpProxy } from './smtp-proxy/smtp-proxy.ts';
import type { LegTarget } from './smtp-proxy/smtp-proxy.ts';
import { Targets } from './targets.ts';
import { startWebmailProxy } from './webmail-proxy/webmail-proxy.ts';

/** What all services of a front-end stand on. */
interface Ground {
  readonly config: NodeConfig;
  readonly doors: NodeContext['doors'];
  readonly log: Logger;
  readonly tls: NodeTls;
  readonly mappings: Mappings;
  /** With the mapping of all maps; each service has it with its own. */
  readonly authentication: SaslAuthentication;
  readonly directory: DirectoryAccess;
  readonly environment: NodeContext['environment'];
  readonly targets: Targets;
  readonly foreign: ForeignBackends;
  readonly sessions: Readonly<Record<'imap' | 'pop3' | 'smtp' | 'webmail', SessionSet>>;
  readonly siblings: NodeContext['siblings'];
  readonly notices: NodeContext['notices'];
}

/** Starts everything of one worker. @throws Failure or the system's error of the first thing that can't be had. */
export async function startFrontend(context: NodeContext): Promise<NodeServices> {
  const { config, log } = context;
  const directory = await openDirectoryAccess(config, context);
  const tls = await loadNodeTls(config);
  for (const warning of tls.warnings) context.log.warn(warning);
  const mappings = new Mappings(config, directory.maps, log);
  const ground: Ground = {
    config, log, tls, mappings, directory,
    doors: context.doors,
    authentication: authenticationOf({ config, mapping: mappings.of(), maps: directory.maps, saltKey: await readScramSaltKey(config, context.environment), notices: context.notices, log }),
    environment: context.environment,
    targets: new Targets(config, tls),
    foreign: await loadForeignBackends(config, context.environment),
    sessions: { imap: new SessionSet(), pop3: new SessionSet(), smtp: new SessionSet(), webmail: new SessionSet() },
    siblings: context.siblings,
    notices: context.notices,
  };
  measureSessions(Object.values(ground.sessions));
  const rack = new ServiceRack({ units: unitsOf(ground), wishes: context.wishes, siblings: context.siblings, graceMs: config.drainSeconds * 1000, log });
  const services = await rack.start();
  const admin = await startAdminApi(ground, context, rack);
  return {
    log,
    services,
    admin: admin.services,
    onAppointed: async () => Promise.resolve([...startReporting(context), admin.onAppointed()]),
    renew: async () => tls.renew(),
    close: async () => Promise.resolve(directory.close()),
  };
}

/** Those that the configuration enables. */
function unitsOf(ground: Ground): readonly Unit[] {
  const { smtpProxy, imapProxy, pop3Proxy, webmailProxy } = ground.config.services;
  const unit = (name: ProxyName, start: () => Promise<Service>): Unit => ({ name, per: 'worker', places: tcpPlaces(enabled(ground.config.services[name].listeners)), start: async () => [await start()] });
  return [
    ...(imapProxy.enable ? [unit('imapProxy', async () => startImapProxy(loginProxyOptions(loginGround(ground, 'imap'), 'imap')))] : []),
    ...(pop3Proxy.enable ? [unit('pop3Proxy', async () => startPop3Proxy(loginProxyOptions(loginGround(ground, 'pop3'), 'pop3')))] : []),
    ...(smtpProxy.enable ? [unit('smtpProxy', async () => startSmtp(ground))] : []),
    ...(webmailProxy.enable && webmailProxy.listeners.length > 0 ? [unit('webmailProxy', async () => startWebmail(ground))] : []),
  ];
}

/** Opened last: who asks it finds all services there. */
async function startAdminApi(ground: Ground, context: NodeContext, rack: ServiceRack): Promise<{ readonly services: readonly Service[]; readonly onAppointed: () => Service }> {
  const { tls, mappings, authentication, directory, sessions, siblings, log } = ground;
  const health: Health = { isStopping: context.isStopping, services: () => rack.states(), check: () => undefined, warnings: () => endingCertificates(context.config) };
  const api = await openAdminApi({ context, tls, directory, health, rack, handlers: [...adminHandlers(mappings, siblings, log), ...dailyReportHandlers(context.config, undefined)], keeperOf: async (address) => keeperOf(mappings.of(), address), keepAct: undefined });
  const routes = [...healthRoutes(health), ...observationRoutes(context), ...dayRoutes({ context, storages: async () => Promise.resolve([]) }), ...joinRoutes({ ...context, tls }), traceRoute(context, tls), ...context.nodeRoutes, ...api.routes, ...adminRoutes({ mappings, authentication, directory, siblings, log, sessions: Object.values(sessions) })];
  const services = await Promise.all(adminListeners(ground).map(async (at) => startAdmin({ ...at, serverTls: tls.forAdministration, isTrustedNode: tls.isTrustedNode, signerOf: tls.signerOf, routes, acts: api.acts, observers: context.config.services.admin.observers.map(parseNetwork), parts: [webAdmin(log), api.part], log })));
  return { services, onAppointed: api.onAppointed };
}

/** @throws Failure for addresses whose mail no node of ours keeps */
async function keeperOf(mapping: Mapping, address: string): Promise<string> {
  const answer = await mapping.lookUp(address);
  if (answer.kind === 'found' && answer.route.kind === 'node') return answer.route.node;
  throw new Failure('unknown-user', `no back-end of this cluster keeps mail of ${address}`);
}

interface AuthenticationParts extends Pick<Ground, 'config' | 'log'>, Pick<NodeContext, 'notices'> {
  readonly mapping: Mapping;
  readonly maps: UserMaps;
  readonly saltKey: Buffer;
}

function authenticationOf(parts: AuthenticationParts): SaslAuthentication {
  const { guessing } = parts.config;
  return createAuthentication({
    mapping: parts.mapping,
    maps: parts.maps,
    scram: { saltKey: parts.saltKey, iterations: parts.config.scramIterations, primaryDomain: parts.config.primaryDomain },
    issuers: parts.config.oauth.issuers,
    certificateAddresses: parts.config.tls.userCertificates?.addressFrom ?? [],
    verifier: { maxAgeMs: parts.config.routing.verifierAgeSeconds * 1000, maxEntries: 10_000 },
    guesses: {
      free: guessing.freeAttempts,
      firstMs: guessing.firstDelayMilliseconds,
      longestMs: guessing.longestRefusalSeconds * 1000,
      longestWaitMs: guessing.longestWaitSeconds * 1000,
      forgetMs: guessing.forgetSeconds * 1000,
      key: createHmac('sha256', parts.saltKey).update('digests of wrong passwords').digest(),
      notices: parts.notices,
    },
    refusalMs: 200,
    trustedNetworks: guessing.trustedNetworks,
    ipv6Prefix: guessing.ipv6PrefixBits,
    log: parts.log,
  });
}

const placesOfCheck = { only: 'proxy', also: 'both', no: 'backend' } as const;

const serviceOfProxy = { imapProxy: 'imap', pop3Proxy: 'pop3', smtpProxy: 'submission', webmailProxy: 'webmail' } as const;

/** What a service looks users up in, and checks their passwords with. */
function whoIs({ config, mappings, authentication }: Ground, service: ProxyName): { readonly mapping: Mapping; readonly authentication: SaslAuthentication; readonly passwordsAt: PasswordsAt } {
  const mapping = mappings.of(service);
  const domainTerms = domainTermsOf(config);
  const permit = ({ address, entry }: AuthenticatedUser): void => requireUse(serviceOfProxy[service], [domainTerms(address), entry?.terms ?? {}]);
  return { mapping, authentication: authentication.withMapping(mapping, permit), passwordsAt: placesOfCheck[config.services[service].authenticateOnProxy] };
}

function loginGround(ground: Ground, protocol: LoginProtocol): LoginGround {
  return { ...ground, ...whoIs(ground, protocol === 'imap' ? 'imapProxy' : 'pop3Proxy'), sessions: ground.sessions[protocol] };
}

function foreignSmtp({ foreign: { mail, tlsOptions }, config }: Ground, { host, port = mail.port }: Extract<Route, { kind: 'host' }>): LegTarget {
  const localAddress = config.services.smtpProxy.localInterface;
  return { node: `${host}:${String(port)}`, host, port, localAddress, tls: undefined, foreign: { protocol: mail.protocol, startTls: mail.tls, tlsOptions, proxyProtocol: mail.proxyProtocol } };
}

async function startSmtp(ground: Ground): Promise<Service> {
  const { config, log, tls, targets } = ground;
  const service = config.services.smtpProxy;
  return startSmtpProxy({
    trustedProxies: config.trustedProxies.map(parseNetwork),
    listeners: enabled(service.listeners).map((listener) => ({
      ...placeOf(ground, 'smtpProxy', listener),
      serverTls: tlsOf(listener, listener.kind === 'mx' ? tls.forClients : tls.forUsers),
      kind: listener.kind,
      tls: listener.tls === 'implicit' ? 'implicit' : 'starttls',
    })),
    clusterName: config.clusterName,
    hostName: config.serverName,
    primaryDomain: config.primaryDomain,
    serverTls: tls.forClients,
    userTls: tls.forUsers,
    ...whoIs(ground, 'smtpProxy'),
    log,
    authPolicy: authPolicyOf(config, 'smtpProxy'),
    backends: {
      lmtp: (route) => (route.kind === 'host' ? foreignSmtp(ground, route) : targets.ofRoute(route, 'lmtp')),
      submission: (route) => targets.ofRoute(route, 'submission'),
      custodians: (of) => targets.all(of),
    },
    domainTerms: domainTermsOf(config),
    sessions: new TlsSessions(),
    clients: ground.sessions.smtp,
    connectTimeoutMs: service.connectTimeoutSeconds * 1000,
    backendTimeouts: defaultBackendTimeouts,
    backendDownMs: 5000,
    limits: {
      ...defaultSmtpLimits,
      maxMessageBytes: service.maxMessageKilobytes * 1024,
      maxRecipients: service.maxRecipients,
      maxErrors: service.maxErrors,
      maxAuthErrors: service.maxAuthErrors,
      idleTimeoutMs: service.idleTimeoutSeconds * 1000,
    },
    greetingDelayMs: 0,
  });
}

async function startWebmail(ground: Ground): Promise<Service> {
  const { config, log, tls, targets, environment } = ground;
  const service = config.services.webmailProxy;
  return startWebmailProxy({
    listeners: enabled(service.listeners).map((listener) => ({ ...placeOf(ground, 'webmailProxy', listener), serverTls: tlsOf(listener, tls.forClients), tls: listener.tls })),
    serverTls: tls.forClients,
    ...whoIs(ground, 'webmailProxy'),
    uiDirectory, log,
    challenges: challengeAnswers(config, tls),
    sessions: ground.sessions.webmail,
    backendFor: (node) => targets.of(node, 'webmail'),
    primaryDomainOf: tls.primaryDomainOf,
    clearTextLogin: service.allowClearTextLogin ? 'yes' : 'no',
    httpBalancers: service.forwardedFrom.map(parseNetwork),
    cookieSecret: await readCookieSecret(config, environment),
    ages: sessionAges(service),
    language: languageChoice(config),
    limits: {
      ...httpLimits,
      idleTimeoutMs: service.idleTimeoutSeconds * 1000,
      maxBodyBytes: service.httpBodyMaxKilobytes * 1024,
      queue: {
        connections: service.backendConnections,
        connectionsPerUser: Math.min(8, service.backendConnections), // browsers open six
        maxWaiting: service.requestsQueueMaxSize,
        longestWaitMs: service.requestsQueueTimeoutSeconds * 1000,
      },
      connectTimeoutMs: service.connectTimeoutSeconds * 1000,
      answerTimeoutMs: service.rwTimeoutSeconds * 1000,
    },
  });
}
