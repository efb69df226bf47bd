/** The IMAP conversation before login (RFC 9051 section 6.1 and 6.2): reads commands, obeys those that are allowed now. */
import { isFailure } from '../../shared/base/failure.ts';
import { readCommand, startCommand, tagOf } from '../../shared/imap/command-reader.ts';
import type { CommandStart } from '../../shared/imap/command-reader.ts';
import { parseIdFields } from '../../shared/imap/id-fields.ts';
import { decodeUtf8 } from '../../shared/imap/scanner.ts';
import type { Identity } from '../authentication/authentication.ts';
import { fewerHops } from '../login/foreign.ts';
import { hearOfClient } from '../login/forwarded-client.ts';
import { logIn } from '../login/login.ts';
import type { Outcome, Visitor } from '../login/proxy-service.ts';
import { exchangeSasl, isOutage, mayUsePasswordCommands, offeredTo } from '../login/sasl.ts';
import { logInAsUser, logInAtNode } from './backend-login.ts';
import { announcedCapabilities, capabilitiesInWelcome } from './capabilities.ts';
import { replyFor } from './replies.ts';
import { countLogin } from '../../shared/metrics/service-counters.ts';

/** What happens after a command. */
type Next = { readonly kind: 'go-on' } | { readonly kind: 'mistake' } | { readonly kind: 'login-failed' } | Outcome;

interface Command {
  readonly allowedIn: 'any' | 'clear';
  readonly run: (visitor: Visitor, command: CommandStart) => Promise<Next>;
}

const goOn = { kind: 'go-on' } as const;
const mistake = { kind: 'mistake' } as const;
const over = { kind: 'over' } as const;
/** No literal is useful before login but those of LOGIN; so a command has to fit into this. */
const maxCommandBytes = 8192;
/** Of a client's ID that is passed on. */
const maxIdBytes = 2048;

const commands: Readonly<Record<string, Command>> = {
  CAPABILITY: { allowedIn: 'any', run: tellCapabilities },
  NOOP: { allowedIn: 'any', run: async (visitor, command) => done(visitor, command, 'OK nothing to tell') },
  ID: { allowedIn: 'any', run: identify },
  LOGOUT: { allowedIn: 'any', run: logOut },
  STARTTLS: { allowedIn: 'clear', run: startTls },
  LOGIN: { allowedIn: 'any', run: logInByCommand },
  AUTHENTICATE: { allowedIn: 'any', run: authenticate },
};

/** Greets, then obeys one command after the other until login or the end of the line. */
export async function converse(visitor: Visitor): Promise<Outcome> {
  const { connection, options } = visitor;
  let mistakes = 0;
  let failedLogins = 0;
  await connection.write(`* OK [CAPABILITY ${capabilities(visitor)}] IMAP ready\r\n`);
  for (;;) {
    const text = await nextCommand(visitor);
    if (text === undefined) return over;
    const next = text === '' ? mistake : await obey(visitor, text);
    if (next.kind === 'logged-in' || next.kind === 'over') return next;
    if (next.kind === 'mistake') mistakes += 1;
    if (next.kind === 'login-failed') failedLogins += 1;
    if (mistakes > options.limits.maxErrors || failedLogins >= options.limits.maxAuthErrors) {
      connection.end('* BYE too many errors\r\n');
      return over;
    }
  }
}

/** The next command; '' for one that was refused already (empty, or too long and gone); undefined when the stream is over (goodbye said where due). */
async function nextCommand(visitor: Visitor): Promise<string | undefined> {
  const { connection } = visitor;
  try {
    const read = await readCommand(connection, {
      maxBytes: maxCommandBytes,
      maxDiscardedBytes: maxCommandBytes,
      invite: async () => connection.write('+ go ahead\r\n'),
      takesOver: () => false,
    });
    if (read.kind === 'command') {
      if (read.text === '') await connection.write('* BAD empty command\r\n');
      return read.text;
    }
    if (read.kind === 'end') return undefined;
    const complaint = `command too long: at most ${String(maxCommandBytes)} bytes before login`;
    if (read.kind === 'too-long') {
      await connection.write(`${tagOf(read.text)} BAD [TOOBIG] ${complaint}\r\n`);
      return '';
    }
    connection.end(`* BYE [TOOBIG] ${complaint}\r\n`);
    return undefined;
  } catch (error) {
    const words = isFailure(error) ? error.message : `internal error, reference ${visitor.identity.session}`;
    connection.end(`* BYE ${words}\r\n`);
    return undefined;
  }
}

async function obey(visitor: Visitor, text: string): Promise<Next> {
  let command: CommandStart;
  try {
    command = startCommand(text);
  } catch (error) {
    return refuse(visitor, { tag: tagOf(text) }, replyFor(error, visitor.identity.session));
  }
  const known = Object.hasOwn(commands, command.verb) ? commands[command.verb] : undefined;
  if (known === undefined) return refuse(visitor, command, 'BAD not a command before login');
  if (known.allowedIn === 'clear' && visitor.connection.encrypted) return refuse(visitor, command, 'BAD TLS is active already');
  try {
    return await known.run(visitor, command);
  } catch (error) {
    return refuse(visitor, command, replyFor(error, visitor.identity.session));
  }
}

async function refuse(visitor: Visitor, command: { readonly tag: string }, reply: string): Promise<Next> {
  await visitor.connection.write(`${command.tag} ${reply}\r\n`);
  return mistake;
}

async function done(visitor: Visitor, command: CommandStart, reply: string): Promise<Next> {
  command.arguments.end();
  await visitor.connection.write(`${command.tag} ${reply}\r\n`);
  return goOn;
}

