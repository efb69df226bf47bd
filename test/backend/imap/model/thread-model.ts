/**
 * Which thread (RFC 8474 section 5.2) a message of an account comes into: that of the first of its ids which is known there, its own before those
 * that it refers to, of these the last first. Its other ids are known from then on. A message without known ids begins a thread.
 */
import type { Letter } from './letters.ts';

/** Undefined where it depends on which of several messages came first. */
type Thread = symbol | undefined;

export class Threads {
  readonly #byId = new Map<string, Thread>();
  readonly #byLetter = new Map<Letter, Thread>();

  of(letter: Letter): Thread {
    return this.#byLetter.get(letter);
  }

  /** What was there already, as a copy is, stays where it is. */
  enter(letter: Letter): void {
    if (this.#byLetter.has(letter)) return;
    const ids = idsOf(letter);
    const known = ids.find((id) => this.#byId.has(id));
    this.#note(letter, known === undefined ? Symbol(letter.id) : this.#byId.get(known));
  }

  /** In whatever order: of those that share ids it is open. */
  enterAtOnce(letters: readonly Letter[]): void {
    const fresh = letters.filter((letter) => !this.#byLetter.has(letter));
    for (const letter of fresh) {
      const isShared = fresh.some((other) => other !== letter && idsOf(other).some((id) => idsOf(letter).includes(id)));
      if (isShared) this.#note(letter, undefined);
      else this.enter(letter);
    }
  }

  #note(letter: Letter, thread: Thread): void {
    this.#byLetter.set(letter, thread);
    for (const id of idsOf(letter)) if (!this.#byId.has(id)) this.#byId.set(id, thread);
  }
}

function idsOf({ id, references }: Letter): readonly string[] {
  return [...(id === undefined ? [] : [id]), ...references.toReversed()];
}
