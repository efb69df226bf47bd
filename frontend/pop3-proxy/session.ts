/** The POP3 conversation before login (RFC 1939 AUTHORIZATION state, RFC 2449 CAPA, RFC 2595 STLS, RFC 5034 AUTH). */
import { parseForwardedClient } from '../../shared/pop3/command.ts';
import type { Identity } from '../authentication/authentication.ts';
import type { Outcome, Visitor } from '../login/proxy-service.ts';
import { fewerHops } from '../login/foreign.ts';
import { hearOfClient, isTrustedProxy } from '../login/forwarded-client.ts';
import { logIn } from '../login/login.ts';
import { exchangeSasl, isOutage, mayUsePasswordCommands, offeredTo } from '../login/sasl.ts';
import { logInAsUser, logInAtNode } from './backend-login.ts';
import { announcedCapabilities } from './capabilities.ts';
import { replyFor } from './replies.ts';
import { countLogin } from '../../shared/metrics/service-counters.ts';

/** What happens after a command. */
type Next = { readonly kind: 'go-on' } | { readonly kind: 'mistake' } | { readonly kind: 'login-failed' } | Outcome;

interface Session extends Visitor {
  /** Given by USER, waiting for PASS. */
  user: string | undefined;
}

interface Command {
  readonly allowedIn: 'any' | 'clear' | 'password';
  readonly run: (session: Session, argument: string) => Promise<Next>;
}

const goOn = { kind: 'go-on' } as const;
const mistake = { kind: 'mistake' } as const;
const over = { kind: 'over' } as const;
const tlsFirst = '-ERR log in over TLS only: use STLS first, or port 995';

const commands: Readonly<Record<string, Command>> = {
  CAPA: { allowedIn: 'any', run: tellCapabilities },
  XCLIENT: { allowedIn: 'any', run: hearProxy },
  STLS: { allowedIn: 'clear', run: startTls },
  USER: { allowedIn: 'password', run: takeUser },
  PASS: { allowedIn: 'password', run: takePassword },
  AUTH: { allowedIn: 'any', run: authenticate },
  QUIT: { allowedIn: 'any', run: quit },
};

/** Greets, then obeys one command after the other until login or the end of the line. */
export async function converse(visitor: Visitor): Promise<Outcome> {
  const session: Session = Object.assign(visitor, { user: undefined });
  const { connection, options } = visitor;
  let mistakes = 0;
  let failedLogins = 0;
  await connection.write('+OK POP3 ready\r\n');
  for (;;) {
    const line = await readCommand(session);
    if (line === undefined) return over;
    const next = await obey(session, line);
    if (next.kind === 'logged-in' || next.kind === 'over') return next;
    if (next.kind === 'mistake') mistakes += 1;
    if (next.kind === 'login-failed') failedLogins += 1;
    if (mistakes > options.limits.maxErrors || failedLogins >= options.limits.maxAuthErrors) {
      connection.end('-ERR too many errors, goodbye\r\n');
      return over;
    }
  }
}

async function readCommand(session: Session): Promise<string | undefined> {
  try {
    return await session.connection.readLine();
  } catch (error) {
    session.connection.end(`${replyFor(error, session.identity.session)}\r\n`);
    return undefined;
  }
}

async function obey(session: Session, line: string): Promise<Next> {
  const space = line.indexOf(' ');
  const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (command === undefined || line.includes('\0')) return refuse(session, '-ERR unknown command; before login: CAPA, STLS, USER, PASS, AUTH, QUIT');
  if (command.allowedIn === 'password' && !mayUsePasswordCommands(session)) {
    return refuse(session, session.connection.encrypted ? '-ERR use AUTH' : tlsFirst);
  }
  if (command.allowedIn === 'clear' && session.connection.encrypted) return refuse(session, '-ERR TLS is active already');
  return command.run(session, space < 0 ? '' : line.slice(space + 1));
}

async function refuse(session: Session, reply: string): Promise<Next> {
  await session.connection.write(`${reply}\r\n`);
  return mistake;
}

