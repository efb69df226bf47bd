/**
 * Counts of LDAP operations as they are sent, repeated ones included: of a connector, and of the work that caused them, however
 * many layers lie between.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { counter } from '../metrics/metrics.ts';

export interface LdapOperations {
  readonly searches: number;
  /** Binds that check a user's password. */
  readonly passwordBinds: number;
  /** Binds of the connector itself, on new connections. */
  readonly serviceBinds: number;
}

const operations = counter({ name: 'waybill_directory_operation', help: 'LDAP operations that were sent.', labels: ['kind'] });

interface Tally {
  operations: number;
}

const tallies = new AsyncLocalStorage<Tally>();

/** The counts of one connector. */
export class OperationCounter {
  readonly #counts = { searches: 0, passwordBinds: 0, serviceBinds: 0 };

  get counts(): LdapOperations {
    return { ...this.#counts };
  }

  count(kind: keyof LdapOperations): void {
    this.#counts[kind] += 1;
    operations.add({ kind });
    const tally = tallies.getStore();
    if (tally !== undefined) tally.operations += 1;
  }
}

/** Runs `work`; `done` hears how many operations it caused, also when it fails. A question that others asked already costs nothing. */
export async function tallyOperations<T>(work: () => Promise<T>, done: (operations: number) => void): Promise<T> {
  const tally: Tally = { operations: 0 };
  try {
    return await tallies.run(tally, work);
  } finally {
    done(tally.operations);
  }
}
