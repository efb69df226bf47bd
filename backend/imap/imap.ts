/** The IMAP service of a back-end (RFC 3501, RFC 9051). The wiring starts it. */
import type { UserSessions } from '../../shared/access/user-sessions.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { startLineService } from '../line-service/line-service.ts';
import type { LineLimits, LineService, LineServiceOptions } from '../line-service/line-service.ts';
import type { Sharing } from '../sharing/sharing.ts';
import type { Storage } from '../storage/storage.ts';
import type { TextAnswers } from '../text-index/text-index.ts';
import { Session } from './session.ts';

export interface ImapLimits extends LineLimits {
  /** BAD responses in a row before the line is cut. */
  readonly maxErrors: number;
  /** Failed logins before the line is cut. */
  readonly maxAuthErrors: number;
  /** How long the answer to a failed login waits. */
  readonly loginFailureDelayMs: number;
  /** Silence before autologout; at least 30 minutes (RFC 9051 section 5.4). */
  readonly idleTimeoutMs: number;
  readonly maxMessageBytes: number;
  /** Of a message that a client brings. */
  readonly maxHeaderBytes: number;
  /** How often IDLE looks at the index although no hint came; a minute when absent. */
  readonly idleRecheckMs?: number | undefined;
  /** Between two looks for news of a session that is told them unasked: what happens meanwhile is told together; a tenth of a second when absent. */
  readonly newsPauseMs?: number | undefined;
  /** How long another node may keep silent that is asked for somebody else's folder; 10 seconds when absent, three times that for a client's own command. */
  readonly otherNodePatienceMs?: number | undefined;
  /** How many mailboxes a session may watch by NOTIFY; 10,000 when absent. */
  readonly mostWatchedMailboxes?: number | undefined;
  /** How often clients hear that long work goes on; ten seconds when absent. */
  readonly progressIntervalMs?: number | undefined;
}

export interface ImapOptions extends LineServiceOptions {
  readonly accounts: Pick<Accounts, 'login' | 'open' | 'keepUp'>;
  /** What all users read of the server (RFC 5464 section 3.2.1.1): a URI of its administrator, a comment. */
  readonly serverAnnotations?: { readonly admin?: string | undefined; readonly comment?: string | undefined } | undefined;
  /** Folders of other users. */
  readonly sharing: Sharing;
  /** Of URLs that other users of this node have authorised. */
  readonly storage: Pick<Storage, 'find'>;
  /** How many sessions a user may have; no limit when absent. */
  readonly userSessions?: UserSessions | undefined;
  readonly limits: ImapLimits;
  /** Answers by the text index; messages are looked into where it is absent. */
  readonly texts?: TextAnswers | undefined;
}

/** Longest line; longer ones end the session. Commands have a tighter limit before login. */
const maxLineBytes = 64 * 1024;

/** Opens the listeners. Rejects with the system's error when a port can't be had. */
export async function startImap(options: ImapOptions): Promise<LineService> {
  return startLineService(options, {
    name: 'imap', maxLineBytes,
    session: (beginning, here) => new Session(beginning, here),
    hear: (session, hint) => session.hear(hint),
  });
}
