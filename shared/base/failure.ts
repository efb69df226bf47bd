/**
 * The closed list of ways in which work for a client can fail. Every room throws `Failure`; one place per protocol
 * (`replies.ts` of the room) turns a kind into words. Anything else that is thrown is a fault of ours: the client gets
 * "internal error, reference <session id>", the log gets all of it.
 */

/** What went wrong, in the terms a protocol needs to choose its answer. */
export type FailureKind =
  | 'bad-credentials' // wrong user or password, never says which
  | 'password-expired' // the password was right, but no longer serves: the user must change it
  | 'account-disabled' // the password was right, but an administrator or the calendar bars the account
  | 'account-locked' // too many wrong passwords: barred for a while, or until an administrator unlocks it
  | 'service-denied' // the password was right, but the account may not be used for this
  | 'mailbox-disabled' // the user is known, but takes no mail (permanent, until an administrator changes it)
  | 'password-refused' // a new password that the directory's rules don't allow
  | 'privacy-required' // clear-text login refused before TLS
  | 'unknown-user' // the directory answered: no such address (permanent)
  | 'foreign-domain' // an address of a domain that is not ours, and relaying is not allowed
  | 'directory-unavailable' // no answer from any directory: temporary, never a miss
  | 'backend-unavailable' // the node that keeps the mailbox can't be reached: temporary
  | 'not-kept-here' // this node may not open the account; `node` names who does, if known
  | 'bad-input' // what the client sent can't be understood
  | 'message-too-big'
  | 'over-quota'
  | 'storage-full' // free space below the reserve: temporary
  | 'storage-failure' // the disk or the index refused: temporary
  | 'mailbox-missing'
  | 'mailbox-exists'
  | 'use-refused' // a special use that the mailbox can't have
  | 'forbidden' // known, but not allowed to this user
  | 'limit' // a limit on what one client may use
  | 'in-use'
  | 'too-soon' // logged in lately, and may again only later (LOGIN-DELAY, RFC 2449)
  | 'timed-out'
  | 'shutting-down';

const temporaryKinds: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'directory-unavailable', 'backend-unavailable', 'not-kept-here', 'storage-full', 'storage-failure', 'limit', 'in-use', 'too-soon',
  'timed-out', 'shutting-down',
]);

/** An expected failure: a kind, a text that a client may read, and for the log a cause and fields. */
export class Failure extends Error {
  readonly kind: FailureKind;
  /** For `not-kept-here`: the node that owns the account, when known. */
  readonly node: string | undefined;

  /** @param clientText safe to show to the client: no secrets, no paths, no names of other users. */
  constructor(kind: FailureKind, clientText: string, options: { cause?: unknown; node?: string | undefined } = {}) {
    super(clientText, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.node = options.node;
  }

  /** True when the same request may succeed later without anybody changing it. */
  get temporary(): boolean {
    return temporaryKinds.has(this.kind);
  }
}

/**
 * `words` for the client, and `retry` (`; try again later`, in its language) behind them where that may help, unless they say so themselves.
 */
export function withRetry(words: string, error: Failure, retry: string): string {
  return error.temporary && !/\btry again\b/i.test(words) ? `${words}${retry}` : words;
}

/** Says whether a thrown value is a Failure, of the given kind if one is named. */
export function isFailure(thrown: unknown, kind?: FailureKind): thrown is Failure {
  return thrown instanceof Failure && (kind === undefined || thrown.kind === kind);
}
