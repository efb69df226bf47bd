/**
 * Regular expressions tried on what strangers send, within a time limit: JavaScript's backtrack, and a careless one
 * (`(a+)+b`) takes years for an address made to hurt. They run under the clock of node:vm, which stops them in the middle.
 */
import * as vm from 'node:vm';

/** A pattern did not come to an end in time, now or a moment ago. Whether it matches is not known. */
export class PatternTooSlow extends Error {
  override readonly name = 'PatternTooSlow';
  /** Its place in the list. */
  readonly index: number;

  constructor(index: number) {
    super(`pattern ${String(index)} takes too long`);
    this.index = index;
  }
}

/** Of the clock on the wall: generous, for a machine that is busy with other things. */
const limitMs = 200;
/** A pattern that was too slow is left alone for so long, so that it can't take a worker's whole time. */
const pauseMs = 2000;

const search = new vm.Script('while (at < patterns.length && !patterns[at].test(text)) at += 1;');

interface Search {
  readonly patterns: readonly RegExp[];
  text: string;
  at: number;
}

export class BoundedPatterns {
  readonly #search: Search;
  readonly #context: vm.Context;
  #paused: { readonly index: number; readonly untilMs: number } | undefined;

  constructor(patterns: readonly RegExp[]) {
    this.#search = { patterns, text: '', at: 0 };
    this.#context = vm.createContext(this.#search);
  }

  /** The place of the first pattern that matches. @throws PatternTooSlow */
  find(text: string): number | undefined {
    const { patterns } = this.#search;
    if (patterns.length === 0) return undefined;
    if (this.#paused !== undefined && performance.now() < this.#paused.untilMs) throw new PatternTooSlow(this.#paused.index);
    this.#search.text = text;
    this.#search.at = 0;
    try {
      search.runInContext(this.#context, { timeout: limitMs });
    } catch (error) {
      if (!isTimeout(error)) throw error;
      this.#paused = { index: this.#search.at, untilMs: performance.now() + pauseMs };
      throw new PatternTooSlow(this.#search.at);
    }
    return this.#search.at < patterns.length ? this.#search.at : undefined;
  }
}

/** The error is made in the other realm: no Error of ours. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
