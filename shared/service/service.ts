/** What the supervisor and the mains know of a running service, whatever protocol it speaks. */

/** One running service of a node (IMAP, the queue runner, …). */
export interface Service {
  /** The name used in the configuration and the log: `imap`, `smtpReceiving`, … */
  readonly name: string;
  /**
   * Stops accepting, lets running commands finish, says goodbye in the protocol's words and closes. Resolves when all
   * sessions are gone, at the latest after `graceMs`, when what is left is cut.
   */
  stop(graceMs: number): Promise<void>;
  /**
   * Stops accepting at once and lets its sessions go on as if nothing were; resolves when the last has ended by itself.
   * `stop` may be called meanwhile, and is called afterwards.
   */
  retire(): Promise<void>;
}

/** News that something changed, sent to all worker processes of a node; a hint only: receivers look for themselves. */
export interface ChangeHint {
  /** The account's id in the storage. */
  readonly account: string;
  /** The mailbox's id; absent when the list of mailboxes changed. */
  readonly mailbox?: number;
  /** For so many it stands, where they were told together; one when absent. */
  readonly changes?: number;
}

/** Carries hints between the worker processes of one node (through the supervisor). */
export interface HintBus {
  /** Tells every worker process, this one included. */
  publish(hint: ChangeHint): void;
  /** Hears of all hints; returns a function that ends it. */
  subscribe(listener: (hint: ChangeHint) => void): () => void;
}
