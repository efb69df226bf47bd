/** The POP3 service of a back-end (RFC 1939, RFC 2449, RFC 2595, RFC 5034, RFC 6856). The wiring starts it. */
import type { Maildrops } from '../../shared/access/maildrop-desk.ts';
import type { UserSessions } from '../../shared/access/user-sessions.ts';
import type { Language } from '../../shared/language/language.ts';
import { maxSaslLineBytes } from '../../shared/sasl/mechanisms.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { startLineService } from '../line-service/line-service.ts';
import type { LineLimits, LineService, LineServiceOptions } from '../line-service/line-service.ts';
import type { MaildropPolicy } from './maildrop.ts';
import { Session } from './session.ts';

export interface Pop3Limits extends LineLimits {
  /** Commands in a row that could not be understood before the line is cut. */
  readonly maxErrors: number;
  /** Failed logins before the line is cut. */
  readonly maxAuthErrors: number;
  /** How long the answer to a failed login waits. */
  readonly loginFailureDelayMs: number;
  /** Silence before autologout; at least 10 minutes (RFC 1939 section 3). */
  readonly idleTimeoutMs: number;
}

export interface Pop3Options extends LineServiceOptions {
  readonly accounts: Pick<Accounts, 'login' | 'open'>;
  /** How many sessions a user may have; no limit when absent. */
  readonly userSessions?: UserSessions | undefined;
  /** Counts logins and holds locks for the whole node; neither is there when absent. */
  readonly maildrops?: Maildrops | undefined;
  readonly policy: MaildropPolicy;
  /** What `LANG *` means; English when absent. */
  readonly preferredLanguage?: Language | undefined;
  /** Milliseconds since 1970; the system's clock when absent. */
  readonly now?: (() => number) | undefined;
  readonly limits: Pop3Limits;
}

/** Room for AUTH with its longest initial response; other commands have 255 octets (RFC 2449 section 4). */
const maxLineBytes = maxSaslLineBytes + 64;

/** Opens the listeners. Rejects with the system's error when a port can't be had. */
export async function startPop3(options: Pop3Options): Promise<LineService> {
  return startLineService(options, {
    name: 'pop3', maxLineBytes,
    session: (beginning, here) => new Session(beginning, here),
    hear: (session, hint) => {
      if (hint.mailbox === undefined) session.checkOwner(hint.account);
    },
  });
}
