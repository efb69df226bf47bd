/** Sign-in at a front-end: the password is checked at the directory, the account opened at its back-end, then the cookie given. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { newSessionId } from '../../shared/base/session-id.ts';
import { readHostField } from '../../shared/http/host-field.ts';
import { readJson } from '../../shared/http/body.ts';
import { HttpRefusal, sendJson } from '../../shared/http/refusals.ts';
import { traceExchange } from '../../shared/http/traced-exchange.ts';
import { beginTrace } from '../../shared/log/protocol-trace.ts';
import type { Exchange } from '../../shared/http/http-service.ts';
import { clearedSetCookie, sessionSetCookie } from '../../shared/session-cookie/session-cookie.ts';
import type { SessionAges } from '../../shared/session-cookie/session-cookie.ts';
import { epochHeader, nodeHeader } from '../../shared/session-cookie/session-headers.ts';
import type { Authentication, PasswordsAt } from '../authentication/authentication.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { nodeOfRoute } from './backends.ts';
import type { Backends } from './backends.ts';
import type { BackendTarget, Pools } from './pools.ts';
import { vouchingHeaders } from './request-headers.ts';
import { forwardedFields } from './seen-from.ts';
import type { SeenFrom } from './seen-from.ts';
import { countingLogin } from '../../shared/metrics/service-counters.ts';

const maxSignInBytes = 8 * 1024;
/** The back-end may have to ask the directory and other nodes before it makes a new mailbox. */
const openTimeoutMs = 15_000;

const credentials = z.strictObject({ name: z.string().min(1).max(320), password: z.string().min(1).max(1024) });

export interface SignInOptions {
  readonly authentication: Authentication;
  /** Where the users' passwords are checked. */
  readonly passwordsAt: PasswordsAt;
  /** Whether passwords may come over http. */
  readonly clearTextLogin: 'yes' | 'no';
  readonly mapping: Pick<Mapping, 'forget'>;
  readonly backendFor: (node: string) => BackendTarget | undefined;
  readonly backends: Pick<Backends, 'inTurn'>;
  readonly pools: Pools;
  /** The domain that completes bare names under this host name; undefined: the cluster's own does. */
  readonly primaryDomainOf: (hostName: string) => string | undefined;
  readonly cookieSecret: Buffer;
  readonly ages: SessionAges;
}

type Opened = { readonly kind: 'open'; readonly epoch: number } | { readonly kind: 'referred'; readonly node: string | undefined };

/** Who asks, and by which way. */
interface Asker {
  readonly seen: SeenFrom;
  readonly session: string;
  readonly response: ServerResponse;
}

export async function signIn(exchange: Exchange, seen: SeenFrom, options: SignInOptions): Promise<void> {
  const { request, response, inviteBody, log } = exchange;
  // What is refused here has been sent already; but the page is not offered as a way in, and nobody grows used to it.
  if (seen.scheme === 'http' && options.clearTextLogin === 'no') throw new Failure('privacy-required', 'Sign in over https only.');
  inviteBody();
  const given = credentials.safeParse(await readJson(request, maxSignInBytes));
  if (!given.success) throw new Failure('bad-input', 'Give an address and a password.');
  const session = newSessionId();
  const name = completed(given.data.name, seen, options);
  const trace = beginTrace({ service: 'webmailProxy', session });
  if (trace !== undefined) traceExchange(exchange, trace.tell);
  trace?.claim(name);
  const { address, epoch } = await countingLogin('webmailProxy', async () => prove({ name, password: given.data.password }, { seen, session, response }, options));
  trace?.settle(address);
  const nowMs = Date.now();
  response.setHeader('set-cookie', sessionSetCookie({ address, epoch, session, signedInAtMs: nowMs, seenAtMs: nowMs }, options.cookieSecret, options.ages));
  log.info({ account: address, session, client: seen.client }, 'signed in');
  sendJson(response, 200, { address });
}

/** The account whose name and password these are, and its epoch; guesses are counted. Throws as `Authentication.logIn` does. */
async function prove(given: { readonly name: string; readonly password: string }, asker: Asker, options: SignInOptions): Promise<{ readonly address: string; readonly epoch: number }> {
  return options.authentication.logIn(
    { identity: { kind: 'password', ...given }, client: { address: asker.seen.client }, passwordsAt: options.passwordsAt },
    async ({ address, route }, password) => ({ address, epoch: await openAccount({ ...asker, address, password }, nodeOfRoute(route), options) }),
  );
}

const passwordChange = z.object({ old: z.string().min(1).max(1024) });

/**
 * Reads a request to change the password, and checks the present one as a sign-in would be: wrong ones are guesses. The
 * back-end reads the rest of it. @throws Failure('bad-credentials') and what a sign-in throws
 */
