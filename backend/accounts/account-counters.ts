/** What a back-end's worker counts of its questions to the user maps, in the words of the front-ends' caches and logins (`waybill map stats`). */
import { isFailure } from '../../shared/base/failure.ts';
import { tallyOperations } from '../../shared/ldap/operations.ts';

export class AccountCounters {
  /** Back-ends always ask afresh: nothing is hit. */
  readonly mapping = { hits: 0, misses: 0, stale: 0, questions: 0 };
  /** Passwords that were checked here, or at the directory for whom a front-end left that to us. */
  readonly logins = { accepted: 0, refused: 0, unavailable: 0, operations: 0 };

  asked(): void {
    this.mapping.misses += 1;
    this.mapping.questions += 1;
  }

  /** An answer of before served, since the directory was away. */
  servedStale(): void {
    this.mapping.stale += 1;
  }

  /** Counts how a login ends, and what it costs. A referral is neither a success nor a refusal. */
  async login<T>(work: () => Promise<T>): Promise<T> {
    try {
      const value = await tallyOperations(work, (operations) => { this.logins.operations += operations; });
      this.logins.accepted += 1;
      return value;
    } catch (error) {
      if (isFailure(error) && error.temporary) this.logins.unavailable += isFailure(error, 'not-kept-here') ? 0 : 1;
      else this.logins.refused += 1;
      throw error;
    }
  }
}
