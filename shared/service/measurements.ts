/**
 * What the processes of a node have counted, gathered by the supervisor: it asks all workers now and then, and whenever
 * somebody wants to know; it keeps what workers had counted that are gone, so that no counter of the node goes back.
 */
import { combineSnapshots, lasting } from '../metrics/snapshot.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { snapshot } from '../metrics/metrics.ts';
import type { Order, Report } from './messages.ts';

/** The wait for workers that are busy; what they last told counts then. */
const patienceMs = 1000;
/** What a worker that dies without a word has counted since then is lost. */
const measureEveryMs = 10_000;

/** The supervisor's half. */
export class MeasurementBoard<Member> {
  readonly #members: () => readonly Member[];
  readonly #send: (member: Member, order: Order) => void;
  readonly #last = new Map<Member, Snapshot>();
  readonly #rounds = new Map<number, { readonly missing: Set<Member>; readonly done: () => void }>();
  #departed: Snapshot = [];
  #lastRound = 0;
  readonly #timer: NodeJS.Timeout;

  /** `members`: those that run now and answer. */
  constructor(members: () => readonly Member[], send: (member: Member, order: Order) => void) {
    this.#members = members;
    this.#send = send;
    this.#timer = setInterval(() => void this.measure(), measureEveryMs).unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  hear(member: Member, { round, counted }: Extract<Report, { kind: 'measured' }>): void {
    this.#last.set(member, counted);
    const waiting = this.#rounds.get(round);
    waiting?.missing.delete(member);
    if (waiting?.missing.size === 0) waiting.done();
  }

  /** A worker is gone, and everything it sent was heard. */
  depart(member: Member): void {
    const last = this.#last.get(member);
    this.#last.delete(member);
    if (last !== undefined) this.#departed = combineSnapshots([this.#departed, lasting(last)]);
    for (const { missing, done } of this.#rounds.values()) if (missing.delete(member) && missing.size === 0) done();
  }

  /** The whole node now, the supervisor included. */
  async measure(): Promise<Snapshot> {
    const members = this.#members();
    this.#lastRound += 1;
    const round = this.#lastRound;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      if (members.length === 0) return done();
      this.#rounds.set(round, { missing: new Set(members), done });
      for (const member of members) this.#send(member, { kind: 'measure', round });
    });
    this.#rounds.delete(round);
    return combineSnapshots([this.#departed, ...this.#last.values(), snapshot()]);
  }
}

/** A worker's half; `receive` takes the orders that belong to it. */
export class WorkerMeasurements {
  readonly #send: (report: Report) => void;
  readonly #questions = new Map<number, (counted: Snapshot) => void>();
  #lastQuestion = 0;

  constructor(send: (report: Report) => void) {
    this.#send = send;
  }

  /** What all processes of the node have counted. This worker's own when the supervisor does not answer. */
  async measure(): Promise<Snapshot> {
    this.#lastQuestion += 1;
    const question = this.#lastQuestion;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#questions.get(question)?.(snapshot()), 2 * patienceMs);
      this.#questions.set(question, (counted) => {
        clearTimeout(timer);
        this.#questions.delete(question);
        resolve(counted);
      });
      this.#send({ kind: 'how-much', question });
    });
  }

  /** The last word of a worker that leaves. */
  sayLast(): void {
    this.#send({ kind: 'measured', round: 0, counted: snapshot() });
  }

  receive(order: Extract<Order, { kind: 'measure' | 'measurements' }>): void {
    if (order.kind === 'measure') this.#send({ kind: 'measured', round: order.round, counted: snapshot() });
    else this.#questions.get(order.question)?.(order.counted);
  }
}
