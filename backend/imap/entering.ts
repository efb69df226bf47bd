/**
 * Many messages that enter one mailbox as one command's: some at a time, so that they are not all held until the last is there. All of them are seen
 * there at once, or none ever (RFC 9051 section 6.4.7).
 */
import type { Logger } from '../../shared/log/log.ts';
import type { AppendMarks, AppendResult, Lots, Mailbox, StagedMessage } from '../storage/storage.ts';

interface EnteringMessage {
  readonly staged: StagedMessage;
  readonly marks: AppendMarks;
}

/** So many are held, or so much: what is held takes the disk's space, and is in vain if it can't enter. */
const mostHeld = 1000;
const mostHeldBytes = 256 * 1024 * 1024;

export class Entering {
  readonly #mailbox: Mailbox;
  #lots: Lots | undefined;
  #held: EnteringMessage[] = [];
  #heldBytes = 0;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** Answers how many bytes are held. @throws Failure as appending does */
  async add(message: EnteringMessage): Promise<number> {
    if (this.#held.length >= mostHeld || this.#heldBytes >= mostHeldBytes) await this.#enterLot(); // not before: what is no more than one lot needs one transaction
    this.#held.push(message);
    this.#heldBytes += message.staged.size;
    return this.#heldBytes;
  }

  /** Does the work that adds them all; if that fails the mailbox is as it was. @throws what the work throws, Failure as appending does */
  async whole(log: Logger, work: () => Promise<void>): Promise<AppendResult> {
    try {
      await work();
      if (this.#lots === undefined) return await this.#enterAll();
      await this.#enterLot();
      return await this.#lots.show();
    } catch (error) {
      await this.#discard();
      await this.#lots?.forget(log);
      throw error;
    }
  }

  async #enterLot(): Promise<void> {
    this.#lots ??= this.#mailbox.lots();
    if (this.#held.length > 0) await this.#lots.add(this.#held);
    await this.#discard();
  }

  async #enterAll(): Promise<AppendResult> {
    if (this.#held.length === 0) return { uidValidity: this.#mailbox.state().uidValidity, uids: [] };
    const result = await this.#mailbox.append(this.#held);
    await this.#discard();
    return result;
  }

  async #discard(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    await Promise.all(held.map(async ({ staged }) => staged.discard()));
  }
}
