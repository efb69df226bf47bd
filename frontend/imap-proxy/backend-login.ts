/** IMAP dialogues with back-ends: a node of ours takes our word for who the user is, a foreign server wants a password. */
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../../shared/base/failure.ts';
import { formatIdFields, legField } from '../../shared/imap/id-fields.ts';
import type { Connection } from '../../shared/net/connection.ts';
import { plainResponse } from '../../shared/sasl/mechanisms.ts';
import { refusedByBackend } from '../login/backend-reply.ts';
import type { ForeignLogin, SaslCredentials } from '../login/foreign.ts';
import type { ClientIdentity, NodeLogin } from '../login/login.ts';
import { capabilityWords } from './capabilities.ts';

/**
 * ID with the client's address (RFC 2971) and AUTHENTICATE EXTERNAL (RFC 9051 section 6.2.2, RFC 4422 appendix A) in one
 * flight; AUTHENTICATE PLAIN where the node is to check the password. Resolves with the text of the tagged OK, which carries
 * the back-end's CAPABILITY code.
 */
export async function logInAtNode(backend: Connection, { address, password, leg }: NodeLogin, client: ClientIdentity): Promise<string> {
  const [mechanism, response] = password === undefined ? ['EXTERNAL', Buffer.from(address, 'utf8')] : ['PLAIN', plainResponse({ user: address, password })];
  const claim = leg?.claim === undefined ? '' : `${leg.claim}\r\n`;
  const terms = leg?.terms === undefined ? '' : ` ${formatIdFields([[legField, leg.terms]])}`;
  await backend.write(`${claim}F1 ID (${clientFields(client)}${terms})\r\nF2 AUTHENTICATE ${mechanism} ${response.toString('base64')}\r\n`);
  const greeting = await readLine(backend);
  if (!/^\* OK\b/i.test(greeting)) throw refusal(greeting.replace(/^\* \S+ ?/, ''));
  leg?.greeted();
  await taggedOk(backend, 'F1');
  return taggedOk(backend, 'F2', password === undefined ? undefined : 'password');
}

/** The fields by which proxies tell of their client; Dovecot has the same. */
function clientFields({ address, port, session, connectedTo, words }: ClientIdentity): string {
  return formatIdFields([
    ['x-originating-ip', address], ['x-originating-port', String(port)], ['x-session-id', session],
    ...(connectedTo === undefined ? [] : [['x-connected-ip', connectedTo.address], ['x-connected-port', String(connectedTo.port)]] as const),
    ...(words ?? []),
  ]);
}

/** What a back-end tells anybody before login: after STARTTLS, where that is how it is spoken to. Then says goodbye. */
export async function askForCapabilities(backend: Connection, startTls: ConnectionOptions | undefined): Promise<readonly string[]> {
  const greeting = await readLine(backend);
  if (!/^\* OK\b/i.test(greeting)) throw refusal(greeting.replace(/^\* \S+ ?/, ''));
  if (startTls !== undefined) await secure(backend, startTls);
  const list = (startTls === undefined ? toldCapabilities(greeting) : undefined) ?? (await askCapabilities(backend));
  backend.end('F9 LOGOUT\r\n');
  return capabilityWords(list);
}

async function secure(backend: Connection, startTls: ConnectionOptions): Promise<void> {
  await backend.write('F1 STARTTLS\r\n');
  await taggedOk(backend, 'F1');
  await backend.startTlsAsClient(startTls);
}

/**
 * STARTTLS if asked for, ID where the server knows it, then AUTHENTICATE PLAIN, or LOGIN where there is no PLAIN. Resolves
 * with the text of the tagged OK, which says the capabilities also where the server has left them out.
 */
export async function logInAsUser(backend: Connection, login: ForeignLogin): Promise<string> {
  const greeting = await readLine(backend);
  if (!/^\* OK\b/i.test(greeting)) throw refusal(greeting.replace(/^\* \S+ ?/, ''));
  if (login.startTls !== undefined) await secure(backend, login.startTls);
  const list = (login.startTls === undefined ? toldCapabilities(greeting) : undefined) ?? (await askCapabilities(backend));
  login.heard(capabilityWords(list));
  const capabilities = new Set(list.toUpperCase().split(' '));
  const id = capabilities.has('ID') ? `F3 ID (${clientFields(login.client)} "x-proxy-ttl" "${String(login.hopsLeft)}")\r\n` : '';
  const plain = capabilities.has('AUTH=PLAIN') || login.credentials.authorisationId !== undefined;
  const welcome = plain && capabilities.has('SASL-IR')
    ? await authenticateInOneFlight(backend, id, login.credentials)
    : await logInStepByStep(backend, id, { credentials: login.credentials, by: plain ? 'PLAIN' : 'LOGIN' });
  if (/^\[CAPABILITY /i.test(welcome.text)) return welcome.text;
  return `[CAPABILITY ${welcome.capabilities ?? (await askCapabilities(backend))}] ${welcome.text}`;
}

async function askCapabilities(backend: Connection): Promise<string> {
  await backend.write('F2 CAPABILITY\r\n');
  return (await tagged(backend, 'F2')).capabilities ?? '';
}

/** What a greeting says of itself (RFC 9051 section 7.1), which saves asking. */
function toldCapabilities(greeting: string): string | undefined {
  return /^\* OK \[CAPABILITY ([^\]]*)\]/i.exec(greeting)?.[1];
}

