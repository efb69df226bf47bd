/** Commands before login: STARTTLS, LOGIN, AUTHENTICATE (RFC 9051 section 6.2, RFC 4959); and ID, ENABLE, CAPABILITY, NOOP, LOGOUT. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { decodeUtf8 } from '../../shared/imap/scanner.ts';
import type { Scanner } from '../../shared/imap/scanner.ts';
import { decodeBase64, findMechanism, maxSaslLineBytes, startSasl } from '../../shared/sasl/mechanisms.ts';
import type { SaslStep } from '../../shared/sasl/mechanisms.ts';
import type { Account } from '../storage/storage.ts';
import { capabilities } from './capabilities.ts';
import { nothing, sessionCommand } from './command.ts';
import { bad, no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

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
    session.enter({ at: 'logout' });
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
    return settleLogin(session, user, async () => session.options.accounts.login(user, password));
  },
});

export const authenticate = sessionCommand(['not-authenticated'], {
  verb: 'AUTHENTICATE',
  parse: (scanner) => ({ mechanism: scanner.word(), initial: scanner.accept(' ') ? scanner.until(/ /) : undefined }),
  run: async (session, { mechanism: name, initial }) => {
    const mechanism = findMechanism(name);
    if (mechanism === undefined || (mechanism === 'EXTERNAL' && session.options.trustedPeer === 'no')) return no('no such mechanism', 'CANNOT');
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
    return settleLogin(session, address, async () => session.options.accounts.open(address));
  }
  const { user, password, authorisationId } = step;
  return settleLogin(session, user, async () => {
    if (authorisationId !== undefined && authorisationId !== user) throw new Failure('bad-credentials', 'nobody may log in as somebody else here');
    return session.options.accounts.login(user, password);
  });
}

function requirePrivacy(session: Session): void {
  if (!session.connection.encrypted) throw new Failure('privacy-required', 'log in over TLS only: use STARTTLS first, or port 993');
}

/** Opens the account and says so, or slows the client down. */
async function settleLogin(session: Session, address: string, open: () => Promise<Account>): Promise<Completion> {
  session.wantedAddress = address;
  try {
    const account = await open();
    session.enter({ at: 'authenticated', account });
    session.connection.setIdleTimeout(session.options.limits.idleTimeoutMs);
    session.log = session.log.child({ account: account.address });
    session.log.info('logged in');
    return ok('logged in', `CAPABILITY ${capabilities(session)}`);
  } catch (error) {
    const guessed = isFailure(error, 'bad-credentials') || isFailure(error, 'unknown-user') || isFailure(error, 'account-disabled');
    session.log.info({ user: address, reason: isFailure(error) ? error.kind : 'error' }, 'login failed');
    if (guessed) {
      session.failedLogins += 1;
      await sleep(session.options.limits.loginFailureDelayMs);
    }
    throw error;
  }
}

export const capability = sessionCommand(['not-authenticated', 'authenticated', 'selected'], {
  verb: 'CAPABILITY',
  parse: nothing,
  run: async (session) => {
    session.output.line(`* CAPABILITY ${capabilities(session)}`);
    return ok('CAPABILITY completed');
  },
});

export const noop = sessionCommand(['not-authenticated', 'authenticated', 'selected'], {
  verb: 'NOOP',
  parse: nothing,
  run: async () => ok('NOOP completed'),
});

export const logout = sessionCommand(['not-authenticated', 'authenticated', 'selected'], {
  verb: 'LOGOUT',
  parse: nothing,
  run: async (session) => {
    session.output.line('* BYE goodbye');
    session.enter({ at: 'logout' });
    return ok('LOGOUT completed');
  },
});

export const enable = sessionCommand(['authenticated', 'selected'], {
  verb: 'ENABLE',
  parse: (scanner) => {
    const names = [scanner.word()];
    while (scanner.accept(' ')) names.push(scanner.word());
    return names;
  },
  run: async (session, names) => {
    const enabled: string[] = [];
    for (const name of names) {
      if (name !== 'CONDSTORE' && name !== 'QRESYNC' && name !== 'IMAP4REV2') continue;
      session.enable(name);
      enabled.push(name === 'IMAP4REV2' ? 'IMAP4rev2' : name);
    }
    session.output.line(`* ENABLED${enabled.map((name) => ` ${name}`).join('')}`);
    return ok('ENABLE completed');
  },
});

const mostFields = 30;

export const id = sessionCommand(['not-authenticated', 'authenticated', 'selected'], {
  verb: 'ID',
  parse: takeFields,
  run: async (session, fields) => {
    if (session.options.trustedPeer === 'yes' && session.state.at === 'not-authenticated') takeClient(session, fields);
    else if (fields.size > 0) session.log.debug({ clientId: Object.fromEntries(fields) }, 'client names itself');
    session.output.line('* ID ("name" "Waybill")');
    return ok('ID completed');
  },
});

/** RFC 2971 section 3.1: pairs, at most 30, values up to 1024 octets. */
function takeFields(scanner: Scanner): Map<string, string> {
  const fields = new Map<string, string>();
  if (scanner.acceptWord('NIL')) return fields;
  scanner.list(
    () => {
      const name = scanner.string().toLowerCase();
      scanner.space();
      const value = scanner.nstring();
      if (fields.size >= mostFields || name.length > 30 || (value?.length ?? 0) > 1024) throw new Failure('bad-input', 'ID holds too much');
      if (value !== undefined) fields.set(name, value);
    },
    { mayBeEmpty: 'yes' },
  );
  return fields;
}

/** A front-end tells who its client is, before it logs the client in. */
function takeClient(session: Session, fields: ReadonlyMap<string, string>): void {
  const address = fields.get('x-originating-ip') ?? session.client.address;
  const port = Number(fields.get('x-originating-port') ?? session.client.port);
  const sessionId = fields.get('x-session-id') ?? session.id;
  if (!/^[0-9a-fA-F.:]{2,45}$/.test(address) || !Number.isInteger(port) || !/^[a-z0-9]{1,64}$/.test(sessionId)) {
    throw new Failure('bad-input', 'malformed x-originating or x-session field');
  }
  session.client = { address, port };
  session.id = sessionId;
  session.log = session.options.log.child({ session: sessionId, client: address });
}
