/**
 * Counts connections over all workers of a node. Each worker counts its own and decides alone as long as it holds little of
 * what is allowed (its share: half of the limit, divided by the workers). A worker with more than its share asks the others for
 * each further connection, all counts in one question; and whoever was asked by such a one asks, too, until it hears that nobody
 * else has more than a share. So the sum never exceeds a limit while all workers answer, and far from the limits nobody waits. One that is too busy to answer keeps nobody out.
 */
import { boundedCache } from '../base/bounded-cache.ts';
import type { Siblings } from '../service/siblings.ts';
import type { Demand, LimitName } from './flow-limits.ts';
import { SlidingWindow } from './sliding-window.ts';

export interface ConnectionCountsOptions {
  /** Worker processes of the node. */
  readonly workers: number;
  readonly siblings: Siblings;
  /** Milliseconds, the same clock in all workers; the system's when absent. */
  readonly now?: (() => number) | undefined;
}

export type Entry = { readonly kind: 'entered'; readonly leave: () => void } | { readonly kind: 'full'; readonly demand: Demand; readonly limit: LimitName };

interface Tally {
  open: number;
  readonly window: SlidingWindow | undefined;
}

/** Open connections and those of the last interval, in the order of the keys asked for. */
type Answer = readonly (readonly [open: number, recent: number])[];

/** What a worker asks about; `much`: it has more than its share of it. */
type Question = readonly { readonly key: string; readonly much: boolean }[];

const topic = 'connections';
const muchTopic = 'connections: much';
/** After a refusal nobody is asked again about that limit for so long: a flood must not become one of questions. */
const restMs = 50;
const sweepEveryMs = 30_000;
/** Counted things without open connections that are remembered; above it the oldest go. */
const mostTallies = 200_000;

export class ConnectionCounts {
  readonly #options: ConnectionCountsOptions;
  readonly #now: () => number;
  readonly #tallies = new Map<string, Tally>();
  /** What another worker has much of: this one asks before it lets anybody in. */
  readonly #contended = boundedCache<true>(50_000);
  readonly #full = boundedCache<{ readonly limit: LimitName; readonly untilMs: number }>(10_000);
  /** Counted things of which this worker had more than its share when last it asked. */
  readonly #much = new Set<string>();
  #sweptMs = 0;
  #begun: Promise<void> | undefined;