export async function readPasswordChange({ request, response, inviteBody }: Exchange, { address, seen, session }: Pick<User, 'address' | 'seen' | 'session'>, options: SignInOptions): Promise<Buffer> {
  inviteBody();
  const body = await readJson(request, maxSignInBytes);
  const given = passwordChange.safeParse(body);
  if (!given.success) throw new Failure('bad-input', 'Give the present password and the new one.');
  try {
    await prove({ name: address, password: given.data.old }, { seen, session, response }, options);
  } catch (error) {
    throw isFailure(error, 'bad-credentials') ? new Failure('bad-credentials', 'The present password is wrong.', { cause: error }) : error;
  }
  return Buffer.from(JSON.stringify(body));
}

export function signOut({ response }: Exchange): void {
  response.setHeader('set-cookie', clearedSetCookie);
  sendJson(response, 200, {});
}

/** Under a virtual host a bare name is of that host's domain. */
function completed(name: string, { host }: SeenFrom, { primaryDomainOf }: SignInOptions): string {
  const domain = name.includes('@') ? undefined : primaryDomainOf(readHostField(host)?.name ?? '');
  return domain === undefined ? name : `${name}@${domain}`;
}

interface User extends Asker {
  readonly address: string;
  /** For the back-end to check; undefined when it is to take our word. */
  readonly password: string | undefined;
}

/** The account's epoch, from the back-end that keeps it; a referral is followed once. */
async function openAccount(user: User, node: string, options: SignInOptions): Promise<number> {
  const first = await ask(user, node, options);
  if (first.kind === 'open') return first.epoch;
  options.mapping.forget(user.address);
  const other = first.node === undefined || first.node === node || options.backendFor(first.node) === undefined ? undefined : first.node;
  const second = other === undefined ? first : await ask(user, other, options);
  if (second.kind === 'open') return second.epoch;
  throw new Failure('backend-unavailable', 'Your mailbox is being moved. Try again in a moment.');
}

async function ask(user: User, node: string, { backends, pools }: SignInOptions): Promise<Opened> {
  // Opening an account twice is opening it: a kept connection that the back-end had closed is no reason to fail.
  return backends.inTurn({ ...user, node }, async (target) => {
    try {
      return await askOnce(user, target, pools);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return await askOnce(user, target, pools);
    }
  });
}

class StaleConnection extends Error {}

async function askOnce({ address, seen, session, password }: User, target: BackendTarget, pools: Pools): Promise<Opened> {
  const { host, port } = target;
  const body = password === undefined ? '' : JSON.stringify({ password });
  const headers = {
    ...forwardedFields(seen), ...vouchingHeaders({ address, client: seen.client, session, epoch: undefined }),
    'content-length': String(Buffer.byteLength(body)), ...(body === '' ? {} : { 'content-type': 'application/json' }),
  };
  const asked = httpsRequest({ host, port, method: 'POST', path: '/api/sign-in', agent: pools.forRequests(target), timeout: openTimeoutMs, headers });
  asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', (cause: NodeJS.ErrnoException) => reject(asked.reusedSocket && cause.code === 'ECONNRESET' ? new StaleConnection(cause.message) : unavailable(cause)));
    asked.end(body);
  });
  const barred = answer.statusCode === 403 ? await readBarred(answer) : undefined;
  if (barred !== undefined) throw barred;
  answer.resume();
  const epoch = Number(answer.headers[epochHeader]);
  if (answer.statusCode === 200 && Number.isInteger(epoch)) return { kind: 'open', epoch };
  const node = answer.headers[nodeHeader];
  if (answer.statusCode === 421) return { kind: 'referred', node: typeof node === 'string' ? node : undefined };
  if (answer.statusCode === 401 && password !== undefined) throw new Failure('bad-credentials', 'Wrong user name or password.');
  throw unavailable(new Error(`the back-end answered ${String(answer.statusCode)}`));
}

const barredAnswer = z.object({ error: z.object({ kind: z.enum(['password-expired', 'account-disabled', 'service-denied']), text: z.string() }) });

/** What a back-end says of an account whose password is right and that nobody gets into; undefined for another refusal. */
async function readBarred(answer: IncomingMessage): Promise<Failure | undefined> {
  try {
    const { error: { kind, text } } = barredAnswer.parse(await readJson(answer, maxSignInBytes));
    return new Failure(kind, text);
  } catch (error) {
    if (error instanceof z.ZodError || isFailure(error) || error instanceof HttpRefusal) return undefined;
    throw unavailable(error instanceof Error ? error : new Error(String(error)));
  }
}

function unavailable(cause: Error): Failure {
  return new Failure('backend-unavailable', 'The server that keeps your mailbox can\'t be reached right now. Try again in a moment.', { cause });
}
