/** The IMAP conversation before login (RFC 9051 section 6.1 and 6.2): reads commands, obeys those that are allowed now. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { readCommand, startCommand, tagOf } from '../../shared/imap/command-reader.ts';
import type { CommandStart } from '../../shared/imap/command-reader.ts';
import { decodeUtf8 } from '../../shared/imap/scanner.ts';
import { decodeBase64, startSasl } from '../../shared/sasl/mechanisms.ts';
import { fewerHops } from '../login/foreign.ts';
import { logIn } from '../login/login.ts';
import type { Outcome, Visitor } from '../login/proxy-service.ts';
import { logInAsUser, logInAtNode } from './backend-login.ts';
import { replyFor } from './replies.ts';

/** What happens after a command. */
type Next = { readonly kind: 'go-on' } | { readonly kind: 'mistake' } | { readonly kind: 'login-failed' } | Outcome;

interface Command {
  readonly allowedIn: 'any' | 'clear' | 'tls';
  readonly run: (visitor: Visitor, command: CommandStart) => Promise<Next>;
}

const goOn = { kind: 'go-on' } as const;
const mistake = { kind: 'mistake' } as const;
const over = { kind: 'over' } as const;
/** No literal is useful before login but those of LOGIN; so a command has to fit into this. */
const maxCommandBytes = 8192;

const commands: Readonly<Record<string, Command>> = {
  CAPABILITY: { allowedIn: 'any', run: tellCapabilities },
  NOOP: { allowedIn: 'any', run: async (visitor, command) => done(visitor, command, 'OK nothing to tell') },
  ID: { allowedIn: 'any', run: identify },
  LOGOUT: { allowedIn: 'any', run: logOut },
  STARTTLS: { allowedIn: 'clear', run: startTls },
  LOGIN: { allowedIn: 'tls', run: logInByCommand },
  AUTHENTICATE: { allowedIn: 'tls', run: authenticate },
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
  const { encrypted } = visitor.connection;
  if (known.allowedIn === 'tls' && !encrypted) {
    return refuse(visitor, command, 'NO [PRIVACYREQUIRED] log in over TLS only: use STARTTLS first, or port 993');
  }
  if (known.allowedIn === 'clear' && encrypted) return refuse(visitor, command, 'BAD TLS is active already');
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

/** What works before login; the back-end tells its own on success. */
function capabilities(visitor: Visitor): string {
  const byTls = visitor.connection.encrypted ? 'AUTH=PLAIN AUTH=LOGIN' : 'STARTTLS LOGINDISABLED';
  return `IMAP4rev1 IMAP4rev2 SASL-IR LITERAL+ ID ${byTls}`;
}

async function tellCapabilities(visitor: Visitor, command: CommandStart): Promise<Next> {
  command.arguments.end();
  await visitor.connection.write(`* CAPABILITY ${capabilities(visitor)}\r\n${command.tag} OK that is all\r\n`);
  return goOn;
}

/** RFC 2971: the client's own words go to the log, never to the back-end as its address. */
async function identify(visitor: Visitor, command: CommandStart): Promise<Next> {
  const { arguments: scanner } = command;
  scanner.space();
  const fields = scanner.acceptWord('NIL') ? [] : scanner.list(() => scanner.nstring(), { mayBeEmpty: 'yes' });
  scanner.end();
  visitor.log.debug({ client: fields.slice(0, 20) }, 'client says what it is');
  const at = fields.findIndex((field) => field?.toLowerCase() === 'x-proxy-ttl');
  if (at >= 0) visitor.hopsLeft = fewerHops(visitor.hopsLeft, fields[at + 1]);
  await visitor.connection.write(`* ID ("name" "Waybill")\r\n${command.tag} OK pleased to meet you\r\n`);
  return goOn;
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

async function logInByCommand(visitor: Visitor, command: CommandStart): Promise<Next> {
  const { arguments: scanner } = command;
  scanner.space();
  const name = decodeUtf8(scanner.astring());
  scanner.space();
  const password = decodeUtf8(scanner.astring());
  scanner.end();
  return tryLogin(visitor, command, { name, password });
}

async function authenticate(visitor: Visitor, command: CommandStart): Promise<Next> {
  const { arguments: scanner } = command;
  scanner.space();
  const mechanism = scanner.word();
  const initial = scanner.accept(' ') ? scanner.until(/ /) : undefined;
  scanner.end();
  if (mechanism !== 'PLAIN' && mechanism !== 'LOGIN') return refuse(visitor, command, 'NO [CANNOT] unknown mechanism; there are PLAIN and LOGIN');
  const exchange = startSasl(mechanism);
  let step = exchange.step(initial === undefined ? undefined : decoded(initial));
  while (step.kind === 'challenge') {
    await visitor.connection.write(`+ ${step.data.toString('base64')}\r\n`);
    const line = await visitor.connection.readLine();
    if (line === undefined) return over;
    if (line === '*') return refuse(visitor, command, 'BAD authentication cancelled');
    step = exchange.step(decoded(line));
  }
  if (step.kind !== 'password') throw new Failure('bad-input', 'unexpected response');
  if (step.authorisationId !== undefined && step.authorisationId !== step.user) {
    throw new Failure('bad-credentials', 'logging in as somebody else is not possible here');
  }
  return tryLogin(visitor, command, { name: step.user, password: step.password });
}

/** An initial response of `=` is the empty one (RFC 4959 section 3). */
function decoded(text: string): Buffer {
  const bytes = text === '=' ? Buffer.alloc(0) : decodeBase64(text);
  if (bytes === undefined) throw new Failure('bad-input', 'that is not base64');
  return bytes;
}

async function tryLogin(visitor: Visitor, command: CommandStart, credentials: { readonly name: string; readonly password: string }): Promise<Next> {
  const { connection, identity, log, options } = visitor;
  try {
    const login = await logIn(options.road, { ...credentials, client: identity, hopsLeft: visitor.hopsLeft, log }, { asNode: logInAtNode, asUser: logInAsUser });
    await connection.write(`${command.tag} OK ${login.welcome}\r\n`);
    return { kind: 'logged-in', login };
  } catch (error) {
    log.info({ user: credentials.name, err: error }, 'login failed');
    await connection.write(`${command.tag} ${replyFor(error, identity.session)}\r\n`);
    return { kind: 'login-failed' };
  }
}
