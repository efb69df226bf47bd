/** The POP3 conversation before login (RFC 1939 AUTHORIZATION state, RFC 2449 CAPA, RFC 2595 STLS, RFC 5034 AUTH, RFC 6856 UTF8 and LANG). */
import type { Language } from '../../shared/language/language.ts';
import { parseForwardedClient } from '../../shared/pop3/command.ts';
import { readCredential } from '../../shared/pop3/credentials.ts';
import { languageListing, languageOfRange, languageRefused } from '../../shared/pop3/language.ts';
import { loginTexts, onWire } from '../../shared/pop3/texts.ts';
import type { LoginTexts } from '../../shared/pop3/texts.ts';
import type { Identity } from '../authentication/authentication.ts';
import type { Outcome, Visitor } from '../login/proxy-service.ts';
import { fewerHops } from '../login/foreign.ts';
import { hearOfClient, isTrustedProxy } from '../login/forwarded-client.ts';
import { logIn } from '../login/login.ts';
import { exchangeSasl, isOutage, mayUsePasswordCommands, offeredTo } from '../login/sasl.ts';
import { logInAsUser, logInAtNode } from './backend-login.ts';
import { announcedCapabilities, speaks } from './capabilities.ts';
import { replyFor } from './replies.ts';
import { countLogin } from '../../shared/metrics/service-counters.ts';

/** What happens after a command. */
type Next = { readonly kind: 'go-on' } | { readonly kind: 'mistake' } | { readonly kind: 'login-failed' } | Outcome;

interface Session extends Visitor {
  /** Given by USER, waiting for PASS. */
  user: string | undefined;
  /** By LANG; undefined while the client has not asked. */
  language: Language | undefined;
  /** By UTF8. */
  utf8: 'on' | 'off';
}

interface Command {
  readonly allowedIn: 'any' | 'clear' | 'password';
  readonly run: (session: Session, argument: string) => Promise<Next>;
}

const goOn = { kind: 'go-on' } as const;
const mistake = { kind: 'mistake' } as const;
const over = { kind: 'over' } as const;
const commands: Readonly<Record<string, Command>> = {
  CAPA: { allowedIn: 'any', run: tellCapabilities },
  UTF8: { allowedIn: 'any', run: takeUtf8 },
  LANG: { allowedIn: 'any', run: chooseLanguage },
  XCLIENT: { allowedIn: 'any', run: hearProxy },
  STLS: { allowedIn: 'clear', run: startTls },
  USER: { allowedIn: 'password', run: takeUser },
  PASS: { allowedIn: 'password', run: takePassword },
  AUTH: { allowedIn: 'any', run: authenticate },
  QUIT: { allowedIn: 'any', run: quit },
};

/** Greets, then obeys one command after the other until login or the end of the line. */
export async function converse(visitor: Visitor): Promise<Outcome> {
  const session: Session = Object.assign(visitor, { user: undefined, language: undefined, utf8: 'off' as const });
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
      connection.end(onWire(`-ERR ${textsOf(session).tooManyErrors}\r\n`));
      return over;
    }
  }
}

async function readCommand(session: Session): Promise<string | undefined> {
  try {
    return await session.connection.readLine();
  } catch (error) {
    session.connection.end(onWire(`${refusalOf(session, error)}\r\n`));
    return undefined;
  }
}

async function obey(session: Session, line: string): Promise<Next> {
  const space = line.indexOf(' ');
  const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  const texts = textsOf(session);
  if (command === undefined || line.includes('\0') || !isSpoken(session, verb)) return refuse(session, `${texts.unknownCommand}; CAPA, STLS, USER, PASS, AUTH, QUIT`);
  if (command.allowedIn === 'password' && !mayUsePasswordCommands(session)) {
    return refuse(session, session.connection.encrypted ? texts.useAuth : texts.tlsFirst);
  }
  if (command.allowedIn === 'clear' && session.connection.encrypted) return refuse(session, texts.tlsActive);
  return command.run(session, space < 0 ? '' : line.slice(space + 1));
}

function isSpoken({ options }: Session, verb: string): boolean {
  return (verb !== 'UTF8' && verb !== 'LANG') || speaks(verb, options.road.capabilities.common);
}

/** Before a word of the client's in English, which is US-ASCII here (RFC 6856 section 3.2). */
function textsOf({ language }: Session): LoginTexts {
  return loginTexts[language ?? 'en'];
}

function refusalOf({ identity, language }: Session, error: unknown): string {
  return replyFor(error, identity.session, language);
}

async function accept(session: Session, text: string, lines?: readonly string[]): Promise<Next> {
  const rest = lines === undefined ? '' : `${lines.map((line) => `${line}\r\n`).join('')}.\r\n`;
  await session.connection.write(onWire(`+OK ${text}\r\n${rest}`));
  return goOn;
}

async function refuse(session: Session, text: string): Promise<Next> {
  await session.connection.write(onWire(`-ERR ${text}\r\n`));
  return mistake;
}

async function refuseFor(session: Session, error: unknown): Promise<Next> {
  await session.connection.write(onWire(`${refusalOf(session, error)}\r\n`));
  return mistake;
}