/** Nothing that is sent here depends on an answer (RFC 9051 section 5.5), so there is one wait for all. */
async function authenticateInOneFlight(backend: Connection, id: string, credentials: SaslCredentials): Promise<Completion> {
  await backend.write(`${id}F4 AUTHENTICATE PLAIN ${plainResponse(credentials).toString('base64')}\r\n`);
  if (id !== '') await taggedOk(backend, 'F3');
  return loggedIn(backend, 'F4');
}

async function logInStepByStep(backend: Connection, id: string, { credentials, by }: { readonly credentials: SaslCredentials; readonly by: 'PLAIN' | 'LOGIN' }): Promise<Completion> {
  if (id !== '') {
    await backend.write(id);
    await taggedOk(backend, 'F3');
  }
  if (by === 'LOGIN') return logInByLiterals(backend, credentials);
  await backend.write('F4 AUTHENTICATE PLAIN\r\n');
  await continuation(backend, 'F4', `${plainResponse(credentials).toString('base64')}\r\n`);
  return loggedIn(backend, 'F4');
}

/** Literals take every character there is (RFC 9051 section 4.3). */
async function logInByLiterals(backend: Connection, { user, password }: SaslCredentials): Promise<Completion> {
  const [name, secret] = [Buffer.from(user), Buffer.from(password)];
  await backend.write(`F4 LOGIN {${String(name.length)}}\r\n`);
  await continuation(backend, 'F4', Buffer.concat([name, Buffer.from(` {${String(secret.length)}}\r\n`)]));
  await continuation(backend, 'F4', Buffer.concat([secret, Buffer.from('\r\n')]));
  return loggedIn(backend, 'F4');
}

async function continuation(backend: Connection, tag: string, next: string | Buffer): Promise<void> {
  for (;;) {
    const line = await readLine(backend);
    if (line.startsWith('+')) return backend.write(next);
    if (line.startsWith(`${tag} `)) throw credentialsRefused(completionOf(line.slice(tag.length + 1)));
  }
}

/** A plain NO means wrong name or password; only some codes say that it's something else. */
async function loggedIn(backend: Connection, tag: string): Promise<Completion> {
  const completion = await tagged(backend, tag);
  if (completion.status === 'OK') return completion;
  throw credentialsRefused(completion);
}

const troubles: ReadonlySet<string> = new Set(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'CONTACTADMIN', 'EXPIRED']);

function credentialsRefused({ status, text }: Pick<Completion, 'status' | 'text'>): Failure {
  const code = /^\[([A-Za-z-]+)/.exec(text)?.[1]?.toUpperCase() ?? '';
  if (status !== 'NO' || troubles.has(code)) return refusedByBackend({ referral: undefined, code, text: text.replace(/^\[[^\]]*\] ?/, ''), asked: 'password' });
  return new Failure('bad-credentials', 'the mail server refuses name and password', { cause: new Error(`server said: ${text}`) });
}

interface Completion {
  /** In capitals. */
  readonly status: string;
  readonly text: string;
  /** Told on the way, untagged. */
  readonly capabilities: string | undefined;
}

async function taggedOk(backend: Connection, tag: string, asked?: 'password'): Promise<string> {
  const { status, text } = await tagged(backend, tag);
  if (status === 'OK') return text;
  throw refusal(text, asked);
}

/** Takes untagged responses until the tagged one. */
async function tagged(backend: Connection, tag: string): Promise<Completion> {
  let capabilities: string | undefined;
  for (;;) {
    const line = await readLine(backend);
    if (line.startsWith('* BYE')) throw refusal(line.slice(6));
    if (line.startsWith(`${tag} `)) return { ...completionOf(line.slice(tag.length + 1)), capabilities };
    capabilities = /^\* CAPABILITY (.*)$/i.exec(line)?.[1] ?? capabilities;
  }
}

function completionOf(line: string): Pick<Completion, 'status' | 'text'> {
  const [, status = '', text = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
  return { status: status.toUpperCase(), text };
}

async function readLine(backend: Connection): Promise<string> {
  const line = await backend.readLine();
  if (line === undefined) throw new Failure('backend-unavailable', 'the mail server closed the connection');
  return line;
}

function refusal(text: string, asked?: 'password'): Failure {
  const [, code = '', argument = '', words = text] = /^\[([A-Za-z-]+) ?([^\]]*)\] ?(.*)$/.exec(text) ?? [];
  // REFERRAL imap://user@node/ (RFC 2221); the user part is percent-encoded, so the last @ is the separator.
  const referral = code.toUpperCase() === 'REFERRAL' ? /@([^@/]+)\/?$/.exec(argument)?.[1] : undefined;
  return refusedByBackend({ referral, code: code.toUpperCase(), text: words, asked });
}
