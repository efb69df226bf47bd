/** Options for the slowing of guesses in tests of a single worker. */
import type { GuessDelayOptions } from '../../shared/access/guess-delays.ts';
import type { Notices } from '../../shared/service/notices.ts';

/** A worker without others. */
export const alone: Notices = { post: () => undefined, subscribe: () => undefined };

/** Ten wrong passwords are free. */
export function patientGuesses(changes: Partial<GuessDelayOptions> = {}): GuessDelayOptions {
  return { free: 10, firstMs: 100, longestMs: 1000, longestWaitMs: 1000, forgetMs: 60_000, key: Buffer.from('digests of tests'), notices: alone, ...changes };
}
