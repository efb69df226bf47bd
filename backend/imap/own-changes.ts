/** What a session itself did to the mailbox it has open: its client knows of that, and is not told of it as of news. */
import type { FlagOutcome, MessageRow } from '../storage/storage.ts';

export class OwnChanges {
  /** Mod-sequences of the client's own changes of flags: nothing else has them. */
  readonly #modseqs = new Set<number>();
  /** Further changes of which it knows: uid to mod-sequence. */
  readonly #rows = new Map<number, number>();
  /** Messages that the client put in here, and has not been told of as new ones. */
  readonly #messages = new Set<number>();

  /** Remembers a change of flags that the client made, and was or need not be told of; `knownModseq`: up to where it knows everything. */
  note(outcome: FlagOutcome, knownModseq: number): void {
    const { modseq } = outcome;
    if (modseq !== undefined) this.#modseqs.add(modseq);
    if (outcome.untouched === 0) return;
    const { rows } = outcome;
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows.look(index);
      if (row.modseq !== modseq && row.modseq > knownModseq) this.#rows.set(row.uid, row.modseq); // others have just made it so
    }
  }

  /** Remembers messages that the client put into this mailbox by a command of its own. */
  noteMessages(uids: readonly number[]): void {
    for (const uid of uids) this.#messages.add(uid);
  }

  /** Whether the row is as the client itself made it. */
  made(row: MessageRow): boolean {
    return this.#modseqs.has(row.modseq) || this.#rows.get(row.uid) === row.modseq;
  }

  /** Whether the client put the message in; asked once for each. */
  takeMessage(uid: number): boolean {
    return this.#messages.delete(uid);
  }

  /** How far everything is known to who knows all up to `modseq`. */
  knownFrom(modseq: number): number {
    let known = modseq;
    while (this.#modseqs.has(known + 1)) known += 1;
    return known;
  }

  /** All changes of flags so far are known by now: a session that goes on for days remembers none of them. */
  forget(): void {
    this.#rows.clear();
    this.#modseqs.clear();
  }
}
