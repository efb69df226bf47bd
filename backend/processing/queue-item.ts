/** One message in the queue: what is stored of it, and how outcomes of delivery change it. Pure. */
import type { PackPlace } from '../storage/storage.ts';
import type { Confirmation } from './delivery-keys.ts';

/**
 * Where a recipient's mail goes next: `ours` (whoever owns the account now), `node:NAME` (handed over by LMTP),
 * `host:HOST[:PORT]` (a mail host of the user map that is no node), `domain:NAME` (outside, by MX or route).
 */
export type Destination = string;

/** Not in our hands: tries are counted there. */
export function isOutside(destination: Destination): boolean {
  return destination.startsWith('domain:') || destination.startsWith('host:');
}

export type RecipientState =
  /**
   * `why`: an outage's end lets all that waited for it go at once; a refusal's wait is kept. `amend`: the owner has the
   * message, and is only to hear that its client was perhaps not told.
   */
  | { readonly at: 'waiting'; readonly dueAtMs: number; readonly why: 'new' | 'outage' | 'refused' | 'amend' }
  /** `told`: what the owner of a cluster account was told of the client's confirmation. */
  | { readonly at: 'finished'; readonly told: Confirmation | undefined };

export interface QueueRecipient {
  readonly address: string;
  /** RFC 3461. */
  readonly notify: readonly string[] | undefined;
  readonly orcpt: string | undefined;
  readonly destination: Destination;
  /** Who keeps the mailbox, as the front-end knew when the mail was accepted: for the time when no directory answers. */
  readonly node?: string | undefined;
  /** It came out of an expansion (forwarding, a group) and is not expanded again: so nothing goes round in circles. */
  readonly final?: 'yes' | undefined;
  readonly state: RecipientState;
  /** Tries that count: refused for now, or a server outside that could not be reached. */
  readonly tries: number;
  readonly delayTold: boolean;
  /** What the last try brought, for reports and the admin's list. */
  readonly lastWords: string | undefined;
}

export interface QueueItem {
  readonly id: string;
  /** The client's bytes. */
  readonly place: PackPlace;
  /** SHA-256 of them, hex. */
  readonly digest: string;
  /** Our trace fields, to be put before the bytes. */
  readonly trace: string;
  readonly sender: { readonly address: string; readonly ret: 'FULL' | 'HDRS' | undefined; readonly envid: string | undefined; readonly smtpUtf8: boolean; readonly eightBit: boolean };
  readonly acceptedAtMs: number;
  readonly confirmation: Confirmation;
  /** The process whose session has the message's client. */
  readonly holder: string;
  readonly recipients: readonly QueueRecipient[];
  /** An administrator wants it to wait: nothing of it is due. */
  readonly held?: 'yes' | undefined;
}

/**
 * Recipients who turned out to be outside by this change (out of an expansion, or their mail host is of another kind):
 * those whom an earlier try has reached already, as `isNew` says, are finished.
 */
export function withKeysOutside(before: QueueItem, after: QueueItem, isNew: (address: string) => boolean): QueueItem {
  const recipients = after.recipients.map((recipient, index): QueueRecipient => {
    const isFresh = recipient.state.at === 'waiting' && isOutside(recipient.destination) && before.recipients[index]?.destination !== recipient.destination;
    return isFresh && !isNew(recipient.address) ? { ...recipient, state: { at: 'finished', told: undefined } } : recipient;
  });
  return { ...after, recipients };
}

export function encodeItem(item: QueueItem): Buffer {
  return Buffer.from(JSON.stringify(item));
}

export function decodeItem(value: Buffer): QueueItem {
  return JSON.parse(value.toString()) as QueueItem;
}

/** True when nothing is left to do: the bytes can go. */
export function isComplete(item: QueueItem): boolean {
  return item.confirmation !== 'open' && item.recipients.every(({ state }) => state.at === 'finished');
}

/** When something is to be done for each destination: the earliest waiting recipient counts. */
export function dueTimes(item: QueueItem): ReadonlyMap<Destination, number> {
  const due = new Map<Destination, number>();
  if (item.held === 'yes') return due;
  for (const { destination, state } of item.recipients) {
    if (state.at === 'waiting') due.set(destination, Math.min(due.get(destination) ?? Infinity, state.dueAtMs));
  }
  return due;
}

/** Those who wait for that destination, with their places in the list. */
export function waitingFor(item: QueueItem, destination: Destination): { readonly index: number; readonly recipient: QueueRecipient }[] {
  return item.recipients.flatMap((recipient, index) => (recipient.state.at === 'waiting' && recipient.destination === destination ? [{ index, recipient }] : []));
}

/** The item with some recipients replaced. */
export function withRecipients(item: QueueItem, changed: ReadonlyMap<number, QueueRecipient>): QueueItem {
  return { ...item, recipients: item.recipients.map((recipient, index) => changed.get(index) ?? recipient) };
}

/**
 * The client's session has ended: fresh recipients are due at once; owners who were told that the session stood, and now
 * it is loose, are to be told (the hand-over is repeated under the same id).
 */
export function settled(item: QueueItem, confirmation: 'confirmed' | 'loose', nowMs: number): QueueItem {
  if (item.confirmation !== 'open') return item;
  const recipients = item.recipients.map((recipient): QueueRecipient => {
    const { state } = recipient;
    const isFresh = state.at === 'waiting' && state.why === 'new';
    const mustHear = state.at === 'finished' && state.told === 'open' && confirmation === 'loose';
    if (!isFresh && !mustHear) return recipient;
    return { ...recipient, state: { at: 'waiting', dueAtMs: nowMs, why: isFresh ? 'new' : 'amend' } };
  });
  return { ...item, confirmation, recipients };
}

/** An item as it is handed over. */
export interface LookedAtItem extends QueueItem {
  /** When its client's session, which is open, was seen to stand, milliseconds since 1970; undefined: it has ended. */
  readonly standingAtMs: number | undefined;
}

/**
 * With what is known of its client's session now: one that ended with its process is loose, though nobody may have noted that yet. An owner who
 * was told that it stands would store the message beside a retry that he has already.
 */
export function asNow(item: QueueItem, isAlive: (holder: string) => boolean, nowMs: number): LookedAtItem {
  if (item.confirmation !== 'open') return { ...item, standingAtMs: undefined };
  return isAlive(item.holder) ? { ...item, standingAtMs: nowMs } : { ...item, confirmation: 'loose', standingAtMs: undefined };
}
