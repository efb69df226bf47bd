/** One API call of a signed-in user, as the routes see it. */
import type { Exchange } from '../../shared/http/http-service.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Account, Mailbox, StoredMessage, MessageRow } from '../storage/storage.ts';
import type { PathParameters, RoutePattern } from './router.ts';
import type { EventStreams } from './events.ts';
import type { UploadBudget } from './upload-budget.ts';
import type { WebmailListener, WebmailOptions } from './webmail.ts';

export interface Call {
  readonly exchange: Exchange<WebmailListener>;
  readonly parameters: PathParameters;
  readonly account: Account;
  /** The client as the submission shall know it. */
  readonly origin: { readonly client: string; readonly session: string };
  readonly session: CallSession;
  readonly options: WebmailOptions;
  readonly streams: EventStreams;
  readonly uploads: UploadBudget;
  /** Waits for the client (more of its body, room for the answer) without the place that the call works in. */
  readonly waitForClient: <T>(wait: () => Promise<T>) => Promise<T>;
}

/** The session that asks. */
export interface CallSession {
  /** Goes on under a new epoch of the account. */
  goOn(epoch: number): void;
  /** Ends; `epoch` is the account's new one. */
  end(epoch: number): void;
  /** Does what tells right passwords from wrong ones: few at once for one client, and no quick refusals. */
  guarded<T>(work: () => Promise<T>): Promise<T>;
}

export interface ApiRoute extends RoutePattern {
  readonly run: (call: Call) => Promise<void>;
}

/** The mailbox that the path names. @throws Failure('mailbox-missing') */
export function pathMailbox(call: Call): Mailbox {
  return mailboxById(call.account, call.parameters.number('mailbox'));
}

/** @throws Failure('mailbox-missing') */
export function mailboxById(account: Account, id: number): Mailbox {
  const mailbox = account.mailboxById(id);
  if (mailbox === undefined) throw new Failure('mailbox-missing', 'This folder is gone.');
  return mailbox;
}

/** The message that the path names. @throws HttpRefusal('message-missing') */
export function pathMessage(call: Call): { readonly mailbox: Mailbox; readonly row: MessageRow; readonly message: StoredMessage } {
  const mailbox = pathMailbox(call);
  return { mailbox, ...messageByUid(mailbox, call.parameters.number('uid')) };
}

/** @throws HttpRefusal('message-missing') */
export function messageByUid(mailbox: Mailbox, uid: number): { readonly row: MessageRow; readonly message: StoredMessage } {
  const row = mailbox.row(uid);
  const message = mailbox.message(uid);
  if (row === undefined || message === undefined) throw new HttpRefusal('message-missing', 'This message is gone.');
  return { row, message };
}