function capabilities(visitor: Visitor): string {
  return announcedCapabilities(visitor.options.road.capabilities.common, {
    mechanisms: offeredTo(visitor),
    startTls: visitor.connection.encrypted ? 'no' : 'yes',
    passwordCommands: mayUsePasswordCommands(visitor) ? 'yes' : 'no',
  });
}

async function tellCapabilities(visitor: Visitor, command: CommandStart): Promise<Next> {
  command.arguments.end();
  await visitor.connection.write(`* CAPABILITY ${capabilities(visitor)}\r\n${command.tag} OK that is all\r\n`);
  return goOn;
}

/** RFC 2971. A client's words go to its back-end; what a proxy tells of its client is believed of those that are trusted. */
async function identify(visitor: Visitor, command: CommandStart): Promise<Next> {
  const { arguments: scanner } = command;
  scanner.space();
  const fields = parseIdFields(scanner);
  scanner.end();
  visitor.hopsLeft = fewerHops(visitor.hopsLeft, fields.get('x-proxy-ttl'));
  hearOfClient(visitor, { address: fields.get('x-originating-ip'), port: fields.get('x-originating-port'), session: fields.get('x-session-id') });
  visitor.identity = { ...visitor.identity, words: ownWords(fields) };
  visitor.log.debug({ clientId: Object.fromEntries(visitor.identity.words ?? []) }, 'client says what it is');
  await visitor.connection.write(`* ID ("name" "Waybill")\r\n${command.tag} OK pleased to meet you\r\n`);
  return goOn;
}

/** As much as a back-end has to take: ours come beside them, and 30 are allowed. What begins with x- is between servers. */
function ownWords(fields: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  let bytes = 0;
  const fits = ([name, value]: readonly [string, string]): boolean => {
    bytes += name.length + value.length;
    return bytes <= maxIdBytes;
  };
  return new Map([...fields].filter(([name]) => /^[a-z0-9._-]{1,30}$/.test(name) && !name.startsWith('x-')).slice(0, 20).filter(fits));
}

async function logOut(visitor: Visitor, command: CommandStart): Promise<Next> {
  command.arguments.end();
  visitor.connection.end(`* BYE logging out\r\n${command.tag} OK goodbye\r\n`);
  await visitor.connection.closed;
  return over;
}

async function startTls(visitor: Visitor, command: CommandStart): Promise<Next> {
  await done(visitor, command, 'OK begin TLS');
  try {
    await visitor.connection.startTlsAsServer(visitor.options.serverTls);
  } catch (error) {
    visitor.log.debug({ err: error }, 'TLS handshake failed');
    return over;
  }
  return goOn;
}

const tlsFirst = 'NO [PRIVACYREQUIRED] log in over TLS only: use STARTTLS first, or port 993';

async function logInByCommand(visitor: Visitor, command: CommandStart): Promise<Next> {
  if (!mayUsePasswordCommands(visitor)) return refuse(visitor, command, visitor.connection.encrypted ? 'NO use AUTHENTICATE' : tlsFirst);
  const { arguments: scanner } = command;
  scanner.space();
  const name = decodeUtf8(scanner.astring());
  scanner.space();
  const password = decodeUtf8(scanner.astring());
  scanner.end();
  return tryLogin(visitor, command, { kind: 'password', name, password });
}

async function authenticate(visitor: Visitor, command: CommandStart): Promise<Next> {
  const { arguments: scanner } = command;
  scanner.space();
  const name = scanner.word();
  const initial = scanner.accept(' ') ? scanner.until(/ /) : undefined;
  scanner.end();
  const offered = offeredTo(visitor);
  const mechanism = offered.find((one) => one === name.toUpperCase());
  if (mechanism === undefined) {
    const none = offered.length === 0 && !visitor.connection.encrypted;
    return refuse(visitor, command, none ? tlsFirst : `NO [CANNOT] not a mechanism here; there are: ${offered.join(' ')}`);
  }
  const end = await exchangeSasl(visitor, mechanism, initial);
  switch (end.kind) {
    case 'gone': return over;
    case 'cancelled': return refuse(visitor, command, 'BAD authentication cancelled');
    case 'refused': return loginFailed(visitor, command, { user: mechanism, error: end.failure });
    case 'identity': return tryLogin(visitor, command, end.identity);
  }
}

async function tryLogin(visitor: Visitor, command: CommandStart, identity: Identity): Promise<Next> {
  const { connection, identity: client, log, options } = visitor;
  try {
    const login = await logIn(options.road, { identity, client, hopsLeft: visitor.hopsLeft, log }, { asNode: logInAtNode, asUser: logInAsUser });
    const told = capabilitiesInWelcome(login.welcome);
    if (told !== undefined) options.road.capabilities.heardAfterLogin(login.node, told);
    await connection.write(`${command.tag} OK ${login.welcome}\r\n`);
    return { kind: 'logged-in', login };
  } catch (error) {
    return loginFailed(visitor, command, { user: identity.kind === 'password' ? identity.name : identity.user.address, error });
  }
}

async function loginFailed({ connection, identity, log, trace }: Visitor, command: CommandStart, failed: { readonly user: string; readonly error: unknown }): Promise<Next> {
  trace?.claim(failed.user);
  log.info({ user: failed.user, err: failed.error }, 'login failed');
  countLogin('imapProxy', { thrown: failed.error });
  await connection.write(`${command.tag} ${replyFor(failed.error, identity.session)}\r\n`);
  return isOutage(failed.error) ? goOn : { kind: 'login-failed' };
}
