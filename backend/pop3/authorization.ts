/** Commands before login: STLS (RFC 2595), USER and PASS (RFC 1939 section 7), AUTH (RFC 5034), UTF8 (RFC 6856), and XCLIENT of our front-ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { parseForwardedClient } from '../../shared/pop3/command.ts';
import { readCredential } from '../../shared/pop3/credentials.ts';
import { Refusal } from '../../shared/pop3/texts.ts';
import { decodeBase64, findMechanism, maxSaslLineBytes, startSasl } from '../../shared/sasl/mechanisms.ts';
import type { SaslStep } from '../../shared/sasl/mechanisms.ts';
import type { Account } from '../storage/storage.ts';
import { Maildrop } from './maildrop.ts';
import type { Answer, Session } from './session.ts';
import { countLogin } from '../../shared/metrics/service-counters.ts';
import { countForAccount } from '../../shared/reporting/account-counts.ts';
import { traceOf } from '../../shared/log/protocol-trace.ts';
import { pop3Tap } from '../../shared/log/wire-lines.ts';

export async function stls(session: Session): Promise<undefined> {
  if (session.connection.encrypted) throw new Refusal('bad-input', session.texts.tlsActive);
  if (session.utf8 === 'on') throw new Refusal('bad-input', session.texts.tlsBeforeUtf8); // RFC 6856 section 2.1
  session.output.say(`+OK ${session.texts.beginTls}\r\n`);
  await session.output.flush();
  try {
    await session.connection.startTlsAsServer(session.options.serverTls);
    // Nothing said in the clear counts any more (RFC 2595 section 4).
    session.enter({ at: 'authorization', user: undefined });
    session.language = 'en';
  } catch (error) {
    session.log.debug({ err: error }, 'TLS handshake failed');
    session.cut();
  }
  return undefined;
}

export function utf8(session: Session): Answer {
  session.utf8 = 'on';
  return session.texts.utf8;
}

export function user(session: Session, argument: string): Answer {
  requirePrivacy(session);
  if (argument === '') throw new Refusal('bad-input', session.texts.form('USER name'));
  session.enter({ at: 'authorization', user: readCredential(argument, session.texts) });
  return session.texts.password;
}

export async function pass(session: Session, argument: string): Promise<string> {
  requirePrivacy(session);
  const name = session.state.at === 'authorization' ? session.state.user : undefined;
  if (name === undefined) throw new Refusal('bad-input', session.texts.userFirst);
  session.enter({ at: 'authorization', user: undefined });
  const password = readCredential(argument, session.texts);
  return logIn(session, name, async () => session.options.accounts.login({ name, password, service: 'pop3', asker: askerOf(session) }));
}

export async function auth(session: Session, argument: string): Promise<string | undefined> {
  requirePrivacy(session);
  const trusted = session.options.trustedPeer === 'yes';
  if (argument === '') {
    session.sayLines(session.texts.mechanisms, ['PLAIN', 'LOGIN', ...(trusted ? ['EXTERNAL'] : [])]);
    return undefined;
  }
  const [name = '', initial, ...more] = argument.split(' ');
  const mechanism = findMechanism(name);
  if (more.length > 0 || mechanism === undefined || (mechanism === 'EXTERNAL' && !trusted)) {
    throw new Refusal('bad-input', session.texts.noSuchMechanism);
  }
  const exchange = startSasl(mechanism);
  // An initial response of `=` is the empty one (RFC 5034 section 4).
  let step = exchange.step(initial === undefined ? undefined : decodeResponse(session, initial === '=' ? '' : initial));
  while (step.kind === 'challenge') {
    session.output.say(`+ ${step.data.toString('base64')}\r\n`);
    await session.output.flush();
    const line = await session.connection.readLine();
    if (line === undefined) throw new Failure('bad-input', 'connection closed during authentication');
    if (line === '*') throw new Refusal('bad-input', session.texts.cancelled);
    step = exchange.step(decodeResponse(session, line));
  }
  return finishSasl(session, step);
}

/** A front-end tells who its client is, before it logs the client in. */
export function xclient(session: Session, argument: string): Answer {
  if (session.options.trustedPeer === 'no') throw new Refusal('bad-input', session.texts.unknownCommand);
  session.client = parseForwardedClient(argument, session.client);
  session.sessionLog.learn({ session: session.client.session, client: session.client.address });
  return 'client noted';
}

function decodeResponse({ texts }: Session, text: string): Buffer {
  const response = text.length > maxSaslLineBytes ? undefined : decodeBase64(text);
  if (response === undefined) throw new Refusal('bad-input', texts.notBase64);
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
  if (!session.connection.encrypted) throw new Refusal('privacy-required', session.texts.tlsFirst);
}

/** Opens the maildrop, or slows the client down. */
async function logIn(session: Session, name: string, open: () => Promise<Account>): Promise<string> {
  const { limits } = session.options;
  try {
    const account = await open();
    const maildrop = await openMaildrop(session, account);
    session.sessionLog.learn({ account: account.address });
    session.enter({ at: 'transaction', maildrop });
    const tell = traceOf({ service: 'pop3', session: session.client.session, account: account.address });
    if (tell !== undefined) session.connection.watch(pop3Tap(tell));
    session.connection.setIdleTimeout(limits.idleTimeoutMs);
    const { messages, octets } = maildrop.sum;
    session.log.info({ messages }, 'logged in');
    countLogin('pop3', 'accepted');
    countForAccount(account.address, 'logins');
    return session.texts.opened(messages, octets);
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

async function openMaildrop(session: Session, account: Account): Promise<Maildrop> {
  const { maildrops, userSessions, policy, now = Date.now } = session.options;
  const unlock = (await maildrops?.open(account)) ?? (async () => Promise.resolve());
  try {
    await userSessions?.enter(account.id, session.connection.closed);
    // The client may have been sent away meanwhile, for being slow.
    if (session.state.at !== 'authorization') throw new Failure('shutting-down', 'too late');
    return new Maildrop(account, { ...policy, log: session.log, now, unlock });
  } catch (error) {
    await unlock();
    throw error;
  }
}
