/**
 * The common story of a proxied login, whatever the protocol: credentials → account and route → connection to the
 * back-end that keeps the mailbox → logged in there as that account. The protocol gives its dialogues with
 * back-ends: nodes of the cluster, which take our word for who it is, and foreign servers, which want a password. A node that
 * refers us elsewhere is followed once, and only to a configured node.
 */
import type { ConnectionOptions } from 'node:tls';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Connection } from '../../shared/net/connection.ts';
import type { SpliceOptions } from '../../shared/net/splice.ts';
import { isBarred } from '../../shared/user-map/barred.ts';
import type { Identity, PasswordsAt, SaslAuthentication } from '../authentication/authentication.ts';
import type { Mapping, Route } from '../mapping/mapping.ts';
import type { BackendCapabilities } from './backend-capabilities.ts';
import { credentialsFor, foreignServer, nextHop, startTlsFor } from './foreign.ts';
import type { ForeignIdentity, ForeignLogin, ForeignOptions } from './foreign.ts';
import { logInOverLeg } from './node-login.ts';
import type { LegWords, NodeRoad } from './node-login.ts';
import { connect, converse } from './server-dialogue.ts';
import { countFailover } from '../../shared/metrics/proxy-counters.ts';

/** Where a node's trusted listener of one protocol is. */
export interface BackendTarget {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** This node's certificate and key, the cluster CA, the name to verify. */
  readonly tls: ConnectionOptions;
  /** Where connections come from; the operating system chooses when undefined. */
  readonly localAddress?: string | undefined;
}

/** The client as the back-end shall know it. */
export interface ClientIdentity {
  readonly address: string;
  readonly port: number;
  readonly session: string;
  /** Where it connected to. */
  readonly connectedTo?: { readonly address: string; readonly port: number } | undefined;
  /** What it has told of itself, by ID (RFC 2971). */
  readonly words?: ReadonlyMap<string, string> | undefined;
}

export interface LoginRoad extends NodeRoad {
  readonly authentication: SaslAuthentication;
  readonly passwordsAt: PasswordsAt;
  readonly mapping: Mapping;
  /** The trusted listener of this protocol at a configured node; undefined for a name that is not configured. */
  readonly targetOf: (node: string) => BackendTarget | undefined;
  readonly foreign: ForeignOptions;
  readonly capabilities: BackendCapabilities;
}

/** A protocol's dialogues with a back-end, from its greeting to "logged in". They resolve with its words of welcome. */
export interface BackendDialogues {
  /** With a password, the node is to check it. @throws Failure('bad-credentials') when it refuses it, `password-expired` or `account-disabled` when it is right and lets nobody in */
  asNode(backend: Connection, user: NodeLogin, client: ClientIdentity): Promise<string>;
  /** @throws Failure('bad-credentials') when the server refuses name and password */
  asUser(backend: Connection, login: ForeignLogin): Promise<string>;
}

export interface NodeLogin {
  readonly address: string;
  /** Undefined: the node takes our word for who it is. */
  readonly password: string | undefined;
  /** About the connection; absent where that serves one login only. */
  readonly leg?: LegWords;
}

export interface LoginRequest {
  readonly identity: Identity;
  readonly client: ClientIdentity;
  /** Proxies that the login may still pass. */
  readonly hopsLeft: number;
  readonly log: Logger;
}

export interface LoggedIn {
  readonly backend: Connection;
  readonly address: string;
  /** The node, or host and port of a foreign server. */
  readonly node: string;
  /** What the back-end said on success, without status word. */
  readonly welcome: string;
  /** How the connection outlives the session; undefined where it does not. */
  readonly release: SpliceOptions['release'];
}

/** Checks the credentials and logs in at the account's back-end. Rejects with the Failure that says what went wrong. */
export async function logIn(road: LoginRoad, request: LoginRequest, dialogues: BackendDialogues): Promise<LoggedIn> {
  const { identity, client } = request;
  return road.authentication.logIn(
    { identity, client, passwordsAt: road.passwordsAt },
    async ({ address, route }, password) => logInAt(road, { ...request, address, password }, { route, dialogues }),
  );
}

