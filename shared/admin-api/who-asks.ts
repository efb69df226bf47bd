/**
 * Finds out who sends a request: a node by its certificate, for itself or for an administrator whom it knows; an administrator by
 * certificate, password, token or cookie; or nobody known.
 */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { operatorHeader } from '../admin/admin-client.ts';
import { Failure } from '../base/failure.ts';
import { activityOf, refuseCrossSite } from '../http/same-site.ts';
import { nodeIdentity } from '../tls/identity.ts';
import type { CertificateSigner, NodeIdentity } from '../tls/identity.ts';
import { findAdminCookie } from './admin-session.ts';
import type { AdminSessions } from './admin-session.ts';
import type { Caller } from './caller.ts';
import type { AdministratorRecord, SignIn } from './sign-in.ts';

/** From node to node: for whom it asks. Believed of nodes that showed their certificate. */
export const administratorHeader = 'x-waybill-administrator';
/** The code of the authenticator, beside Authorization: Basic. */
export const codeHeader = 'waybill-code';

const passedOn = z.object({ name: z.string(), from: z.string(), by: z.enum(['cookie', 'token', 'password', 'certificate']), session: z.string().optional() });

export interface WhoAsksOptions {
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
  readonly signerOf: (socket: TLSSocket) => CertificateSigner;
  readonly clusterName: string;
  readonly find: (name: string) => AdministratorRecord | undefined;
  readonly signIn: SignIn;
  readonly sessions: AdminSessions;
}

/** The answer, and a cookie that is to be renewed. */
export interface Known {
  readonly caller: Caller;
  readonly cookie: string | undefined;
}

/** Undefined for who gave nothing. @throws Failure('bad-credentials') for wrong ones; HttpRefusal('cross-site') */
export async function whoAsks(options: WhoAsksOptions, request: IncomingMessage): Promise<Known | undefined> {
  const from = request.socket.remoteAddress ?? '';
  const byCertificate = certified(options, request, from);
  if (byCertificate !== undefined) return { caller: byCertificate, cookie: undefined };
  const { authorization } = request.headers;
  if (authorization !== undefined) return { caller: await authorized(options, { request, authorization, from }), cookie: undefined };
  const value = findAdminCookie(request.headers.cookie);
  if (value === undefined) return undefined;
  const nowMs = Date.now();
  const found = options.sessions.verify(value, 'cookie', nowMs);
  if (found === undefined) return undefined;
  refuseCrossSite(request);
  options.sessions.saw(found.claims, from, nowMs);
  const renewed = activityOf(request) === 'user' ? options.sessions.renewed(found.claims, nowMs) : undefined;
  return {
    caller: callerOf(found.record, { by: 'cookie', from, session: found.claims.session }),
    cookie: renewed === undefined ? undefined : options.sessions.cookie(renewed),
  };
}

function callerOf(administrator: AdministratorRecord, rest: Pick<Caller, 'by' | 'from' | 'session'> & { readonly via?: string }): Caller {
  const { name, capabilities, domains } = administrator;
  return { who: { kind: 'administrator', administrator: { name, capabilities, domains } }, via: undefined, ...rest };
}

function certified(options: WhoAsksOptions, request: IncomingMessage, from: string): Caller | undefined {
  const { socket } = request;
  if (!(socket instanceof TLSSocket)) return undefined;
  const signer = options.signerOf(socket);
  const identity = signer === 'cluster' ? nodeIdentity(socket) : undefined;
  if (identity !== undefined && options.isTrustedNode(identity)) {
    const header = request.headers[administratorHeader];
    if (typeof header === 'string') return forAdministrator(options, header, identity.node);
    return nodeCaller(request, identity);
  }
  const name = administratorOfCertificate(socket, signer, options.clusterName);
  const record = name === undefined ? undefined : options.find(name);
  return record === undefined ? undefined : callerOf(record, { by: 'certificate', from, session: undefined });
}

/** A node for itself, or a command on its machine. */
export function nodeCaller(request: IncomingMessage, { node }: NodeIdentity): Caller {
  const operator = request.headers[operatorHeader];
  const who = { kind: 'node', node, operator: typeof operator === 'string' ? operator.slice(0, 64) : undefined } as const;
  return { who, by: 'certificate', from: request.socket.remoteAddress ?? '', session: undefined, via: undefined };
}

/** CN = name; of the cluster's authority also O = cluster and OU = administrator, as it has certificates for others, too. */
function administratorOfCertificate(socket: TLSSocket, signer: CertificateSigner, clusterName: string): string | undefined {
  if (!socket.authorized) return undefined;
  const { O: cluster, OU: unit, CN: name } = socket.getPeerCertificate().subject ?? {};
  const isMeant = signer === 'administrators' || (cluster === clusterName && unit === 'administrator');
  return isMeant && typeof name === 'string' ? name : undefined;
}

/** The header's value for a caller who is an administrator. */
export function passOn(caller: Caller, name: string): string {
  return Buffer.from(JSON.stringify({ name, from: caller.from, by: caller.by, session: caller.session })).toString('base64url');
}

function forAdministrator({ find }: WhoAsksOptions, header: string, via: string): Caller {
  const told = passedOn.safeParse(JSON.parse(Buffer.from(header, 'base64url').toString()));
  const record = told.success ? find(told.data.name) : undefined;
  if (!told.success || record === undefined) throw new Failure('forbidden', `${told.success ? told.data.name : 'who asks'} is no administrator in the configuration that this node runs`);
  const { from, by, session } = told.data;
  return callerOf(record, { by, from, session, via });
}

async function authorized(options: WhoAsksOptions, given: { readonly request: IncomingMessage; readonly authorization: string; readonly from: string }): Promise<Caller> {
  const { request, authorization, from } = given;
  const [scheme = '', value = ''] = authorization.split(' ', 2);
  if (scheme.toLowerCase() === 'bearer') {
    const found = options.sessions.verify(value, 'token', Date.now());
    if (found === undefined) throw new Failure('bad-credentials', 'The token is not, or no longer, good.');
    options.sessions.saw(found.claims, from, Date.now());
    return callerOf(found.record, { by: 'token', from, session: found.claims.session });
  }
  if (scheme.toLowerCase() !== 'basic') throw new Failure('bad-credentials', 'Authorization is Basic or Bearer here.');
  const [name = '', ...rest] = Buffer.from(value, 'base64').toString('utf8').split(':');
  const code = request.headers[codeHeader];
  const record = await options.signIn.check({ name, password: rest.join(':'), code: typeof code === 'string' ? code : undefined, from });
  return callerOf(record, { by: 'password', from, session: undefined });
}
