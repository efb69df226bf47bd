/** A server of mailboxes as the bench sees it, and how one gets in. */
import { Wire } from './wire.ts';
import type { Target } from './wire.ts';

export interface MailStore {
  readonly name: string;
  /** Ids of the cells that it is for; all where absent. Who is for some cells only comes with their mailboxes. */
  readonly serves?: readonly string[] | undefined;
  readonly imap: Target;
  readonly imaps: Target;
  readonly pop3: Target;
  readonly lmtp: Target;
  readonly password: string;
  /** All processes that work for it are these, or have one of these for an ancestor. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Whether a store is measured in a cell. */
export function isFor({ serves }: Pick<MailStore, 'serves'>, cell: string): boolean {
  return serves?.includes(cell) ?? true;
}

/** Kinds of users: `many` gets mail with ninety-nine others, of `solo` each has a part of its own in some cell. */
export type UserKind = 'many' | 'solo';
export const usersOfEachKind = 100;

export function addressOf(kind: UserKind, number: number): string {
  return `${kind}${String(number)}@example.com`;
}

/** Which `solo` has which part. */
export const parts = { single: 0, reader: 1, pop3: 2, mover: 3, appenders: 10, markers: 40 } as const;

/** A logged-in session. */
export async function imapSession(store: MailStore, user: string, leg: 'imap' | 'imaps' = 'imap'): Promise<Wire> {
  const wire = await Wire.open(store[leg], '* OK');
  await wire.ask(`l LOGIN ${user} ${store.password}\r\n`, 'l OK');
  return wire;
}

export async function pop3Session(store: MailStore, user: string): Promise<Wire> {
  const wire = await Wire.open(store.pop3, '+OK');
  await wire.ask(`USER ${user}\r\n`, '+OK');
  await wire.ask(`PASS ${store.password}\r\n`, '+OK');
  return wire;
}

export async function lmtpSession(store: MailStore): Promise<Wire> {
  const wire = await Wire.open(store.lmtp, '220 ');
  await wire.ask('LHLO fe1.example.com\r\n', '250 ');
  return wire;
}

/** What it says that it can. */
export async function capabilitiesOf(store: MailStore, user: string): Promise<ReadonlySet<string>> {
  const wire = await imapSession(store, user);
  const text = await wire.read('c CAPABILITY\r\n', 'c OK');
  wire.end();
  return new Set((/\* CAPABILITY ([^\r]*)/.exec(text)?.[1] ?? '').split(' '));
}
