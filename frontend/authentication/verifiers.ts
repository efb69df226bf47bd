/**
 * Remembers, in this process only, that a password was right: for the time in which no directory answers. What is kept is a
 * salted digest under a key that dies with the process, bounded in age and number.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { secretBytes } from '../../shared/base/secret-bytes.ts';
import type { LRUCache } from 'lru-cache';
import { boundedCache } from '../../shared/base/bounded-cache.ts';

interface Verifier { readonly salt: Buffer; readonly digest: Buffer; readonly provenAt: number }

export class Verifiers {
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  readonly #verifiers: LRUCache<string, Verifier>;
  readonly #key = secretBytes(32);

  constructor(options: { readonly maxAgeMs: number; readonly maxEntries: number; readonly now: () => number }) {
    this.#maxAgeMs = options.maxAgeMs;
    this.#now = options.now;
    this.#verifiers = boundedCache(options.maxEntries);
  }

  /** The directory has just taken this password. */
  remember(account: string, password: string): void {
    const salt = this.#verifiers.get(account)?.salt ?? randomBytes(16);
    this.#verifiers.set(account, { salt, digest: this.#digest(salt, account, password), provenAt: this.#now() });
  }

  /** The directory has just refused this password: it must not serve later. Other passwords say nothing. */
  refuted(account: string, password: string): void {
    if (this.compare(account, password) === 'same password') this.#verifiers.delete(account);
  }

  /** What the last login says of this password; `nothing` when there was none, or too long ago. */
  compare(account: string, password: string): 'same password' | 'other password' | 'nothing' {
    const verifier = this.#verifiers.get(account);
    if (verifier === undefined || this.#now() - verifier.provenAt >= this.#maxAgeMs) return 'nothing';
    return timingSafeEqual(verifier.digest, this.#digest(verifier.salt, account, password)) ? 'same password' : 'other password';
  }

  #digest(salt: Buffer, account: string, password: string): Buffer {
    return hash('sha256', Buffer.concat([this.#key, salt, Buffer.from(`${account}\0${password}`)]), 'buffer');
  }
}
