/** POP3 replies: the one place where a failure becomes one (response codes of RFC 2449 section 8 and RFC 3206), and lists of lines. */
import { isFailure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import type { Connection } from '../../shared/net/connection.ts';

const codes: Partial<Record<FailureKind, 'AUTH' | 'AUTH/EXPIRED' | 'AUTH/DISABLED' | 'AUTH/UNKNOWN' | 'IN-USE' | 'SYS/TEMP' | 'SYS/PERM'>> = {
  'bad-credentials': 'AUTH',
  'unknown-user': 'AUTH/UNKNOWN', // told to front-ends alone, of users whom they vouch for
  // RFC 2449 section 8: clients ignore the detail behind the stroke; a front-end reads it.
  'password-expired': 'AUTH/EXPIRED',
  'account-disabled': 'AUTH/DISABLED',
  'service-denied': 'AUTH/DISABLED',
  'account-locked': 'AUTH',
  'in-use': 'IN-USE',
  'directory-unavailable': 'SYS/TEMP',
  'backend-unavailable': 'SYS/TEMP',
  'not-kept-here': 'SYS/TEMP',
  'storage-full': 'SYS/TEMP',
  'storage-failure': 'SYS/TEMP',
  'shutting-down': 'SYS/TEMP',
  limit: 'SYS/TEMP',
  'mailbox-missing': 'SYS/PERM',
  forbidden: 'SYS/PERM',
};

/** The `-ERR` line, without CRLF, that tells the client of an error. Unknown ones only name the session, under which the log has them whole. */
export function replyFor(error: unknown, session: string): string {
  if (!isFailure(error)) return `-ERR [SYS/TEMP] internal error, reference ${session}`;
  // A front-end reads the node's name; see the room frontend/pop3-proxy.
  const referral = error.node === undefined ? '' : `referral ${error.node} `;
  const code = codes[error.kind];
  return `-ERR ${code === undefined ? '' : `[${code}] `}${referral}${error.message.replace(/[^\x20-\x7e]/g, '?').slice(0, 400)}`;
}

/** A multi-line response (RFC 1939 section 3) of lines that never begin with a dot. */
export async function sayLines(connection: Connection, text: string, lines: readonly string[]): Promise<void> {
  await connection.write(`+OK ${text}\r\n${lines.map((line) => `${line}\r\n`).join('')}.\r\n`);
}
