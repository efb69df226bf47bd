/**
 * Keywords in the INBOX that all share: each lane sets and takes away its own, while others change the same rows. What a row bears of a lane
 * follows from what that lane did, whatever the others do.
 */
import assert from 'node:assert/strict';
import type { Action } from './actions.ts';
import type { FoundMessage } from './mail-storage.ts';

type MarkAction = Action & { readonly kind: 'mark' };

export class InboxMarks {
  /** Lane → the uids that bear its keyword; of some of them the message may be gone. */
  readonly #marked = new Map<string, ReadonlySet<number>>();

  /** It was answered. */
  add(lane: string, action: MarkAction): void {
    this.#marked.set(lane, marked(this.#marked.get(lane), action));
  }

  /** @param doubts what lanes were about; it happened wholly or not at all. Throws when it is otherwise. */
  compare(messages: readonly FoundMessage[], doubts: ReadonlyMap<string, Action>): void {
    for (const lane of new Set([...this.#marked.keys(), ...doubts.keys()])) {
      const doubt = doubts.get(lane);
      const before = this.#marked.get(lane) ?? new Set<number>();
      const actual = messages.filter(({ keywords }) => keywords.includes(lane)).map(({ uid }) => uid);
      const expected = (uids: ReadonlySet<number>): number[] => messages.filter(({ uid }) => uids.has(uid)).map(({ uid }) => uid);
      const isDone = doubt?.kind === 'mark' && actual.join() === expected(marked(before, doubt)).join();
      if (!isDone) assert.deepEqual(actual, expected(before), `what in INBOX bears the keyword of ${lane}; it was at ${JSON.stringify(doubt)}`);
      this.#marked.set(lane, new Set(actual));
    }
  }
}

function marked(before: ReadonlySet<number> = new Set(), { uids, mode }: MarkAction): ReadonlySet<number> {
  return new Set(mode === 'add' ? [...before, ...uids] : [...before].filter((uid) => !uids.includes(uid)));
}
