/** Wiring of the IMAP and the POP3 proxy: from the node's configuration to what they are started with. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import type { ForeignBackends } from '../cluster-config/foreign-backends.ts';
import type { Doors } from '../cluster-config/listeners.ts';
import { enabled, placeOf, tlsOf } from '../cluster-config/listeners.ts';
import type { NodeTls } from '../cluster-config/node-tls.ts';
import { mapSelection } from '../cluster-config/proxy-maps.ts';
import type { DefaultBackend } from '../cluster-config/proxy-maps.ts';
import { splitHostAndPort } from '../cluster-config/values.ts';
import { parseNetwork } from '../shared/access/network.ts';
import type { Logger } from '../shared/log/log.ts';
import { TlsSessions } from '../shared/net/connect.ts';
import type { Notices } from '../shared/service/notices.ts';
import type { Siblings } from '../shared/service/siblings.ts';
import { authPolicyOf } from './auth-policy.ts';
import type { PasswordsAt, SaslAuthentication } from './authentication/authentication.ts';
import { announcedCapabilities as announcedByImap, askForCapabilities as askByImap } from './imap-proxy/imap-proxy.ts';
import { BackendCapabilities, smallestNumber } from './login/backend-capabilities.ts';
import type { CapabilityMerge, CapabilityProbe } from './login/backend-capabilities.ts';
import { BackendPlaces } from './login/backend-places.ts';
import { capabilityProbe } from './login/capability-probe.ts';
import { foreignServer, startTlsFor } from './login/foreign.ts';
import type { ForeignOptions } from './login/foreign.ts';
import { KeptLegs } from './login/kept-legs.ts';
import type { LoginRoad } from './login/login.ts';
import type { ProxyOptions } from './login/proxy-service.ts';
import { Recoveries } from './login/recoveries.ts';
import type { SessionSet } from './login/session-set.ts';
import type { Mapping } from './mapping/mapping.ts';
import { announcedCapabilities as announcedByPop3, askForCapabilities as askByPop3, pop3Merges } from './pop3-proxy/pop3-proxy.ts';
import type { Targets } from './targets.ts';

export type LoginProtocol = 'imap' | 'pop3';

/** What they stand on. */
export interface LoginGround {
  readonly config: NodeConfig;
  readonly doors: Doors;
  readonly log: Logger;
  readonly tls: NodeTls;
  readonly mapping: Mapping;
  readonly authentication: SaslAuthentication;
  readonly passwordsAt: PasswordsAt;
  readonly siblings: Siblings;
  readonly notices: Notices;
  readonly targets: Targets;
  readonly foreign: ForeignBackends;
  readonly sessions: SessionSet;
}

const maxLineBytes = 8192;
const imapMerges: readonly CapabilityMerge[] = [{ prefix: 'APPENDLIMIT=', merge: smallestNumber }];

export function loginProxyOptions(ground: LoginGround, protocol: LoginProtocol): ProxyOptions {
  const { config, log, tls, mapping, authentication, passwordsAt, targets } = ground;
  const name = proxyOf(protocol);
  const service = config.services[name];
  const foreign = foreignOptions(ground, protocol);
  const sessions = new TlsSessions();
  const road: LoginRoad = {
    authentication, passwordsAt, mapping, foreign, sessions,
    targetOf: (node) => targets.of(node, protocol),
    recoveries: new Recoveries({ perSecond: service.releasePerSecond, recoveryMs: 30_000, longestWaitMs: service.connectTimeoutSeconds * 1000 }),
    capabilities: capabilitiesOf(ground, protocol, { foreign, sessions }),
    connectTimeoutMs: service.connectTimeoutSeconds * 1000,
    answerTimeoutMs: service.rwTimeoutSeconds * 1000,
    places: new BackendPlaces({ most: service.maxConnectionsPerBackend, service: name, notices: ground.notices }),
    legs: new KeptLegs({ most: service.keptConnections, idleMs: service.keptConnectionSeconds * 1000 }),
    maxLineBytes,
  };
  return {
    listeners: enabled(service.listeners).map((listener) => ({ ...placeOf(ground, name, listener), serverTls: tlsOf(listener, tls.forUsers), tls: listener.tls === 'implicit' ? 'implicit' : 'starttls' })),
    serverTls: tls.forUsers,
    sessions: ground.sessions,
    authPolicy: authPolicyOf(config, name),
    trustedProxies: config.trustedProxies.map(parseNetwork),
    road, log,
    preferredLanguage: config.defaultLanguage,
    limits: {
      maxErrors: service.maxErrors,
      maxAuthErrors: service.maxAuthErrors,
      loginTimeoutMs: service.loginTimeoutSeconds * 1000,
      idleTimeoutMs: service.idleTimeoutSeconds * 1000,
      maxLineBytes,
    },
  };
}

function proxyOf(protocol: LoginProtocol): 'imapProxy' | 'pop3Proxy' {
  return protocol === 'imap' ? 'imapProxy' : 'pop3Proxy';
}

function foreignOptions({ config, foreign }: LoginGround, protocol: LoginProtocol): ForeignOptions {
  const service = config.services[proxyOf(protocol)];
  return {
    port: service.mappingPort,
    tls: foreign.tls,
    tlsOptions: foreign.tlsOptions,
    proxyProtocol: foreign.proxyProtocol,
    localAddress: service.localInterface,
    identity: foreign.masterUser === undefined ? { kind: 'own' } : { kind: 'master', ...foreign.masterUser },
  };
}

/** What a connection may do before login is no back-end's. */
const nothingOwn = { mechanisms: [], startTls: 'no', passwordCommands: 'yes' } as const;

/** Configured are all nodes with a trusted listener of the protocol, and a default back-end that is no node. */
function capabilitiesOf(ground: LoginGround, protocol: LoginProtocol, { foreign, sessions }: { readonly foreign: ForeignOptions; readonly sessions: TlsSessions }): BackendCapabilities {
  const { config, targets, log } = ground;
  const service = config.services[proxyOf(protocol)];
  const how = { ask: protocol === 'imap' ? askByImap : askByPop3, timeoutMs: service.rwTimeoutSeconds * 1000, maxLineBytes, sessions };
  const abroad = (route: Extract<DefaultBackend, { kind: 'host' }>): CapabilityProbe =>
    capabilityProbe({ ...foreignServer(route, foreign, undefined), startTls: startTlsFor(route.host, foreign) }, how);
  const nodes = targets.all(protocol).map((target) => capabilityProbe({ ...target, name: target.node, startTls: undefined, localAddress: target.localAddress }, how));
  const { defaultBackend } = mapSelection(config, proxyOf(protocol));
  return new BackendCapabilities({
    configured: defaultBackend?.kind === 'host' ? [...nodes, abroad(defaultBackend)] : nodes,
    probeOf: (name) => {
      const at = splitHostAndPort(name);
      return at === undefined ? undefined : abroad({ kind: 'host', ...at });
    },
    pollMs: service.capabilityPollSeconds * 1000,
    merges: protocol === 'imap' ? imapMerges : pop3Merges,
    announced: (common) => (protocol === 'imap' ? announcedByImap(common, nothingOwn).split(' ') : announcedByPop3(common, nothingOwn)),
    log: log.child({ service: proxyOf(protocol) }),
  });
}
