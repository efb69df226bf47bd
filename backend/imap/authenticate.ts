/** Commands before login: STARTTLS, LOGIN, AUTHENTICATE (RFC 9051 section 6.2; initial response: RFC 4959). */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { decodeUtf8 } from '../../shared/imap/scanner.ts';
import { decodeBase64, findMechanism, maxSaslLineBytes, startSasl } from '../../shared/sasl/mechanisms.ts';
import type { SaslStep } from '../../shared/sasl/mechanisms.ts';
import type { Account } from '../storage/storage.ts';
import { capabilities } from './capabilities.ts';
import { nothing, sessionCommand } from './command.ts';
import { bad, no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';
import { countLogin } from '../../shared/metrics/service-counters.ts';
import { countForAccount } from '../../shared/reporting/account-counts.ts';
import { traceOf } from '../../shared/log/protocol-trace.ts';
import { imapTap } from '../../shared/log/wire-lines.ts';

export const startTls = sessionCommand(['not-authenticated'], {
  verb: 'STARTTLS',
  parse: nothing,
  run: async (session) => {
    if (session.connection.encrypted) return bad('TLS is active already');
    return { ...ok('begin TLS negotiation'), afterwards: async () => negotiate(session) };
  },
});

async function negotiate(session: Session): Promise<void> {
  try {
    await session.connection.startTlsAsServer(session.options.serverTls);
  } catch (error) {
    session.log.debug({ err: error }, 'TLS handshake failed');
    session.connection.destroy();
    session.enter({ at: 'logout', then: 'close' });
  }
}

export const login = sessionCommand(['not-authenticated'], {
  verb: 'LOGIN',
  parse: (scanner) => {
    const user = decodeUtf8(scanner.astring());
    scanner.space();
    return { user, password: decodeUtf8(scanner.astring()) };
  },
  run: async (session, { user, password }) => {
    requirePrivacy(session);
    return settleLogin(session, user, async () => session.options.accounts.login({ name: user, password, service: 'imap', asker: askerOf(session) }));
  },
});

export const authenticate = sessionCommand(['not-authenticated'], {
  verb: 'AUTHENTICATE',
  parse: (scanner) => ({ mechanism: scanner.word(), initial: scanner.accept(' ') ? scanner.until(/ /) : undefined }),
  run: async (session, { mechanism: name, initial }) => {
    const mechanism = findMechanism(name);
    if (mechanism === undefined || (mechanism === 'EXTERNAL' && !mayVouch(session))) return no('no such mechanism', 'CANNOT');
    requirePrivacy(session);
    const exchange = startSasl(mechanism);
    let step = exchange.step(initial === undefined ? undefined : decodeResponse(initial === '=' ? '' : initial));
    while (step.kind === 'challenge') {
      await session.invite(step.data.toString('base64'));
      const line = await session.connection.readLine();
      if (line === undefined) throw new Failure('bad-input', 'connection closed during authentication');
      if (line === '*') return bad('authentication cancelled');
      step = exchange.step(decodeResponse(line));
    }
    return finishSasl(session, step);
  },
});

function decodeResponse(line: string): Buffer {
  const response = line.length > maxSaslLineBytes ? undefined : decodeBase64(line);
  if (response === undefined) throw new Failure('bad-input', 'that is not base64');
  return response;
}

async function finishSasl(session: Session, step: Exclude<SaslStep, { kind: 'challenge' }>): Promise<Completion> {
  if (step.kind === 'external') {
    const address = step.authorisationId;
    if (address === undefined) return no('EXTERNAL needs the address of the user', 'AUTHORIZATIONFAILED');
    if (session.options.neighbour !== undefined) return settleGuest(session, address.toLowerCase());
    return settleLogin(session, address, async () => session.options.accounts.open(address, 'imap'));
  }
  const { user, password, authorisationId } = step;
  return settleLogin(session, user, async () => {
    if (authorisationId !== undefined && authorisationId !== user) throw new Failure('bad-credentials', 'nobody may log in as somebody else here');
    return session.options.accounts.login({ name: user, password, service: 'imap', asker: askerOf(session) });
  });
}

/** A node of the cluster, by its certificate. */
function mayVouch({ options: { trustedPeer, neighbour } }: Session): boolean {
  return trustedPeer === 'yes' || neighbour !== undefined;
}

/** Another back-end comes for a user of its own, who wants to see folders of an account of this node: it said before of which. */
async function settleGuest(session: Session, guest: string): Promise<Completion> {
  const { guestOf } = session;
  if (guestOf === undefined || guest === guestOf) return no('say first whose folders are meant', 'AUTHORIZATIONFAILED');
  return settleLogin(session, guestOf, async () => {
    const owner = await session.options.sharing.ownerOf(guestOf);
    if (owner.at === 'node') throw new Failure('not-kept-here', 'the mailbox is on another node', { node: owner.node });
    if (owner.at === 'none') throw new Failure('unknown-user', 'no such user');
    session.guest = guest;
    return owner.account;
  });
}

function askerOf(session: Session): 'frontend' | 'client' {
  return session.options.trustedPeer === 'yes' ? 'frontend' : 'client';
}

function requirePrivacy(session: Session): void {
  if (!session.connection.encrypted) throw new Failure('privacy-required', 'log in over TLS only: use STARTTLS first, or port 993');
}

/** Opens the account and says so, or slows the client down. */
async function settleLogin(session: Session, address: string, open: () => Promise<Account>): Promise<Completion> {
  session.wantedAddress = address;
  try {
    const account = await open();
    await session.options.userSessions?.enter(session.guest === undefined ? account.id : `guest ${session.guest}`, session.connection.closed);
    session.enter({ at: 'authenticated', account });
    const tell = traceOf({ service: 'imap', session: session.id, account: account.address });
    if (tell !== undefined) session.connection.watch(imapTap(tell));
    session.connection.setIdleTimeout(session.options.limits.idleTimeoutMs);
    session.sessionLog.learn({ account: account.address, ...(session.guest === undefined ? {} : { guest: session.guest }) });
    session.log.info('logged in');
    if (session.guest === undefined) {
      countLogin('imap', 'accepted');
      countForAccount(account.address, 'logins');
    }
    return ok('logged in', `CAPABILITY ${capabilities(session)}`);
  } catch (error) {
    const guessed = isFailure(error, 'bad-credentials') || isFailure(error, 'unknown-user') || isFailure(error, 'account-disabled') || isFailure(error, 'service-denied');
    session.log.info({ user: address, reason: isFailure(error) ? error.kind : 'error' }, 'login failed');
    countLogin('imap', { thrown: error });
    if (guessed) {
      session.failedLogins += 1;
      // A front-end slows its clients down itself.
      if (askerOf(session) === 'client') await session.slot.without(async () => sleep(session.options.limits.loginFailureDelayMs));
    }
    throw error;
  }
}
