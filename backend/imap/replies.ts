/** The one place where a failure becomes a tagged response, with the codes of RFC 5530. */
import { isFailure } from '../../shared/base/failure.ts';
import type { Failure, FailureKind } from '../../shared/base/failure.ts';

/** How a command ended: `tag status [code] text`. */
export interface Completion {
  readonly status: 'OK' | 'NO' | 'BAD';
  readonly code?: string | undefined;
  readonly text: string;
  /** Done once the client has the reply: the TLS handshake after STARTTLS. */
  readonly afterwards?: (() => Promise<void>) | undefined;
}

const codes: Partial<Record<FailureKind, string>> = {
  'bad-credentials': 'AUTHENTICATIONFAILED',
  'unknown-user': 'NONEXISTENT', // told to front-ends alone, of users whom they vouch for
  'password-expired': 'EXPIRED',
  'account-disabled': 'CONTACTADMIN',
  'service-denied': 'CONTACTADMIN',
  'account-locked': 'CONTACTADMIN',
  'privacy-required': 'PRIVACYREQUIRED',
  'directory-unavailable': 'UNAVAILABLE',
  'backend-unavailable': 'UNAVAILABLE',
  'message-too-big': 'TOOBIG',
  'over-quota': 'OVERQUOTA',
  'storage-full': 'UNAVAILABLE',
  'storage-failure': 'UNAVAILABLE',
  'mailbox-missing': 'NONEXISTENT',
  'mailbox-exists': 'ALREADYEXISTS',
  'use-refused': 'USEATTR',
  forbidden: 'NOPERM',
  limit: 'LIMIT',
  'in-use': 'INUSE',
  'timed-out': 'UNAVAILABLE',
  'shutting-down': 'UNAVAILABLE',
};

export function ok(text: string, code?: string): Completion {
  return { status: 'OK', code, text };
}

export function no(text: string, code?: string): Completion {
  return { status: 'NO', code, text };
}

export function bad(text: string, code?: string): Completion {
  return { status: 'BAD', code, text };
}

/** Thrown where a command can't go on, with the answer that the client gets. */
export class Refusal extends Error {
  readonly completion: Completion;

  constructor(completion: Completion) {
    super(completion.text);
    this.name = 'Refusal';
    this.completion = completion;
  }
}

/** For commands with sequence numbers once the client has renounced them (RFC 9586 section 3). */
export function uidRequired(): Refusal {
  return new Refusal(bad('no sequence numbers any more: UIDONLY is enabled', 'UIDREQUIRED'));
}

/** What the client is told of an error. Unknown ones are ours: the text only names the session, under which the log has it all. */
export function completionFor(error: unknown, session: { readonly id: string; readonly wantedAddress: string }): Completion {
  if (error instanceof Refusal) return error.completion;
  if (!isFailure(error)) return no(`internal error, reference ${session.id}`, 'SERVERBUG');
  if (error.kind === 'bad-input') return bad(error.message);
  if (error.kind === 'not-kept-here') return no(error.message, referralCode(error, session.wantedAddress));
  return no(error.message, codes[error.kind]);
}

/** RFC 2221, with the address as the URL's user part. Without a known owner it is only a matter of trying later. */
function referralCode(failure: Failure, address: string): string {
  return failure.node === undefined ? 'UNAVAILABLE' : `REFERRAL imap://${encodeURIComponent(address)}@${failure.node}/`;
}

/** The line of a tagged (or, with `*`, untagged) completion, without CRLF. Texts are ours, but may quote the client's bytes. */
export function formatCompletion(tag: string, completion: Completion): string {
  const code = completion.code === undefined ? '' : `[${completion.code}] `;
  const text = completion.text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 500);
  return `${tag} ${completion.status} ${code}${text}`;
}