async function tellCapabilities(session: Session): Promise<Next> {
  const all = announcedCapabilities(session.options.road.capabilities.common, {
    mechanisms: offeredTo(session),
    startTls: session.connection.encrypted ? 'no' : 'yes',
    passwordCommands: mayUsePasswordCommands(session) ? 'yes' : 'no',
  });
  await session.connection.write(`+OK capabilities follow\r\n${all.join('\r\n')}\r\n.\r\n`);
  return goOn;
}

/** A proxy in front of us says how many may still come, which anybody may; and who its client is, which is believed of those that are trusted. */
async function hearProxy(session: Session, argument: string): Promise<Next> {
  session.hopsLeft = fewerHops(session.hopsLeft, /(?:^| )TTL=(\d+)/i.exec(argument)?.[1]);
  if (isTrustedProxy(session)) {
    try {
      const { address, port, session: id } = parseForwardedClient(argument, session.identity);
      hearOfClient(session, { address, port: String(port), session: id });
    } catch (error) {
      return refuse(session, replyFor(error, session.identity.session));
    }
  }
  await session.connection.write('+OK\r\n');
  return goOn;
}

async function startTls(session: Session): Promise<Next> {
  await session.connection.write('+OK begin TLS\r\n');
  try {
    await session.connection.startTlsAsServer(session.options.serverTls);
  } catch (error) {
    session.log.debug({ err: error }, 'TLS handshake failed');
    return over;
  }
  session.user = undefined;
  return goOn;
}

async function takeUser(session: Session, argument: string): Promise<Next> {
  if (argument === '') return refuse(session, '-ERR USER needs a name');
  session.user = Buffer.from(argument, 'latin1').toString('utf8');
  await session.connection.write('+OK now PASS\r\n');
  return goOn;
}

async function takePassword(session: Session, argument: string): Promise<Next> {
  const name = session.user;
  session.user = undefined;
  if (name === undefined) return refuse(session, '-ERR USER comes first');
  return tryLogin(session, { kind: 'password', name, password: Buffer.from(argument, 'latin1').toString('utf8') });
}

async function authenticate(session: Session, argument: string): Promise<Next> {
  const [name = '', initial] = argument.split(' ');
  const offered = offeredTo(session);
  if (offered.length === 0 && !session.connection.encrypted) return refuse(session, tlsFirst);
  if (argument === '') {
    await session.connection.write(`+OK mechanisms follow\r\n${offered.map((one) => `${one}\r\n`).join('')}.\r\n`);
    return goOn;
  }
  const mechanism = offered.find((one) => one === name.toUpperCase());
  if (mechanism === undefined) return refuse(session, `-ERR not a mechanism here; there are: ${offered.join(' ')}`);
  try {
    const end = await exchangeSasl(session, mechanism, initial);
    switch (end.kind) {
      case 'gone': return over;
      case 'cancelled': return await refuse(session, '-ERR authentication cancelled');
      case 'refused': return await loginFailed(session, { user: mechanism, error: end.failure });
      case 'identity': return await tryLogin(session, end.identity);
    }
  } catch (error) {
    return refuse(session, replyFor(error, session.identity.session));
  }
}

async function tryLogin(session: Session, identity: Identity): Promise<Next> {
  const { connection, identity: client, log, options } = session;
  try {
    const login = await logIn(options.road, { identity, client, hopsLeft: session.hopsLeft, log }, { asNode: logInAtNode, asUser: logInAsUser });
    await connection.write(`+OK ${login.welcome}\r\n`);
    return { kind: 'logged-in', login };
  } catch (error) {
    return loginFailed(session, { user: identity.kind === 'password' ? identity.name : identity.user.address, error });
  }
}

async function loginFailed({ connection, identity, log, trace }: Session, failed: { readonly user: string; readonly error: unknown }): Promise<Next> {
  trace?.claim(failed.user);
  log.info({ user: failed.user, err: failed.error }, 'login failed');
  countLogin('pop3Proxy', { thrown: failed.error });
  await connection.write(`${replyFor(failed.error, identity.session)}\r\n`);
  return isOutage(failed.error) ? goOn : { kind: 'login-failed' };
}

async function quit(session: Session): Promise<Next> {
  session.connection.end('+OK goodbye\r\n');
  await session.connection.closed;
  return over;
}
