/**
 * Questions between the workers of one node: each knows its own sessions and caches only, so whoever is asked for the
 * whole node asks the others, through the supervisor, workers of older generations included.
 */
import { Failure } from '../base/failure.ts';
import type { Order, Report } from './messages.ts';

export interface Siblings {
  /** Answers to a topic, this worker's own too; JSON values. Who does not answer within `patienceMs` is left out. */
  ask(topic: string, question: unknown, patienceMs?: number): Promise<unknown[]>;
  /** What this worker answers. One function for each topic. */
  answer(topic: string, answer: (question: unknown) => unknown): void;
}

/** The wait for workers that are busy or just leaving. */
const usualPatienceMs = 1000;
/** Without the supervisor there is no answer at all, so it is worth a longer wait; less than the 5 s in which a command wants the node's answer. */
const supervisorPatienceMs = 4000;

interface Round {
  readonly answers: unknown[];
  /** Known when the supervisor has passed the question on. */
  expected: number | undefined;
  readonly done: () => void;
}

/** Asks the supervisor instead of the other workers; for topics that it has at its desk. @throws Failure('timed-out') */
export async function askSupervisor(siblings: Siblings, topic: string, question: unknown): Promise<unknown> {
  const [, answer] = await siblings.ask(topic, question, supervisorPatienceMs);
  if (answer === undefined) throw new Failure('timed-out', 'the supervisor of this node does not answer');
  return answer;
}

/** A worker's end of it; `receive` takes the orders that belong to it. */
export class WorkerSiblings implements Siblings {
  readonly #send: (report: Report) => void;
  readonly #answers = new Map<string, (question: unknown) => unknown>();
  readonly #rounds = new Map<number, Round>();
  #lastRound = 0;

  constructor(send: (report: Report) => void) {
    this.#send = send;
  }

  answer(topic: string, answer: (question: unknown) => unknown): void {
    this.#answers.set(topic, answer);
  }

  async ask(topic: string, question: unknown, patienceMs = usualPatienceMs): Promise<unknown[]> {
    this.#lastRound += 1;
    const round = this.#lastRound;
    const answers: unknown[] = [this.#own(topic, question)];
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#rounds.set(round, { answers, expected: undefined, done });
      this.#send({ kind: 'ask', round, topic, question });
    });
    this.#rounds.delete(round);
    return answers;
  }

  receive(order: Extract<Order, { kind: 'ask' | 'asked' | 'answer' }>): void {
    if (order.kind === 'ask') {
      this.#send({ kind: 'answer', asker: order.asker, round: order.round, answer: this.#own(order.topic, order.question) });
      return;
    }
    const round = this.#rounds.get(order.round);
    if (round === undefined) return; // too late
    if (order.kind === 'asked') round.expected = order.others;
    else round.answers.push(order.answer);
    if (round.expected !== undefined && round.answers.length > round.expected) round.done();
  }

  /** Null for a topic that this worker does not know. */
  #own(topic: string, question: unknown): unknown {
    return this.#answers.get(topic)?.(question) ?? null;
  }
}
