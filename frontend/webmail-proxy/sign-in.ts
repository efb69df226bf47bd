/** Sign-in at a front-end: the password is checked at the directory, the account opened at its back-end, then the cookie given. */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Agent } from 'node:https';
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { newSessionId } from '../../shared/base/session-id.ts';
import { readJson } from '../../shared/http/body.ts';
import { sendJson } from '../../shared/http/refusals.ts';
import type { Exchange } from '../../shared/http/http-service.ts';
import { clearedSetCookie, sessionSetCookie } from '../../shared/session-cookie/session-cookie.ts';
import type { SessionAges } from '../../shared/session-cookie/session-cookie.ts';
import { epochHeader, nodeHeader } from '../../shared/session-cookie/session-headers.ts';
import type { Authentication, PasswordsAt } from '../authentication/authentication.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { nodeOfRoute } from './backends.ts';
import type { BackendTarget } from './proxy.ts';
import { vouchingHeaders } from './request-headers.ts';

const maxSignInBytes = 8 * 1024;
/** The back-end may have to ask the directory and other nodes before it makes a new mailbox. */
const openTimeoutMs = 15_000;

const credentials = z.strictObject({ name: z.string().min(1).max(320), password: z.string().min(1).max(1024) });

export interface SignInOptions {
  readonly authentication: Authentication;
  /** Where the users' passwords are checked. */
  readonly passwordsAt: PasswordsAt;
  readonly mapping: Pick<Mapping, 'forget'>;
  readonly backendFor: (node: string) => BackendTarget | undefined;
  /** Keeps connections to a back-end, and resumes TLS sessions. */
  readonly agentFor: (target: BackendTarget) => Agent;
  /** The domain that completes bare names under this host name; undefined: the cluster's own does. */
  readonly primaryDomainOf: (hostName: string) => string | undefined;
  readonly cookieSecret: Buffer;
  readonly ages: SessionAges;
}

type Opened = { readonly kind: 'open'; readonly epoch: number } | { readonly kind: 'referred'; readonly node: string | undefined };

export async function signIn({ request, response, log }: Exchange, options: SignInOptions): Promise<void> {
  const given = credentials.safeParse(await readJson(request, maxSignInBytes));
  if (!given.success) throw new Failure('bad-input', 'Give an address and a password.');
  const client = request.socket.remoteAddress ?? '';
  const session = newSessionId();
  const identity = { kind: 'password', name: completed(given.data.name, request, options), password: given.data.password } as const;
  const { address, epoch } = await options.authentication.logIn(
    { identity, client: { address: client }, passwordsAt: options.passwordsAt },
    async (user, password) => ({ address: user.address, epoch: await openAccount({ address: user.address, client, session, password }, nodeOfRoute(user.route), options) }),
  );
  const nowMs = Date.now();
  response.setHeader('set-cookie', sessionSetCookie({ address, epoch, session, signedInAtMs: nowMs, seenAtMs: nowMs }, options.cookieSecret, options.ages));
  log.info({ account: address, session }, 'signed in');
  sendJson(response, 200, { address });
}

export function signOut({ response }: Exchange): void {
  response.setHeader('set-cookie', clearedSetCookie);
  sendJson(response, 200, {});
}

/** Under a virtual host a bare name is of that host's domain. */
function completed(name: string, { headers }: IncomingMessage, { primaryDomainOf }: SignInOptions): string {
  const domain = name.includes('@') ? undefined : primaryDomainOf((headers.host ?? '').replace(/:\d+$/, ''));
  return domain === undefined ? name : `${name}@${domain}`;
}

interface User {
  readonly address: string;
  readonly client: string;
  readonly session: string;
  /** For the back-end to check; undefined when it is to take our word. */
  readonly password: string | undefined;
}

/** The account's epoch, from the back-end that keeps it; a referral is followed once. */
async function openAccount(user: User, node: string, options: SignInOptions): Promise<number> {
  const first = await ask(user, options.backendFor(node), options);
  if (first.kind === 'open') return first.epoch;
  options.mapping.forget(user.address);
  const other = first.node === undefined || first.node === node ? undefined : options.backendFor(first.node);
  const second = other === undefined ? first : await ask(user, other, options);
  if (second.kind === 'open') return second.epoch;
  throw new Failure('backend-unavailable', 'Your mailbox is being moved. Try again in a moment.');
}

async function ask(user: User, target: BackendTarget | undefined, options: SignInOptions): Promise<Opened> {
  if (target === undefined) throw unavailable(new Error('the route names no configured node'));
  const { host, port } = target;
  const body = user.password === undefined ? '' : JSON.stringify({ password: user.password });
  const headers = { ...vouchingHeaders({ ...user, epoch: undefined }), ...(body === '' ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }) };
  const asked = httpsRequest({ host, port, method: 'POST', path: '/api/sign-in', agent: options.agentFor(target), timeout: openTimeoutMs, headers });
  asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', (cause) => reject(unavailable(cause)));
    asked.end(body);
  });
  answer.resume();
  const epoch = Number(answer.headers[epochHeader]);
  if (answer.statusCode === 200 && Number.isInteger(epoch)) return { kind: 'open', epoch };
  const node = answer.headers[nodeHeader];
  if (answer.statusCode === 421) return { kind: 'referred', node: typeof node === 'string' ? node : undefined };
  if (answer.statusCode === 401 && user.password !== undefined) throw new Failure('bad-credentials', 'Wrong user name or password.');
  throw unavailable(new Error(`the back-end answered ${String(answer.statusCode)}`));
}

function unavailable(cause: Error): Failure {
  return new Failure('backend-unavailable', 'The server that keeps your mailbox can\'t be reached right now. Try again in a moment.', { cause });
}