  constructor(options: ConnectionCountsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.siblings.answer(topic, (question) => this.#answer(question));
    options.siblings.answer(muchTopic, () => [...this.#much]);
  }

  /** Counts one connection more, for all demands or for none; `leave` is to be called once when it has ended. */
  async enter(demands: readonly Demand[]): Promise<Entry> {
    this.#begun ??= this.#begin();
    await this.#begun;
    for (const demand of demands) this.#change(demand, 1); // at once, so that connections that begin together see each other
    const full = this.#refusal(demands, demands.map(({ key }) => this.#own(key))) ?? this.#resting(demands) ?? (await this.#askOthers(demands));
    if (full !== undefined) {
      for (const demand of demands) this.#change(demand, -1);
      return full;
    }
    return {
      kind: 'entered',
      leave: () => {
        for (const { key } of demands) this.#close(key);
      },
    };
  }

  /** Open connections of this worker under a key. */
  open(key: string): number {
    return this.#tallies.get(key)?.open ?? 0;
  }

  /** Workers of older generations hold sessions, and ask no more: once, a new one asks of what they have much. */
  async #begin(): Promise<void> {
    for (const keys of (await this.#options.siblings.ask(muchTopic, null)).answers.filter(Array.isArray)) {
      for (const key of keys) this.#contended.set(String(key), true);
    }
  }

  async #askOthers(demands: readonly Demand[]): Promise<Entry | undefined> {
    const question: Question = demands.map((demand) => ({ key: demand.key, much: this.#isMuch(demand, this.#own(demand.key)) }));
    for (const { key, much } of question) {
      if (much) this.#much.add(key);
      else this.#much.delete(key);
    }
    if (!question.some(({ key, much }) => much || this.#contended.has(key))) return undefined;
    const heard = await this.#options.siblings.ask(topic, question);
    const answers = heard.answers.filter(isAnswer);
    for (const [index, demand] of demands.entries()) {
      const others = answers.slice(1); // the first is this worker's own
      if (heard.silent === 0 && !others.some((answer) => this.#isMuch(demand, answer[index]))) this.#contended.delete(demand.key);
    }
    const sums = demands.map((_demand, index) => sumOf(answers.map((answer) => answer[index])));
    const full = this.#refusal(demands, sums);
    if (full?.kind === 'full') this.#full.set(full.demand.key, { limit: full.limit, untilMs: this.#now() + restMs });
    return full;
  }

  /** What a sum of counts exceeds, this connection included. */
  #refusal(demands: readonly Demand[], counts: Answer): Extract<Entry, { kind: 'full' }> | undefined {
    for (const [index, demand] of demands.entries()) {
      const [open, recent] = counts[index] ?? [0, 0];
      if (demand.maxOpen !== undefined && open > demand.maxOpen) return { kind: 'full', demand, limit: demand.limits.open };
      if (demand.maxRecent !== undefined && recent > demand.maxRecent) return { kind: 'full', demand, limit: demand.limits.recent };
    }
    return undefined;
  }

  #resting(demands: readonly Demand[]): Entry | undefined {
    for (const demand of demands) {
      const full = this.#full.get(demand.key);
      if (full !== undefined && full.untilMs > this.#now()) return { kind: 'full', demand, limit: full.limit };
    }
    return undefined;
  }

  /** More than a worker may hold without asking. */
  #isMuch({ maxOpen, maxRecent }: Demand, [open, recent]: readonly [number, number] = [0, 0]): boolean {
    const share = (limit: number | undefined): number => (limit === undefined ? Infinity : Math.floor(limit / this.#options.workers / 2));
    return open > share(maxOpen) || recent > share(maxRecent);
  }

  #own(key: string): readonly [number, number] {
    const tally = this.#tallies.get(key);
    return [tally?.open ?? 0, tally?.window?.count(this.#now()) ?? 0];
  }

  #answer(question: unknown): Answer {
    return (question as Question).map(({ key, much }) => {
      if (much) this.#contended.set(key, true); // a worker that asks itself clears it again, if it may
      return this.#own(key);
    });
  }

  #change(demand: Demand, by: 1 | -1): void {
    const nowMs = this.#now();
    if (nowMs - this.#sweptMs > sweepEveryMs || this.#tallies.size > 2 * mostTallies) this.#sweep(nowMs);
    let tally = this.#tallies.get(demand.key);
    if (tally === undefined) {
      tally = { open: 0, window: demand.maxRecent === undefined ? undefined : new SlidingWindow(demand.intervalMs) };
      this.#tallies.set(demand.key, tally);
    }
    tally.open += by;
    tally.window?.add(nowMs, by);
    if (tally.open <= 0 && tally.window === undefined) this.#forget(demand.key);
  }

  #close(key: string): void {
    const tally = this.#tallies.get(key);
    if (tally === undefined) return;
    tally.open -= 1;
    this.#full.delete(key);
    if (tally.open <= 0 && tally.window === undefined) this.#forget(key);
  }

  #forget(key: string): void {
    this.#tallies.delete(key);
    this.#much.delete(key);
  }

  /** Forgets what nothing is open of and whose window is empty; and the oldest, when there is too much else. */
  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    for (const [key, { open, window }] of this.#tallies) {
      if (open <= 0 && (window?.isEmpty(nowMs) !== false || this.#tallies.size > mostTallies)) this.#forget(key);
    }
  }
}

function isAnswer(value: unknown): value is Answer {
  return Array.isArray(value);
}

function sumOf(counts: readonly (readonly [number, number] | undefined)[]): readonly [number, number] {
  let [open, recent] = [0, 0];
  for (const count of counts) {
    open += count?.[0] ?? 0;
    recent += count?.[1] ?? 0;
  }
  return [open, recent];
}