async function tellCapabilities(session: Session): Promise<Next> {
  const all = announcedCapabilities(session.options.road.capabilities.common, {
    mechanisms: offeredTo(session),
    startTls: session.connection.encrypted ? 'no' : 'yes',
    passwordCommands: mayUsePasswordCommands(session) ? 'yes' : 'no',
  });
  return accept(session, textsOf(session).capabilities, all);
}

async function takeUtf8(session: Session, argument: string): Promise<Next> {
  if (argument.trim() !== '') return refuse(session, textsOf(session).nothingBehind('UTF8'));
  session.utf8 = 'on';
  return accept(session, textsOf(session).utf8);
}

async function chooseLanguage(session: Session, argument: string): Promise<Next> {
  const range = argument.trim();
  if (range === '') return accept(session, textsOf(session).languages, languageListing);
  const language = languageOfRange(range, session.options.preferredLanguage);
  if (language === undefined) return refuse(session, languageRefused(range, textsOf(session)));
  session.language = language;
  return accept(session, `${language} ${textsOf(session).languageChanged}`);
}

/** A proxy in front of us says how many may still come, which anybody may; and who its client is, which is believed of those that are trusted. */
async function hearProxy(session: Session, argument: string): Promise<Next> {
  session.hopsLeft = fewerHops(session.hopsLeft, /(?:^| )TTL=(\d+)/i.exec(argument)?.[1]);
  if (isTrustedProxy(session)) {
    try {
      const { address, port, session: id } = parseForwardedClient(argument, session.identity);
      hearOfClient(session, { address, port: String(port), session: id });
    } catch (error) {
      return refuseFor(session, error);
    }
  }
  await session.connection.write('+OK\r\n');
  return goOn;
}

async function startTls(session: Session): Promise<Next> {
  const texts = textsOf(session);
  if (session.utf8 === 'on') return refuse(session, texts.tlsBeforeUtf8); // RFC 6856 section 2.1
  await session.connection.write(onWire(`+OK ${texts.beginTls}\r\n`));
  try {
    await session.connection.startTlsAsServer(session.options.serverTls);
  } catch (error) {
    session.log.debug({ err: error }, 'TLS handshake failed');
    return over;
  }
  session.user = undefined;
  session.language = undefined;
  return goOn;
}

async function takeUser(session: Session, argument: string): Promise<Next> {
  const texts = textsOf(session);
  if (argument === '') return refuse(session, texts.form('USER name'));
  try {
    session.user = readCredential(argument, texts);
  } catch (error) {
    return refuseFor(session, error);
  }
  return accept(session, texts.password);
}

async function takePassword(session: Session, argument: string): Promise<Next> {
  const name = session.user;
  session.user = undefined;
  if (name === undefined) return refuse(session, textsOf(session).userFirst);
  let password: string;
  try {
    password = readCredential(argument, textsOf(session));
  } catch (error) {
    return refuseFor(session, error);
  }
  return tryLogin(session, { kind: 'password', name, password });
}

async function authenticate(session: Session, argument: string): Promise<Next> {
  const [name = '', initial] = argument.split(' ');
  const offered = offeredTo(session);
  const texts = textsOf(session);
  if (offered.length === 0 && !session.connection.encrypted) return refuse(session, texts.tlsFirst);
  if (argument === '') return accept(session, texts.mechanisms, offered);
  const mechanism = offered.find((one) => one === name.toUpperCase());
  if (mechanism === undefined) return refuse(session, `${texts.noSuchMechanism}: ${offered.join(' ')}`);
  try {
    const end = await exchangeSasl(session, mechanism, initial);
    switch (end.kind) {
      case 'gone': return over;
      case 'cancelled': return await refuse(session, texts.cancelled);
      case 'refused': return await loginFailed(session, { user: mechanism, error: end.failure });
      case 'identity': return await tryLogin(session, end.identity);
    }
  } catch (error) {
    return refuseFor(session, error);
  }
}

async function tryLogin(session: Session, identity: Identity): Promise<Next> {
  const { connection, identity: client, language, log, options, utf8 } = session;
  const said = [...(utf8 === 'on' ? ['UTF8'] : []), ...(language === undefined ? [] : [`LANG ${language}`])];
  try {
    const login = await logIn(options.road, { identity, client, hopsLeft: session.hopsLeft, log }, {
      asNode: async (backend, user, as) => logInAtNode(backend, { ...user, said }, as),
      asUser: async (backend, user) => logInAsUser(backend, { ...user, said }),
    });
    await connection.write(`+OK ${login.welcome}\r\n`);
    return { kind: 'logged-in', login };
  } catch (error) {
    return loginFailed(session, { user: identity.kind === 'password' ? identity.name : identity.user.address, error });
  }
}

async function loginFailed(session: Session, failed: { readonly user: string; readonly error: unknown }): Promise<Next> {
  const { connection, log, trace } = session;
  trace?.claim(failed.user);
  log.info({ user: failed.user, err: failed.error }, 'login failed');
  countLogin('pop3Proxy', { thrown: failed.error });
  await connection.write(onWire(`${refusalOf(session, failed.error)}\r\n`));
  return isOutage(failed.error) ? goOn : { kind: 'login-failed' };
}

async function quit(session: Session): Promise<Next> {
  session.connection.end(onWire(`+OK ${textsOf(session).goodbye}\r\n`));
  await session.connection.closed;
  return over;
}
