/** When a delivery that failed for now is tried again (manual 3.2.2: five minutes first, doubled up to eight hours, twenty retries). Pure. */

export interface DoublingDelay {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export interface RetryOptions {
  /** After a 4xx of the other side, and for servers outside that don't answer. */
  readonly refused: DoublingDelay;
  readonly maxRetries: number;
  /** After an outage inside the cluster (a node, the directory): these come back, and are asked often. Not counted as tries. */
  readonly outage: DoublingDelay;
  /** While an account is on its way from one node to another, or its node can't tell yet whether a message is a retry, which takes a moment. Not counted either. */
  readonly moved: DoublingDelay;
  /** After its start a node waits so long for others that may have taken a client's retry while it was down (retries-elsewhere.ts). */
  readonly silentNodesMs: number;
  /** Whatever the count, mail older than this goes back to its sender. */
  readonly expireAfterMs: number;
  /** The sender is told of the delay after that many tries … */
  readonly delayNoticeAfterTries: number;
  /** … or when an outage inside the cluster has held the mail that long. */
  readonly delayNoticeAfterMs: number;
  /** How much a delay varies by chance: 0.1 is ±10 %. */
  readonly jitter: number;
}

const minuteMs = 60_000;

/** The manual's, with what it leaves open. */
export const defaultRetryOptions: RetryOptions = {
  refused: { firstDelayMs: 5 * minuteMs, maxDelayMs: 480 * minuteMs },
  maxRetries: 20,
  outage: { firstDelayMs: 5000, maxDelayMs: minuteMs },
  moved: { firstDelayMs: 500, maxDelayMs: 4000 },
  silentNodesMs: 5 * minuteMs,
  expireAfterMs: 6 * 24 * 60 * minuteMs,
  delayNoticeAfterTries: 4,
  delayNoticeAfterMs: 60 * minuteMs,
  jitter: 0.1,
};

/** Milliseconds from the n-th failure in a row (1 is the first) to the next try. */
export function delayAfter(delay: DoublingDelay, failures: number, jitter: number): number {
  const doubled = Math.min(delay.firstDelayMs * 2 ** Math.min(failures - 1, 40), delay.maxDelayMs);
  return Math.round(doubled * (1 + jitter * (2 * Math.random() - 1)));
}

/** As long as it has waited already: so what is sent whole with each try is sent ever more seldom. */
export function delayByAge({ firstDelayMs, maxDelayMs }: DoublingDelay, ageMs: number, jitter: number): number {
  const delay = Math.min(Math.max(ageMs, firstDelayMs), maxDelayMs);
  return Math.round(delay * (1 + jitter * (2 * Math.random() - 1)));
}
