/** IMAP dialogue with a back-end on its trusted listener: tells who the client is and asserts the account's identity. */
import { Failure } from '../../shared/base/failure.ts';
import type { Connection } from '../../shared/net/connection.ts';
import { refusedByBackend } from '../login/backend-reply.ts';
import type { ClientIdentity } from '../login/login.ts';

/**
 * ID with the client's address (RFC 2971) and AUTHENTICATE EXTERNAL (RFC 9051 section 6.2.2, RFC 4422 appendix A) in one
 * flight. Resolves with the text of the tagged OK, which carries the back-end's CAPABILITY code.
 */
export async function logInAtBackend(backend: Connection, address: string, client: ClientIdentity): Promise<string> {
  await backend.write(
    `F1 ID ("x-originating-ip" "${client.address}" "x-originating-port" "${String(client.port)}" "x-session-id" "${client.session}")\r\n` +
      `F2 AUTHENTICATE EXTERNAL ${Buffer.from(address, 'utf8').toString('base64')}\r\n`,
  );
  const greeting = await readLine(backend);
  if (!/^\* OK\b/i.test(greeting)) throw refusal(greeting.replace(/^\* \S+ ?/, ''));
  await taggedOk(backend, 'F1');
  return taggedOk(backend, 'F2');
}

/** Skips untagged responses until the tagged one. */
async function taggedOk(backend: Connection, tag: string): Promise<string> {
  for (;;) {
    const line = await readLine(backend);
    if (line.startsWith('* BYE')) throw refusal(line.slice(6));
    if (!line.startsWith(`${tag} `)) continue;
    const [, status = '', text = ''] = /^\S+ (\S+) ?(.*)$/.exec(line) ?? [];
    if (status.toUpperCase() === 'OK') return text;
    throw refusal(text);
  }
}

async function readLine(backend: Connection): Promise<string> {
  const line = await backend.readLine();
  if (line === undefined) throw new Failure('backend-unavailable', 'the mail server closed the connection');
  return line;
}

function refusal(text: string): Failure {
  const [, code = '', argument = '', words = text] = /^\[([A-Za-z-]+) ?([^\]]*)\] ?(.*)$/.exec(text) ?? [];
  // REFERRAL imap://user@node/ (RFC 2221); the user part is percent-encoded, so the last @ is the separator.
  const referral = code.toUpperCase() === 'REFERRAL' ? /@([^@/]+)\/?$/.exec(argument)?.[1] : undefined;
  return refusedByBackend({ referral, code: code.toUpperCase(), text: words });
}
