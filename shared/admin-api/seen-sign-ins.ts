/**
 * Which sign-ins of administrators a node has seen. Nothing depends on it: sign-ins are signed values, and hold without being
 * remembered. It is for administrators who look who is in, and lasts as long as the node's first process.
 */
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Notices } from '../service/notices.ts';

export const seenSignInSchema = z.object({
  session: z.string(), name: z.string(), kind: z.enum(['cookie', 'token']),
  from: z.string().describe('The address of the last request.'),
  signedInAtMs: z.number(),
  /** Of the value that was shown: see `SessionAges`. */
  seenAtMs: z.number(),
  lastMs: z.number().describe('When the last request came, to half a minute.'),
});
export type SeenSignIn = z.output<typeof seenSignInSchema>;

const mostSeen = 5000;
/** The other workers hear of it so often. */
const tellMs = 30_000;
const topic = 'admin sign-in seen';

export class SeenSignIns {
  readonly #notices: Notices;
  readonly #seen = new LRUCache<string, SeenSignIn>({ max: mostSeen });

  constructor(notices: Notices) {
    this.#notices = notices;
    notices.subscribe(topic, ({ key, value }) => {
      const told = seenSignInSchema.safeParse(value);
      if (told.success && (this.#seen.get(key)?.lastMs ?? 0) < told.data.lastMs) this.#seen.set(key, told.data);
    });
  }

  note(sight: SeenSignIn): void {
    const before = this.#seen.get(sight.session);
    if (before !== undefined && before.from === sight.from && before.seenAtMs === sight.seenAtMs && sight.lastMs - before.lastMs < tellMs) return;
    this.#seen.set(sight.session, sight);
    this.#notices.post(topic, sight.session, sight);
  }

  /** Those that are over among them. */
  all(): readonly SeenSignIn[] {
    return [...this.#seen.values()];
  }
}
