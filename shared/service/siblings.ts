/**
 * Questions between the workers of one node: each knows its own sessions and caches only, so whoever is asked for the
 * whole node asks the others, through the supervisor, workers of older generations included.
 */
import { Failure } from '../base/failure.ts';
import type { Order, Report } from './messages.ts';

export interface Siblings {
  /**
   * Puts a question to all workers, and waits `patienceMs` for them. Who was silent, being busy, gets to the question when he has time, and
   * nobody hears his answer: for what may be less than the whole. Where a part would be taken for the whole, `askAll`.
   */
  ask(topic: string, question: unknown, patienceMs?: number): Promise<Heard>;
  /** What this worker answers. One function for each topic. */
  answer(topic: string, answer: (question: unknown) => unknown): void;
  /** Who is to be told of workers that were silent; of each topic once a minute at most. */
  onSilence(tell: (topic: string, silent: number) => void): void;
}

/** What came of a question. */
export interface Heard {
  /** JSON values, this worker's own first. */
  readonly answers: readonly unknown[];
  /** So many workers have not answered. */
  readonly silent: number;
}

/** What the supervisor's own answers come from, where those of workers come from their slots. */
export const deskSlot = -1;

/** The wait for workers that are busy. */
const usualPatienceMs = 1000;
/** Where without an answer there is none at all it is worth a longer wait; less than the 5 s in which a command wants the node's answer. */
const longPatienceMs = 4000;
const toldAgainMs = 60_000;

interface Round {
  readonly answers: unknown[];
  /** Slots of those who have not answered; known when the supervisor has passed the question on. */
  silent: Set<number> | undefined;
  readonly done: () => void;
}

/** Asks the supervisor instead of the other workers; for topics that it has at its desk. @throws Failure('timed-out') */
export async function askSupervisor(siblings: Siblings, topic: string, question: unknown): Promise<unknown> {
  const { answers: [, answer] } = await siblings.ask(topic, question, longPatienceMs);
  if (answer === undefined) throw new Failure('timed-out', 'the supervisor of this node does not answer');
  return answer;
}

/** Answers of all workers, this one's own first. @throws Failure('timed-out') when one of them does not answer, so that nobody takes a part for the whole */
export async function askAll(siblings: Siblings, topic: string, question: unknown): Promise<readonly unknown[]> {
  const { answers, silent } = await siblings.ask(topic, question, longPatienceMs);
  if (silent > 0) throw new Failure('timed-out', `${String(silent)} of this node's workers ${silent === 1 ? 'is' : 'are'} busy and ${silent === 1 ? 'does' : 'do'} not answer`);
  return answers;
}

/** Slots of those who have yet to answer. A supervisor that an older version of the program started (the program of a running node may be replaced) tells only how many were asked, and not who answers: then any will do. */
function slotsOf(others: readonly number[] | number, answered: number): Set<number> {
  return new Set(typeof others === 'number' ? Array.from({ length: others - answered }, (_, index) => index) : others);
}

/** Of that worker nothing more is to come. */
function hearFrom(round: Round, slot = [...(round.silent ?? [])][0]): void {
  if (slot !== undefined) round.silent?.delete(slot);
  if (round.silent?.size === 0) round.done();
}

/** A worker's end of it; `receive` takes the orders that belong to it. */
export class WorkerSiblings implements Siblings {
  readonly #send: (report: Report) => void;
  readonly #answers = new Map<string, (question: unknown) => unknown>();
  readonly #rounds = new Map<number, Round>();
  #lastRound = 0;
  #tell: (topic: string, silent: number) => void = () => undefined;
  readonly #toldAtMs = new Map<string, number>();

  constructor(send: (report: Report) => void) {
    this.#send = send;
  }

  answer(topic: string, answer: (question: unknown) => unknown): void {
    this.#answers.set(topic, answer);
  }

  onSilence(tell: (topic: string, silent: number) => void): void {
    this.#tell = tell;
  }

  async ask(topic: string, question: unknown, patienceMs = usualPatienceMs): Promise<Heard> {
    this.#lastRound += 1;
    const round = this.#lastRound;
    const answers: unknown[] = [this.#own(topic, question)];
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#rounds.set(round, { answers, silent: undefined, done });
      this.#send({ kind: 'ask', round, topic, question });
    });
    const silent = this.#rounds.get(round)?.silent?.size ?? 1; // the supervisor, which has not even passed it on
    this.#rounds.delete(round);
    if (silent > 0) this.#tellOf(topic, silent);
    return { answers, silent };
  }

  receive(order: Extract<Order, { kind: 'ask' | 'asked' | 'answer' | 'gone' }>): void {
    if (order.kind === 'ask') {
      this.#send({ kind: 'answer', asker: order.asker, round: order.round, answer: this.#own(order.topic, order.question) });
      return;
    }
    if (order.kind === 'gone') {
      for (const round of this.#rounds.values()) hearFrom(round, order.slot);
      return;
    }
    const round = this.#rounds.get(order.round);
    if (round === undefined) return; // too late
    if (order.kind === 'answer') {
      round.answers.push(order.answer);
      hearFrom(round, order.slot);
      return;
    }
    round.silent = slotsOf(order.others, round.answers.length - 1);
    if (round.silent.size === 0) round.done();
  }

  #tellOf(topic: string, silent: number): void {
    const nowMs = performance.now();
    if (nowMs - (this.#toldAtMs.get(topic) ?? -Infinity) < toldAgainMs) return;
    this.#toldAtMs.set(topic, nowMs);
    this.#tell(topic, silent);
  }

  /** Null for a topic that this worker does not know. */
  #own(topic: string, question: unknown): unknown {
    return this.#answers.get(topic)?.(question) ?? null;
  }
}
