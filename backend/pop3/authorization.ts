/** Commands before login: STLS (RFC 2595), USER and PASS (RFC 1939 section 7), AUTH (RFC 5034), and XCLIENT of our front-ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { parseForwardedClient } from '../../shared/pop3/command.ts';
import { decodeBase64, findMechanism, maxSaslLineBytes, startSasl } from '../../shared/sasl/mechanisms.ts';
import type { SaslStep } from '../../shared/sasl/mechanisms.ts';
import type { Account } from '../storage/storage.ts';
import { Maildrop } from './maildrop.ts';
import { sayLines } from './replies.ts';
import type { Session } from './session.ts';
import { countLogin } from '../../shared/metrics/service-counters.ts';
import { countForAccount } from '../../shared/reporting/account-counts.ts';
import { traceOf } from '../../shared/log/protocol-trace.ts';
import { pop3Tap } from '../../shared/log/wire-lines.ts';

export async function stls(session: Session): Promise<undefined> {
  if (session.connection.encrypted) throw new Failure('bad-input', 'TLS is active already');
  await session.connection.write('+OK begin TLS\r\n');
  try {
    await session.connection.startTlsAsServer(session.options.serverTls);
    // Nothing said in the clear counts any more (RFC 2595 section 4).
    session.enter({ at: 'authorization', user: undefined });
  } catch (error) {
    session.log.debug({ err: error }, 'TLS handshake failed');
    session.cut();
  }
  return undefined;
}

export async function user(session: Session, argument: string): Promise<string> {
  requirePrivacy(session);
  if (argument === '') throw new Failure('bad-input', 'the form is: USER name');
  session.enter({ at: 'authorization', user: fromUtf8(argument) });
  return Promise.resolve('now PASS');
}

export async function pass(session: Session, argument: string): Promise<string> {
  requirePrivacy(session);
  const name = session.state.at === 'authorization' ? session.state.user : undefined;
  if (name === undefined) throw new Failure('bad-input', 'USER comes first');
  session.enter({ at: 'authorization', user: undefined });
  return logIn(session, name, async () => session.options.accounts.login({ name, password: fromUtf8(argument), service: 'pop3', asker: askerOf(session) }));
}

export async function auth(session: Session, argument: string): Promise<string | undefined> {
  requirePrivacy(session);
  const trusted = session.options.trustedPeer === 'yes';
  if (argument === '') {
    await sayLines(session.connection, 'mechanisms follow', ['PLAIN', 'LOGIN', ...(trusted ? ['EXTERNAL'] : [])]);
    return undefined;
  }
  const [name = '', initial, ...more] = argument.split(' ');
  const mechanism = findMechanism(name);
  if (more.length > 0 || mechanism === undefined || (mechanism === 'EXTERNAL' && !trusted)) {
    throw new Failure('bad-input', 'no such mechanism');
  }
  const exchange = startSasl(mechanism);
  // An initial response of `=` is the empty one (RFC 5034 section 4).
  let step = exchange.step(initial === undefined ? undefined : decodeResponse(initial === '=' ? '' : initial));
  while (step.kind === 'challenge') {
    await session.connection.write(`+ ${step.data.toString('base64')}\r\n`);
    const line = await session.connection.readLine();
    if (line === undefined) throw new Failure('bad-input', 'connection closed during authentication');
    if (line === '*') throw new Failure('bad-input', 'authentication cancelled');
    step = exchange.step(decodeResponse(line));
  }
  return finishSasl(session, step);
}

/** A front-end tells who its client is, before it logs the client in. */
export async function xclient(session: Session, argument: string): Promise<string> {
  if (session.options.trustedPeer === 'no') throw new Failure('bad-input', 'unknown command');
  session.client = parseForwardedClient(argument, session.client);
  session.log = session.log.child({ session: session.client.session, client: session.client.address });
  return Promise.resolve('client noted');
}

function decodeResponse(text: string): Buffer {
  const response = text.length > maxSaslLineBytes ? undefined : decodeBase64(text);
  if (response === undefined) throw new Failure('bad-input', 'that is not base64');
  return response;
}

async function finishSasl(session: Session, step: Exclude<SaslStep, { kind: 'challenge' }>): Promise<string> {
  const { accounts } = session.options;
  if (step.kind === 'external') {
    const address = step.authorisationId;
    if (address === undefined) throw new Failure('bad-input', 'EXTERNAL needs the address of the user');
    return logIn(session, address, async () => accounts.open(address, 'pop3'));
  }
  const { authorisationId, password } = step;
  return logIn(session, step.user, async () => {
    if (authorisationId !== undefined && authorisationId !== step.user) {
      throw new Failure('bad-credentials', 'nobody may log in as somebody else here');
    }
    return accounts.login({ name: step.user, password, service: 'pop3', asker: askerOf(session) });
  });
}

function askerOf(session: Session): 'frontend' | 'client' {
  return session.options.trustedPeer === 'yes' ? 'frontend' : 'client';
}

function requirePrivacy(session: Session): void {
  if (!session.connection.encrypted) throw new Failure('privacy-required', 'log in over TLS only: use STLS first, or port 995');
}

/** Opens the maildrop, or slows the client down. */
async function logIn(session: Session, name: string, open: () => Promise<Account>): Promise<string> {
  const { limits } = session.options;
  try {
    const account = await open();
    await session.options.userSessions?.enter(account.id, session.connection.closed);
    // The client may have been sent away meanwhile, for being slow.
    if (session.state.at !== 'authorization') throw new Failure('shutting-down', 'too late');
    session.log = session.log.child({ account: account.address });
    const maildrop = new Maildrop(account, session.log);
    session.enter({ at: 'transaction', maildrop });
    const tell = traceOf({ service: 'pop3', session: session.client.session, account: account.address });
    if (tell !== undefined) session.connection.watch(pop3Tap(tell));
    session.connection.setIdleTimeout(limits.idleTimeoutMs);
    const { messages, octets } = maildrop.sum;
    session.log.info({ messages }, 'logged in');
    countLogin('pop3', 'accepted');
    countForAccount(account.address, 'logins');
    return `maildrop has ${String(messages)} messages (${String(octets)} octets)`;
  } catch (error) {
    const guessed = isFailure(error, 'bad-credentials') || isFailure(error, 'unknown-user') || isFailure(error, 'account-disabled') || isFailure(error, 'service-denied');
    session.log.info({ user: name, reason: isFailure(error) ? error.kind : 'error' }, 'login failed');
    countLogin('pop3', { thrown: error });
    if (guessed) {
      session.failedLogins += 1;
      // A front-end slows its clients down itself.
      if (askerOf(session) === 'client') await session.slot.without(async () => sleep(limits.loginFailureDelayMs));
    }
    throw error;
  }
}

function fromUtf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
