/**
 * The common story of a proxied login, whatever the protocol: credentials → account and route → connection to the
 * back-end that keeps the mailbox → logged in there as that account. The protocol gives one function, its dialogue with
 * the back-end. A back-end that refers us elsewhere is followed once, and only to a configured node.
 */
import type { ConnectionOptions } from 'node:tls';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { Connection } from '../../shared/net/connection.ts';
import { connectTo } from '../../shared/net/connect.ts';
import type { TlsSessions } from '../../shared/net/connect.ts';
import type { Authentication } from '../authentication/authentication.ts';
import type { Mapping, Route } from '../mapping/mapping.ts';

/** Where a node's trusted listener of one protocol is. */
export interface BackendTarget {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** This node's certificate and key, the cluster CA, the name to verify. */
  readonly tls: ConnectionOptions;
}

/** The client as the back-end shall know it. */
export interface ClientIdentity {
  readonly address: string;
  readonly port: number;
  readonly session: string;
}

export interface LoginRoad {
  readonly authentication: Authentication;
  readonly mapping: Mapping;
  /** The trusted listener of this protocol at a configured node; undefined for a name that is not configured. */
  readonly targetOf: (node: string) => BackendTarget | undefined;
  readonly sessions: TlsSessions;
  readonly connectTimeoutMs: number;
  readonly maxLineBytes: number;
}

/** The dialogue with the back-end: from its greeting to "logged in as `address`". Resolves with its words of welcome. */
export type BackendLogin = (backend: Connection, address: string, client: ClientIdentity) => Promise<string>;

export interface LoggedIn {
  readonly backend: Connection;
  readonly address: string;
  readonly node: string;
  /** What the back-end said on success, without status word. */
  readonly welcome: string;
}

/** Checks the credentials and logs in at the account's back-end. Rejects with the Failure that says what went wrong. */
export async function logIn(
  road: LoginRoad,
  request: { readonly name: string; readonly password: string; readonly client: ClientIdentity; readonly log: Logger },
  backendLogin: BackendLogin,
): Promise<LoggedIn> {
  const { client, log } = request;
  const who = await road.authentication.authenticate({ name: request.name, password: request.password, client: { address: client.address } });
  const attempt = async (node: string): Promise<LoggedIn> => {
    const { backend, welcome } = await logInAt(road, { node, address: who.address, client }, backendLogin);
    return { backend, address: who.address, node, welcome };
  };
  const node = configuredNode(who.route);
  try {
    return await attempt(node);
  } catch (error) {
    if (!isFailure(error, 'not-kept-here')) throw error;
    const other = await referredNode(road, who.address, error.node);
    log.info({ account: who.address, from: node, to: other }, 'referred to another back-end');
    if (other === undefined || other === node) throw new Failure('backend-unavailable', 'the mailbox is being moved', { cause: error });
    return attempt(other);
  }
}

function configuredNode(route: Route): string {
  if (route.kind === 'node') return route.node;
  throw new Failure('backend-unavailable', 'the mailbox is on a server that is not set up here', {
    cause: new Error(`mailHost ${route.host} names no configured node`),
  });
}

/** The node a back-end named, if configured; else what the directory says now. */
async function referredNode(road: LoginRoad, address: string, named: string | undefined): Promise<string | undefined> {
  road.mapping.forget(address);
  if (named !== undefined && road.targetOf(named) !== undefined) return named;
  const answer = await road.mapping.lookUp(address, { fresh: 'yes' });
  return answer.kind === 'found' && answer.route.kind === 'node' ? answer.route.node : undefined;
}

async function logInAt(
  road: LoginRoad,
  at: { readonly node: string; readonly address: string; readonly client: ClientIdentity },
  backendLogin: BackendLogin,
): Promise<{ readonly backend: Connection; readonly welcome: string }> {
  const target = road.targetOf(at.node);
  if (target === undefined) throw new Failure('backend-unavailable', 'the mailbox is on a server that is not set up here');
  const socket = await connectTo({ ...target, timeoutMs: road.connectTimeoutMs, sessions: road.sessions });
  const backend = new Connection(socket, { maxLineBytes: road.maxLineBytes, idleTimeoutMs: road.connectTimeoutMs });
  try {
    return { backend, welcome: await backendLogin(backend, at.address, at.client) };
  } catch (error) {
    backend.destroy();
    // Silence or nonsense from a back-end is the back-end's fault, never the client's.
    if (isFailure(error, 'timed-out') || isFailure(error, 'bad-input')) {
      throw new Failure('backend-unavailable', 'the mail server does not answer', { cause: error });
    }
    throw error;
  }
}
