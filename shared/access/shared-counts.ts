/**
 * What the workers of a node count of something they share (attempts under way, connections), as far as they have told each
 * other: each decides by its own copy, nobody waits for an answer. A worker that died has told its last count for good, so counts
 * are believed for a while only.
 */
import { randomBytes } from 'node:crypto';
import { boundedCache } from '../base/bounded-cache.ts';
import { z } from 'zod';
import type { Notices } from '../service/notices.ts';

export interface SharedCountsOptions {
  readonly notices: Notices;
  /** By which workers know what they speak of; one use of each in a worker. */
  readonly topic: string;
  /** A count that is older does not stand any more. */
  readonly goodForMs: number;
}

const told = z.object({ worker: z.string(), key: z.string(), count: z.number() });

/** Keys remembered. */
const mostKeys = 50_000;

interface Heard { readonly count: number; readonly atMs: number }

export class SharedCounts {
  readonly #options: SharedCountsOptions;
  /** By which the others know whose count it is. */
  readonly #worker = randomBytes(6).toString('base64url');
  readonly #heard = boundedCache<Map<string, Heard>>(mostKeys);

  constructor(options: SharedCountsOptions) {
    this.#options = options;
    options.notices.subscribe(options.topic, ({ value, ageMs }) => {
      const news = told.safeParse(value);
      if (news.success) this.#note(news.data, performance.now() - ageMs);
    });
  }

  /** What this worker counts now. */
  tell(key: string, count: number): void {
    this.#options.notices.post(this.#options.topic, `${this.#worker} ${key}`, { worker: this.#worker, key, count });
  }

  /** The sum of what the others count. */
  others(key: string): number {
    const oldest = performance.now() - this.#options.goodForMs;
    return [...this.#heard.get(key)?.values() ?? []].reduce((sum, { count, atMs }) => sum + (atMs >= oldest ? count : 0), 0);
  }

  #note({ worker, key, count }: z.output<typeof told>, atMs: number): void {
    const byWorker = this.#heard.get(key) ?? new Map<string, Heard>();
    if (count === 0) byWorker.delete(worker);
    else byWorker.set(worker, { count, atMs });
    if (byWorker.size === 0) this.#heard.delete(key);
    else this.#heard.set(key, byWorker);
  }
}
