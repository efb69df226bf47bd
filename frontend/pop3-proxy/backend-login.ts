/** POP3 dialogues with back-ends: a node of ours takes our word for who the user is, a foreign server wants a password. */
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../../shared/base/failure.ts';
import type { Connection } from '../../shared/net/connection.ts';
import { formatLegField } from '../../shared/pop3/command.ts';
import { plainResponse } from '../../shared/sasl/mechanisms.ts';
import { refusedByBackend } from '../login/backend-reply.ts';
import type { ForeignLogin, SaslCredentials } from '../login/foreign.ts';
import type { ClientIdentity, NodeLogin } from '../login/login.ts';

/** What the client said before login and the back-end must go on with: UTF8, LANG. */
type SpokenLogin = NodeLogin & { readonly said?: readonly string[] };

/**
 * XCLIENT and AUTH EXTERNAL (RFC 5034, RFC 4422 appendix A) in one flight, then the three replies; AUTH PLAIN where the node is
 * to check the password (nodes of ours take longer commands than RFC 5034 section 4 has).
 */
export async function logInAtNode(backend: Connection, { address, password, leg, said = [] }: SpokenLogin, client: ClientIdentity): Promise<string> {
  const [mechanism, response] = password === undefined ? ['EXTERNAL', Buffer.from(address, 'utf8')] : ['PLAIN', plainResponse({ user: address, password })];
  const claim = leg?.claim === undefined ? '' : `${leg.claim}\r\n`;
  const terms = leg?.terms === undefined ? '' : ` FORWARD=${formatLegField(leg.terms)}`;
  const before = said.map((command) => `${command}\r\n`).join('');
  await backend.write(`${claim}${xclient(client)}${terms}\r\n${before}AUTH ${mechanism} ${response.toString('base64')}\r\n`);
  await expectOk(backend); // the greeting
  leg?.greeted();
  await expectOk(backend); // XCLIENT
  for (let answers = said.length; answers > 0; answers -= 1) await readLine(backend); // an older node may know none of it, and speaks English
  return expectOk(backend, password === undefined ? undefined : 'password');
}

function xclient(client: ClientIdentity): string {
  return `XCLIENT ADDR=${client.address} PORT=${String(client.port)} SESSION=${client.session}`;
}

/** STLS if asked for, XCLIENT where it is offered, then AUTH PLAIN, or USER and PASS where there is no PLAIN. */
export async function logInAsUser(backend: Connection, login: ForeignLogin & { readonly said?: readonly string[] }): Promise<string> {
  const { credentials, said = [] } = login;
  const greeting = await expectOk(backend);
  if (login.startTls !== undefined) await secure(backend, login.startTls);
  const lines = await askCapabilities(backend);
  login.heard(lines);
  const capabilities = new Map(lines.map((line) => [line.split(' ', 1)[0]?.toUpperCase() ?? '', line]));
  // Dovecot tells it in the greeting, and only to those whom it trusts.
  if (capabilities.has('XCLIENT') || greeting.startsWith('[XCLIENT]')) {
    await backend.write(`${xclient(login.client)} TTL=${String(login.hopsLeft)}\r\n`);
    await expectOk(backend);
  }
  for (const command of said) {
    await backend.write(`${command}\r\n`);
    await readLine(backend); // a server may refuse what others of its kind can
  }
  const plain = credentials.authorisationId !== undefined || (capabilities.get('SASL') ?? '').toUpperCase().split(' ').includes('PLAIN');
  return plain ? authenticatePlain(backend, credentials) : sayUserAndPassword(backend, credentials);
}

/** What a back-end tells anybody before login: after STLS, where that is how it is spoken to. Then says goodbye. */
export async function askForCapabilities(backend: Connection, startTls: ConnectionOptions | undefined): Promise<readonly string[]> {
  await expectOk(backend);
  if (startTls !== undefined) await secure(backend, startTls);
  const lines = await askCapabilities(backend);
  backend.end('QUIT\r\n');
  return lines;
}

async function secure(backend: Connection, startTls: ConnectionOptions): Promise<void> {
  await backend.write('STLS\r\n');
  await expectOk(backend);
  await backend.startTlsAsClient(startTls);
}

const mostCapabilities = 100;

/** CAPA (RFC 2449): keywords with their parameters; nothing where the server knows no CAPA. */
async function askCapabilities(backend: Connection): Promise<readonly string[]> {
  await backend.write('CAPA\r\n');
  const found: string[] = [];
  if (!(await readLine(backend)).startsWith('+OK')) return found;
  for (;;) {
    const line = await readLine(backend);
    if (line === '.') return found;
    if (found.length >= mostCapabilities) throw new Failure('backend-unavailable', 'the mail server does not answer', { cause: new Error('CAPA does not end') });
    found.push(line.trim());
  }
}

/** Without initial response: a command has 255 octets at most (RFC 5034 section 4), an answer has room for all. */
async function authenticatePlain(backend: Connection, credentials: SaslCredentials): Promise<string> {
  await backend.write('AUTH PLAIN\r\n');
  const line = await readLine(backend);
  if (!line.startsWith('+ ') && line !== '+') throw credentialsRefused(line);
  await backend.write(`${plainResponse(credentials).toString('base64')}\r\n`);
  return expectLoggedIn(backend);
}

async function sayUserAndPassword(backend: Connection, { user, password }: SaslCredentials): Promise<string> {
  if (/[\r\n\0]/.test(user + password)) throw new Failure('bad-credentials', 'wrong user name or password');
  await backend.write(Buffer.from(`USER ${user}\r\n`));
  const line = await readLine(backend);
  if (!line.startsWith('+OK')) throw credentialsRefused(line);
  await backend.write(Buffer.from(`PASS ${password}\r\n`));
  return expectLoggedIn(backend);
}

async function expectLoggedIn(backend: Connection): Promise<string> {
  const line = await readLine(backend);
  if (line.startsWith('+OK')) return line.slice(3).trimStart();
  throw credentialsRefused(line);
}

/** A plain -ERR means wrong name or password; only some codes say that it's something else (RFC 2449, RFC 3206). */
function credentialsRefused(line: string): Failure {
  const [, code = '', text = line] = /^-ERR (?:\[([^\]]*)\] ?)?(.*)$/.exec(line) ?? [];
  if (/^(IN-USE|LOGIN-DELAY|SYS)/i.test(code)) return refusedByBackend({ referral: undefined, code: code.toUpperCase(), text, asked: 'password' });
  return new Failure('bad-credentials', 'the mail server refuses name and password', { cause: new Error(`server said: ${text}`) });
}

async function readLine(backend: Connection): Promise<string> {
  const line = await backend.readLine();
  if (line === undefined) throw new Failure('backend-unavailable', 'the mail server closed the connection');
  return line;
}

async function expectOk(backend: Connection, asked?: 'password'): Promise<string> {
  const line = await readLine(backend);
  if (line.startsWith('+OK')) return line.slice(3).trimStart();
  const refusal = /^-ERR (?:\[([^\]]*)\] ?)?(.*)$/.exec(line);
  const text = refusal?.[2] ?? line;
  throw refusedByBackend({ referral: /^referral (\S+)/.exec(text)?.[1], code: (refusal?.[1] ?? '').toUpperCase(), text, asked });
}
