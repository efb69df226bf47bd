/** What goes over the wire of the WebMail API under /api: the JSON that the back-end answers and the page reads. Types only. */
import type { AccountActSort } from '../../shared/admin-api/act-sorts.ts';
import type { Language } from '../../shared/language/language.ts';

export interface AddressView {
  /** Empty when there is none. */
  readonly name: string;
  readonly address: string;
}

/** From /api/language, for who has not signed in yet. */
export interface LanguageView {
  readonly language: Language;
}

export interface SessionView {
  readonly address: string;
  /** What the user's entry says, else as /api/language. */
  readonly language: Language;
  readonly limits: { readonly maxUploadBytes: number; readonly maxRecipients: number };
}

export type MailboxRole = 'inbox' | 'sent' | 'drafts' | 'trash' | 'junk' | 'archive' | 'none';

export interface MailboxView {
  readonly id: number;
  /** Full name, levels parted by `/`. */
  readonly name: string;
  readonly role: MailboxRole;
  readonly messages: number;
  readonly unseen: number;
}

/** One line of a message list. */
export interface MessageSummary {
  readonly uid: number;
  readonly from: readonly AddressView[];
  readonly to: readonly AddressView[];
  readonly subject: string;
  /** When it came in, milliseconds since 1970. */
  readonly dateMs: number;
  readonly size: number;
  readonly preview: string;
  readonly seen: boolean;
  readonly flagged: boolean;
  readonly answered: boolean;
  readonly forwarded: boolean;
  readonly draft: boolean;
  readonly hasAttachment: boolean;
}

/** Newest first. */
export interface MessagePage {
  readonly messages: readonly MessageSummary[];
  /** Whether older ones follow: ask with `before` = the last uid. */
  readonly more: boolean;
}

export interface BodyView {
  readonly kind: 'plain' | 'html';
  /** HTML is as the sender wrote it: never show it unsanitised. */
  readonly text: string;
  /** Only the beginning is here; the source has all. */
  readonly cut: boolean;
}

export interface AttachmentView {
  /** IMAP's part number, such as `2` or `1.3`. */
  readonly part: string;
  readonly name: string;
  readonly type: string;
  /** About; the decoded size, bytes. */
  readonly size: number;
  /** Without angle brackets; what `cid:` URLs in an HTML body name. */
  readonly contentId: string | undefined;
}

export interface MessageView extends MessageSummary {
  readonly cc: readonly AddressView[];
  readonly bcc: readonly AddressView[];
  readonly replyTo: readonly AddressView[];
  /** What the sender's clock said. */
  readonly sentAtMs: number | undefined;
  readonly bodies: readonly BodyView[];
  readonly attachments: readonly AttachmentView[];
}

/** A stored message, or one of its parts. */
export interface MessagePlace {
  readonly mailbox: number;
  readonly uid: number;
}

/** What the page sends to /api/send and /api/drafts: as JSON, or as the field `message` of a form with `attachment` files. */
export interface ComposeRequest {
  /** Address lists as people write them. */
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly subject: string;
  readonly text: string;
  /** The message this one replies to or forwards. */
  readonly answers?: (MessagePlace & { readonly as: 'reply' | 'forward' }) | undefined;
  /** The draft that this one replaces, or that is sent. */
  readonly draft?: MessagePlace | undefined;
  /** Attachments of stored messages to take along. */
  readonly keep: readonly (MessagePlace & { readonly part: string })[];
}

export interface SendAnswer {
  /** `failed`: it was sent, but no copy could be put into Sent. */
  readonly copy: 'kept' | 'failed';
}

export interface DraftAnswer {
  readonly draft: MessagePlace;
}

/** To /api/password: `{old, new}`. */
export interface PasswordAnswer {
  /** `go-on`: the password is changed, but they could not be ended. */
  readonly otherSessions: 'ended' | 'go-on';
}

/** From /api/accesses: what administrators did to the account, the newest first. */
export interface AccessesView {
  readonly acts: readonly AccessView[];
}

export interface AccessView {
  /** ISO 8601. */
  readonly time: string;
  readonly who: string;
  /** Their IP address. */
  readonly from: string;
  readonly sort: AccountActSort;
}

export interface ErrorView {
  readonly error: { readonly kind: string; readonly text: string };
}
