/**
 * Many messages that enter one mailbox as one command's: some at a time, so that they are not all held until the last is there. All of them enter
 * or none: what has entered goes again when a later one can't.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { AppendMarks, AppendResult, Mailbox, StagedMessage } from '../storage/storage.ts';

interface EnteringMessage {
  readonly staged: StagedMessage;
  readonly marks: AppendMarks;
}

/** So many are held, or so much: what is held takes the disk's space, and is in vain if it can't enter. */
const mostHeld = 1000;
const mostHeldBytes = 256 * 1024 * 1024;

export class Entering {
  readonly #mailbox: Mailbox;
  readonly #uids: number[] = [];
  #held: EnteringMessage[] = [];
  #heldBytes = 0;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** Answers how many bytes are held. @throws Failure as appending does */
  async add(message: EnteringMessage): Promise<number> {
    this.#held.push(message);
    this.#heldBytes += message.staged.size;
    if (this.#held.length >= mostHeld || this.#heldBytes >= mostHeldBytes) await this.#enter();
    return this.#heldBytes;
  }

  /** Does the work that adds them all; if that fails none is left there. Their UIDs don't come back. @throws what the work throws, Failure as appending does */
  async whole(log: Logger, work: () => Promise<void>): Promise<AppendResult> {
    try {
      await work();
      if (this.#held.length > 0) await this.#enter();
      return { uidValidity: this.#mailbox.state().uidValidity, uids: this.#uids };
    } catch (error) {
      await this.#discard();
      if (this.#uids.length > 0) await this.#mailbox.expunge(this.#uids).catch((undoing: unknown) => log.error({ err: undoing }, 'messages of a command that failed half-way could not be removed again'));
      throw error;
    }
  }

  async #enter(): Promise<void> {
    const { uids } = await this.#mailbox.append(this.#held);
    this.#uids.push(...uids);
    await this.#discard();
  }

  async #discard(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    await Promise.all(held.map(async ({ staged }) => staged.discard()));
  }
}
