/**
 * One account inside one write transaction: checks that this node still owns it, hands out its mailboxes for change and
 * keeps its use. `changeAccount` runs the transaction and publishes hints after the commit.
 */
import { Failure } from '../../shared/base/failure.ts';
import { checkMailboxes, checkRightsOfAccount, countRights } from './account-bounds.ts';
import { getAccount, getMailbox, isHeld, limitsOf, putAccount, sessionEpochOf } from './entries.ts';
import type { AccountEntry, MailboxEntry } from './entries.ts';
import { isHidden } from './mailbox-name.ts';
import { MailboxChange } from './mailbox-change.ts';
import type { Volume } from './volume.ts';
import type { LockWait } from './write-lock.ts';

/** Which account, as it was when it was opened. */
export interface AccountHandle {
  readonly volume: Volume;
  readonly number: number;
  readonly id: string;
  readonly address: string;
  readonly epoch: number;
}

export class AccountChange {
  readonly volume: Volume;
  readonly number: number;
  #entry: AccountEntry;
  readonly #mailboxes = new Map<number, MailboxChange>();
  #freed = { bytes: 0, messages: 0 };
  #listChanged = false;
  #made: 'mailboxes' | 'none' = 'none';
  /** By entries of rights at mailboxes that came or went. */
  #moreRights = 0;
  #bounds: 'hold' | 'do not hold' = 'hold';

  constructor(handle: AccountHandle) {
    const { volume, address } = handle;
    const entry = getAccount(volume.tables, address);
    if (entry?.movedTo !== undefined) throw new Failure('not-kept-here', 'account has moved', { node: entry.movedTo });
    if (entry?.arriving !== undefined) throw new Failure('not-kept-here', 'account is on its way', { node: entry.arriving.from });
    if (entry?.withdrawn !== undefined) throw new Failure('unknown-user', 'there is no such account');
    if (entry !== undefined && isHeld(entry)) throw new Failure('in-use', 'the mailbox is being moved, try again in a moment');
    if (entry === undefined || entry.epoch !== handle.epoch || entry.number !== handle.number) throw new Failure('not-kept-here', 'account is not kept here any more');
    this.volume = volume;
    this.number = entry.number;
    this.#entry = entry;
  }

  get address(): string {
    return this.#entry.address;
  }

  /** The mailbox of that id, for change. Throws `mailbox-missing`. */
  mailbox(id: number): MailboxChange {
    const open = this.#mailboxes.get(id);
    if (open !== undefined) return open;
    const entry = getMailbox(this.volume.tables, id);
    if (entry === undefined || entry.account !== this.number) throw new Failure('mailbox-missing', 'mailbox does not exist');
    return this.#open(entry);
  }

  /** A mailbox that was just made. */
  begin(entry: MailboxEntry): MailboxChange {
    this.#listChanged = true;
    this.#made = 'mailboxes';
    this.#moreRights += entry.rights?.length ?? 0;
    return this.#open(entry);
  }

  /** The mailbox is gone with all its messages; nothing of it is saved. */
  forget(entry: MailboxEntry): void {
    this.#listChanged = true;
    this.#mailboxes.delete(entry.id);
    this.#moreRights -= entry.rights?.length ?? 0;
    this.#freed = { bytes: this.#freed.bytes + entry.bytes, messages: this.#freed.messages + entry.messages };
  }

  /** The list of mailboxes, a name or a subscription has changed. */
  noteListChange(): void {
    this.#listChanged = true;
  }

  /** What comes back out of a backup was there before: bounds of mailboxes and rights don't keep it away. */
  bringBack(): void {
    this.#bounds = 'do not hold';
  }

  setPassword(hash: string): void {
    this.#entry = { ...this.#entry, password: hash };
    putAccount(this.volume.tables, this.#entry);
  }

  /** Sign-ins made so far hold no more; answers the epoch of new ones. */
  endSessions(): number {
    const sessionEpoch = sessionEpochOf(this.#entry) + 1;
    this.#entry = { ...this.#entry, sessionEpoch };
    putAccount(this.volume.tables, this.#entry);
    this.#listChanged = true; // open pages hear of it
    return sessionEpoch;
  }

  /** Writes everything. Throws `over-quota` when the account grew beyond its limit, `limit` when its tables did, unless it is `its-own` mail that comes back. */
  save(growth: 'counted' | 'its-own' = 'counted'): void {
    let bytes = this.#entry.bytes - this.#freed.bytes;
    let messages = this.#entry.messages - this.#freed.messages;
    for (const { growth } of this.#mailboxes.values()) {
      bytes += growth.bytes;
      messages += growth.messages;
      this.#moreRights += growth.rights;
    }
    if (growth === 'counted') this.#checkQuota(bytes, messages);
    for (const mailbox of this.#mailboxes.values()) mailbox.save();
    const rights = this.#rightsNow();
    if (growth === 'counted' && this.#bounds === 'hold') this.#checkBounds(rights);
    const { hold: lapsed, rights: _before, ...entry } = this.#entry;
    // A hold that is over stays so, even if the clock is set back: its seal must not come after this change.
    if (lapsed === undefined && bytes === entry.bytes && messages === entry.messages && rights === this.#entry.rights) return;
    putAccount(this.volume.tables, { ...entry, bytes, messages, ...(rights === undefined ? {} : { rights }) });
  }

  /** Tells all processes what has changed. Call it after the commit. */
  publish(): void {
    const account = this.#entry.id;
    if (this.#listChanged) this.volume.hints.publish({ account });
    for (const [mailbox, change] of this.#mailboxes) if (change.touched && !isHidden(change.entry.name)) this.volume.hints.publish({ account, mailbox });
  }

  #open(entry: MailboxEntry): MailboxChange {
    const change = new MailboxChange(this.volume.tables, entry, this.volume.flagRecords);
    this.#mailboxes.set(entry.id, change);
    return change;
  }

  /** Entries of rights after this change, once the mailboxes are saved. They are counted on from when the first was added: reading all mailboxes each time would hold other writers up. */
  #rightsNow(): number | undefined {
    const { rights } = this.#entry;
    if (rights !== undefined) return rights + this.#moreRights;
    return this.#moreRights > 0 ? countRights(this.volume, this.number) : undefined;
  }

  #checkBounds(rights: number | undefined): void {
    if (this.#made === 'mailboxes') checkMailboxes(this.volume, this.number);
    if (rights !== undefined && this.#moreRights > 0) checkRightsOfAccount(this.volume, rights);
  }

  #checkQuota(bytes: number, messages: number): void {
    const limits = limitsOf(this.#entry, this.volume.limitsOf(this.#entry.address));
    const tooManyBytes = limits.bytes > 0 && bytes > limits.bytes && bytes > this.#entry.bytes;
    const tooManyMessages = limits.messages > 0 && messages > limits.messages && messages > this.#entry.messages;
    if (tooManyBytes || tooManyMessages) throw new Failure('over-quota', 'the mailbox is full');
  }
}

/** Runs `action` on the account in one transaction. Throws what `action` throws, `not-kept-here`, `over-quota`, `storage-failure`, `in-use`. @param wait for the end of a lock; begins now when absent */
export async function changeAccount<T>(handle: AccountHandle, action: (change: AccountChange) => T, wait?: LockWait): Promise<T> {
  const { change, result } = await handle.volume.environment.write(() => {
    const change = new AccountChange(handle);
    const result = action(change);
    change.save();
    return { change, result };
  }, wait);
  change.publish();
  return result;
}
