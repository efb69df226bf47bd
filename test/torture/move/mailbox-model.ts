/** What a mail program knows of its mailboxes from what it was answered, and how that compares with what it finds. Pure. */

export interface KnownMessage {
  /** Undefined: a change that was not answered has given it one. */
  readonly uid: number | undefined;
  readonly subject: string;
  /** Flags and keywords, sorted. */
  readonly flags: string;
  /** INTERNALDATE as the server writes it. */
  readonly date: string;
  readonly size: number;
  /** As it was seen last; undefined once it was changed since. */
  readonly modseq: number | undefined;
  /** It never goes below. */
  readonly modseqFloor: number;
}

export interface KnownMailbox {
  /** Undefined until it was seen. */
  readonly uidValidity: number | undefined;
  readonly mailboxId: string | undefined;
  readonly highestModseq: number;
  readonly uidNext: number;
  /** In the order of their UIDs. */
  readonly messages: readonly KnownMessage[];
}

export type Mailboxes = ReadonlyMap<string, KnownMailbox>;

export const emptyMailbox: KnownMailbox = { uidValidity: undefined, mailboxId: undefined, highestModseq: 0, uidNext: 1, messages: [] };

/** What was found, with everything known. */
export type Found = ReadonlyMap<string, KnownMailbox>;

/** Everything that is not as it was acknowledged; empty when all is well. */
export function differences(known: Mailboxes, found: Found): string[] {
  const names = [...new Set([...known.keys(), ...found.keys()])].toSorted();
  return names.flatMap((name) => {
    const [expected, actual] = [known.get(name), found.get(name)];
    if (expected === undefined) return [`mailbox ${name} is there`];
    return actual === undefined ? [`mailbox ${name} is missing`] : mailboxDifferences(expected, actual).map((text) => `${name}: ${text}`);
  });
}

function mailboxDifferences(known: KnownMailbox, found: KnownMailbox): string[] {
  const complaints: string[] = [];
  if (known.uidValidity !== undefined && known.uidValidity !== found.uidValidity) complaints.push(`UIDVALIDITY ${String(found.uidValidity)} instead of ${String(known.uidValidity)}`);
  if (known.mailboxId !== undefined && known.mailboxId !== found.mailboxId) complaints.push(`MAILBOXID ${String(found.mailboxId)} instead of ${known.mailboxId}`);
  if (found.highestModseq < known.highestModseq) complaints.push(`HIGHESTMODSEQ went back from ${String(known.highestModseq)} to ${String(found.highestModseq)}`);
  if (found.uidNext < known.uidNext) complaints.push(`UIDNEXT went back from ${String(known.uidNext)} to ${String(found.uidNext)}`);
  if (known.messages.length !== found.messages.length) return [...complaints, `${list(found)} instead of ${list(known)}`];
  return [...complaints, ...known.messages.flatMap((message, index) => messageDifferences(message, found.messages[index], known))];
}

function list({ messages }: KnownMailbox): string {
  return `[${messages.map(({ uid, subject }) => `${String(uid)} ${subject.slice(-6)}`).join(', ')}]`;
}

function messageDifferences(known: KnownMessage, found: KnownMessage | undefined, { uidNext }: KnownMailbox): string[] {
  if (found?.uid === undefined || found.modseq === undefined) return ['a message without UID or MODSEQ'];
  const complaints: string[] = [];
  const expect = (what: string, is: unknown, wanted: unknown): void => {
    if (is !== wanted) complaints.push(`message ${String(known.uid)}: ${what} ${String(is)} instead of ${String(wanted)}`);
  };
  if (known.uid === undefined) {
    if (found.uid < uidNext) complaints.push(`a new message got the old UID ${String(found.uid)}`);
  } else expect('UID', found.uid, known.uid);
  expect('subject', found.subject, known.subject);
  expect('flags', found.flags, known.flags);
  expect('date', found.date, known.date);
  expect('size', found.size, known.size);
  if (known.modseq !== undefined) expect('MODSEQ', found.modseq, known.modseq);
  else if (found.modseq < known.modseqFloor) complaints.push(`message ${String(known.uid)}: MODSEQ went back from ${String(known.modseqFloor)} to ${String(found.modseq)}`);
  return complaints;
}

/** One mailbox replaced, or (undefined) removed. */
export function withMailbox(mailboxes: Mailboxes, name: string, mailbox: KnownMailbox | undefined): Mailboxes {
  const next = new Map(mailboxes);
  if (mailbox === undefined) next.delete(name);
  else next.set(name, mailbox);
  return next;
}

/** Messages entered at the end; `uids` as the server told, if it did. */
export function withArrivals(mailbox: KnownMailbox, arrivals: readonly KnownMessage[], uids: readonly number[] | undefined): KnownMailbox {
  const fresh = arrivals.map((message, index): KnownMessage => ({ ...message, uid: uids?.[index], modseq: undefined, modseqFloor: mailbox.highestModseq }));
  return { ...mailbox, uidNext: Math.max(mailbox.uidNext, ...(uids ?? []).map((uid) => uid + 1)), messages: [...mailbox.messages, ...fresh] };
}

/** One message changed, or (undefined) gone. */
export function withMessage(mailbox: KnownMailbox, uid: number, change: (message: KnownMessage) => KnownMessage | undefined): KnownMailbox {
  const messages = mailbox.messages.flatMap((message) => {
    if (message.uid !== uid) return [message];
    const changed = change(message);
    return changed === undefined ? [] : [{ ...changed, modseq: undefined, modseqFloor: message.modseq ?? message.modseqFloor }];
  });
  return { ...mailbox, messages };
}