interface KnownUser extends LoginRequest {
  readonly address: string;
  /** For the back-end to check; undefined when it is to take our word. */
  readonly password: string | undefined;
}

async function logInAt(road: LoginRoad, user: KnownUser, { route, dialogues }: { readonly route: Route; readonly dialogues: BackendDialogues }): Promise<LoggedIn> {
  const { address, log } = user;
  if (route.kind === 'host') return logInAbroad(road, { ...user, route }, dialogues);
  try {
    return await logInAtNode(road, { ...user, node: route.node }, dialogues);
  } catch (error) {
    if (!isFailure(error, 'not-kept-here')) throw error;
    const other = await referredNode(road, address, error.node);
    log.info({ account: address, from: route.node, to: other }, 'referred to another back-end');
    countFailover('logins', 'referral');
    if (other === undefined || other === route.node) throw new Failure('backend-unavailable', 'the mailbox is being moved', { cause: error });
    return logInAtNode(road, { ...user, node: other }, dialogues);
  }
}

/** The node a back-end named, if configured; else what the directory says now. */
async function referredNode(road: LoginRoad, address: string, named: string | undefined): Promise<string | undefined> {
  road.mapping.forget(address);
  if (named !== undefined && road.targetOf(named) !== undefined) return named;
  const answer = await road.mapping.lookUp(address, { fresh: 'yes' });
  return answer.kind === 'found' && answer.route.kind === 'node' ? answer.route.node : undefined;
}

async function logInAtNode(
  road: LoginRoad,
  at: KnownUser & { readonly node: string },
  dialogues: BackendDialogues,
): Promise<LoggedIn> {
  const target = road.targetOf(at.node);
  if (target === undefined) {
    throw new Failure('backend-unavailable', 'the mailbox is on a server that is not set up here', {
      cause: new Error(`mailHost names ${at.node}, which is no back-end with a trusted listener of this protocol`),
    });
  }
  const { host, port, tls, localAddress } = target;
  const login = await logInOverLeg(road, { name: at.node, host, port, tls, localAddress }, async (connection, leg) => dialogues.asNode(connection, { address: at.address, password: at.password, leg }, at.client));
  return { ...login, address: at.address, node: at.node };
}

async function logInAbroad(
  road: LoginRoad,
  request: KnownUser & { readonly route: Extract<Route, { kind: 'host' }> },
  dialogues: BackendDialogues,
): Promise<LoggedIn> {
  const { address, client, log } = request;
  // A master user is let in whatever the password: that serves only where the password is known to be right.
  const identity: ForeignIdentity = request.password === undefined ? road.foreign.identity : { kind: 'own' };
  const server = foreignServer(request.route, road.foreign, client);
  const hopsLeft = nextHop(request.hopsLeft, server.name);
  const password = request.identity.kind === 'password' ? request.identity.password : undefined;
  const credentials = credentialsFor(identity, { address, password });
  const login: ForeignLogin = {
    credentials, client, hopsLeft,
    startTls: startTlsFor(server.host, road.foreign),
    heard: (capabilities) => road.capabilities.heardBeforeLogin(server.name, capabilities),
  };
  try {
    const { socket } = await connect(road, server);
    const { backend, said: welcome } = await converse(road, socket, async (connection) => dialogues.asUser(connection, login));
    return { backend, address, node: server.name, welcome, release: undefined };
  } catch (error) {
    // What is said to the master user is not the user's concern.
    if (identity.kind === 'own' || !(isFailure(error, 'bad-credentials') || isBarred(error))) throw error;
    log.error({ err: error, account: address, node: server.name }, 'the server refuses the master user for this account');
    throw new Failure('backend-unavailable', 'the mailbox can not be opened now', { cause: error });
  }
}
