/**
 * From which UID on messages of a mailbox are \Recent (RFC 3501 section 2.3.2): no session that may change the mailbox was told of them. Telling moves
 * the mark, which is written along with other changes: nobody waits for it, and what a crash takes with it is recent once more.
 */
import { isFailure } from '../../shared/base/failure.ts';
import { getMailbox, putMailbox } from './entries.ts';
import type { MailboxEntry } from './entries.ts';
import type { Environment } from './environment.ts';
import type { Tables } from './keys.ts';

export class RecentMarks {
  readonly #environment: Environment;
  readonly #tables: Tables;
  /** By the id of the mailbox: what sessions of this process were told of, and is not yet written. */
  readonly #unwritten = new Map<number, number>();

  constructor(environment: Environment, tables: Tables) {
    this.#environment = environment;
    this.#tables = tables;
  }

  /** The lowest UID that is recent to who opens the mailbox now; messages may have higher ones, or none. */
  of({ id, uidNext, recentFrom = uidNext }: MailboxEntry): number {
    return Math.max(recentFrom, this.#unwritten.get(id) ?? 0);
  }

  /**
   * A session that may change the mailbox was told of all messages below `uid`. Resolves once that is written, or cannot be; the mark of a mailbox
   * that is no more says nothing.
   */
  async told(mailbox: number, uid: number): Promise<void> {
    const unwritten = this.#unwritten.get(mailbox);
    if (unwritten !== undefined) {
      this.#unwritten.set(mailbox, Math.max(unwritten, uid)); // who writes that one writes this one, too
      return;
    }
    try {
      if (!isBefore(this.#environment.read(() => getMailbox(this.#tables, mailbox)), uid)) return;
      this.#unwritten.set(mailbox, uid);
      for (let written = 0; written !== this.#unwritten.get(mailbox);) written = await this.#environment.writeAlong(() => this.#write(mailbox));
    } catch (error) {
      if (!isFailure(error)) throw error;
    } finally {
      this.#unwritten.delete(mailbox);
    }
  }

  /** Answers how far. */
  #write(mailbox: number): number {
    const uid = this.#unwritten.get(mailbox) ?? 0;
    const entry = getMailbox(this.#tables, mailbox);
    if (entry !== undefined && isBefore(entry, uid)) putMailbox(this.#tables, { ...entry, recentFrom: uid });
    return uid;
  }
}

/** Whether messages below that UID are recent. */
function isBefore(entry: MailboxEntry | undefined, uid: number): boolean {
  return entry?.recentFrom !== undefined && entry.recentFrom < uid;
}
