/** POP3 dialogue with a back-end on its trusted listener: tells who the client is and asserts the account's identity. */
import { Failure } from '../../shared/base/failure.ts';
import type { Connection } from '../../shared/net/connection.ts';
import { refusedByBackend } from '../login/backend-reply.ts';
import type { ClientIdentity } from '../login/login.ts';

/** XCLIENT and AUTH EXTERNAL (RFC 5034, RFC 4422 appendix A) in one flight, then the three replies. */
export async function logInAtBackend(backend: Connection, address: string, client: ClientIdentity): Promise<string> {
  await backend.write(
    `XCLIENT ADDR=${client.address} PORT=${String(client.port)} SESSION=${client.session}\r\n` +
      `AUTH EXTERNAL ${Buffer.from(address, 'utf8').toString('base64')}\r\n`,
  );
  await expectOk(backend); // the greeting
  await expectOk(backend); // XCLIENT
  return expectOk(backend);
}

async function expectOk(backend: Connection): Promise<string> {
  const line = await backend.readLine();
  if (line === undefined) throw new Failure('backend-unavailable', 'the mail server closed the connection');
  if (line.startsWith('+OK')) return line.slice(3).trimStart();
  const refusal = /^-ERR (?:\[([^\]]*)\] ?)?(.*)$/.exec(line);
  const text = refusal?.[2] ?? line;
  throw refusedByBackend({ referral: /^referral (\S+)/.exec(text)?.[1], code: (refusal?.[1] ?? '').toUpperCase(), text });
}
