/**
 * Works on the queue, in the one worker of a node that the supervisor appoints. Each destination has its own lanes, its own
 * waiting list on disk and its own back-off, so that a dead one holds up nobody else; a bound on all lanes of a kind
 * (inside the cluster, outside) keeps resources in hand.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../../shared/service/service.ts';
import type { DestinationHealth } from './destination-health.ts';
import type { Lane } from './lanes.ts';
import { outcomeOfThrown, outcomesForAll, released } from './outage.ts';
import { OutcomeNotes } from './outcome-notes.ts';
import type { OutcomeNotesOptions } from './outcome-notes.ts';
import { countUnreachable } from './queue-counters.ts';
import { asNow, dueTimes, isOutside, waitingFor } from './queue-item.ts';
import type { Destination, QueueItem } from './queue-item.ts';
import { tellOutcomes } from './tries-told.ts';
import { conclude } from './try-outcome.ts';
import type { TryOutcome } from './try-outcome.ts';

export interface QueueRunnerOptions extends Omit<OutcomeNotesOptions, 'signal'> {
  readonly health: DestinationHealth;
  /** Lanes at once inside the cluster, and as many outside. */
  readonly maxLanes: number;
  readonly maxLanesPerDestination: number;
  /** How often the queue is looked at for what other processes put in, milliseconds. */
  readonly pollIntervalMs: number;
  /** Opens a way to the destination, whose line is cut by the signal. Rejects when it can't be reached. */
  readonly openLane: (destination: Destination, signal: AbortSignal) => Promise<Lane>;
  /** Whether that process lives which holds the session of an item's client. */
  readonly isAlive: (holder: string) => boolean;
  /** Tidies up, now and then: at every look at the queue. */
  readonly onLook: () => Promise<void>;
}

/** A connection is given up after so many messages, so that the load spreads over a destination's servers. */
const messagesPerLane = 50;
const batch = 200;
/** How long the next runner waits for what this one has under way, milliseconds; long enough for all but the slowest servers. */
const handOverMs = 30_000;
/** What was cut writes down its outcome within this time, milliseconds. */
const cutGraceMs = 1000;

export class QueueRunner implements Service {
  readonly name = 'queueRunner';
  readonly #options: QueueRunnerOptions;
  readonly #lanes = new Map<Destination, number>();
  readonly #inFlight = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #cut = new AbortController();
  readonly #notes: OutcomeNotes;
  readonly #looping: Promise<void>;
  #stopping = false;
  #wake: () => void = () => undefined;
  #woken = false;

  constructor(options: QueueRunnerOptions) {
    this.#options = options;
    this.#notes = new OutcomeNotes({ ...options, signal: this.#cut.signal });
    this.#looping = this.#loop();
  }

  /** Something may be due: look now. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Whether something of that item is being delivered. */
  isUnderWay(id: string): boolean {
    return [...this.#inFlight].some((flight) => flight.endsWith(` ${id}`));
  }

  /** The destination is said to be back: what an outage put off is due now. */
  release(destination: Destination): void {
    const releasing = this.#release(destination)
      .catch((error: unknown) => this.#options.log.error({ err: error, destination }, 'waiting mail could not be released'))
      .finally(() => this.#running.delete(releasing));
    this.#running.add(releasing);
  }

  /** No new deliveries; waits for those under way, at most `graceMs`. What is cut is tried again by the next runner. */
  async stop(graceMs: number): Promise<void> {
    await this.#stopLooking();
    await this.#idleWithin(graceMs);
    this.#cut.abort();
    await this.#idleWithin(cutGraceMs);
  }

  async #idleWithin(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([Promise.all(this.#running), patience]);
    clearTimeout(timer);
  }

  /**
   * No new deliveries; waits for all under way to end, because the next runner knows nothing of them, and would do them
   * again. Slow ones are cut after a while: all other mail waits for the next runner meanwhile.
   */
  async retire(): Promise<void> {
    await this.#stopLooking();
    await this.#idleWithin(handOverMs);
    this.#cut.abort();
    await Promise.all(this.#running);
  }

  async #stopLooking(): Promise<void> {
    this.#stopping = true;
    this.wake();
    await this.#looping;
  }

  async #loop(): Promise<void> {
    let turn = 0;
    while (!this.#stopping) {
      this.#woken = false;
      const startedMs = performance.now();
      try {
        await this.#options.onLook();
        this.#startLanes(turn);
      } catch (error) {
        this.#options.log.error({ err: error }, 'the queue could not be looked at');
      }
      turn += 1;
      await this.#rest(performance.now() - startedMs);
    }
  }

  /** With very many destinations a look takes its time: it never takes more than half of the process's. */
  async #rest(lookMs: number): Promise<void> {
    if (lookMs > 5) await sleep(lookMs);
    if (this.#woken || this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(this.#options.pollIntervalMs, lookMs * 10));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Every destination gets its chance first at some turn. */
  #startLanes(turn: number): void {
    const destinations = this.#options.store.destinations();
    for (let count = 0; count < destinations.length; count += 1) {
      const destination = destinations[(turn + count) % destinations.length];
      if (destination !== undefined) this.#startLane(destination);
    }
  }

  #startLane(destination: Destination): void {
    const { health, maxLanes, maxLanesPerDestination } = this.#options;
    if (this.#stopping || !health.isOpen(destination, Date.now())) return;
    const own = this.#lanes.get(destination) ?? 0;
    if (own >= (health.isInTrouble(destination) ? 1 : maxLanesPerDestination)) return;
    if (this.#lanesLike(destination) >= maxLanes || this.#nextDue(destination) === undefined) return;
    this.#lanes.set(destination, own + 1);
    const running = this.#runLane(destination)
      .catch((error: unknown) => {
        this.#options.log.error({ err: error, destination }, 'a lane of the queue broke');
        health.noteFailure(destination, this.#options.retry.outage, Date.now()); // or the same would happen again at once
      })
      .finally(() => {
        this.#running.delete(running);
        const left = (this.#lanes.get(destination) ?? 1) - 1;
        if (left > 0) this.#lanes.set(destination, left);
        else this.#lanes.delete(destination);
        this.wake();
      });
    this.#running.add(running);
  }

  #lanesLike(destination: Destination): number {
    const kind = isOutside(destination);
    let lanes = 0;
    for (const [other, count] of this.#lanes) if (isOutside(other) === kind) lanes += count;
    return lanes;
  }

  #nextDue(destination: Destination): string | undefined {
    const ids = this.#options.store.dueFor(destination, { untilMs: Date.now(), limit: this.#inFlight.size + 1 });
    return ids.find((id) => !this.#inFlight.has(`${destination} ${id}`));
  }

  async #runLane(destination: Destination): Promise<void> {
    let lane: Lane | undefined;
    try {
      for (let count = 0; count < messagesPerLane && !this.#stopping; count += 1) {
        const id = this.#nextDue(destination);
        if (id === undefined) return;
        const flight = `${destination} ${id}`;
        this.#inFlight.add(flight);
        try {
          lane ??= await this.#openLane(destination, id);
          if (lane === undefined || this.#stopping) return;
          await this.#deliver(lane, destination, id);
        } finally {
          this.#inFlight.delete(flight);
        }
        if (!lane.usable) return;
      }
    } finally {
      await lane?.close();
    }
  }

  /** Opens the way; when it can't be opened, puts off (or gives up) all that is due there, and answers undefined. */
  async #openLane(destination: Destination, id: string): Promise<Lane | undefined> {
    try {
      return await this.#options.openLane(destination, this.#cut.signal);
    } catch (thrown) {
      if (this.#stopping) return undefined; // the next runner tries again
      this.#options.log.info({ destination, err: thrown }, 'destination can not be reached');
      countUnreachable(destination);
      await this.#putOffAll(destination, id, thrown);
      return undefined;
    }
  }

  async #deliver(lane: Lane, destination: Destination, id: string): Promise<void> {
    const noted = this.#options.store.read(() => this.#options.store.get(id));
    const nowMs = Date.now();
    if (noted === undefined || (dueTimes(noted).get(destination) ?? Infinity) > nowMs) return this.#options.store.strikeFalseTimes(destination, id, nowMs);
    const item = asNow(noted, this.#options.isAlive, nowMs);
    const waiting = waitingFor(item, destination);
    const outcomes = await lane.deliver(item, waiting.map(({ recipient }) => recipient));
    const byIndex = new Map(waiting.flatMap(({ index }, order): [number, TryOutcome][] => {
      const outcome = outcomes[order];
      return outcome === undefined ? [] : [[index, outcome]];
    }));
    await this.#conclude(item, byIndex);
    tellOutcomes(this.#options.log, { item, destination, recipients: waiting.map(({ recipient }) => recipient), outcomes });
    if (lane.usable && this.#options.health.noteSuccess(destination) === 'recovered') await this.#release(destination);
  }

  async #conclude(item: QueueItem, outcomes: ReadonlyMap<number, TryOutcome>): Promise<void> {
    await this.#notes.write(item, outcomes);
    if ([...outcomes.values()].some(({ at }) => at === 'moved' || at === 'expanded')) this.wake();
  }

  async #putOffAll(destination: Destination, firstId: string, thrown: unknown): Promise<void> {
    const { health, retry, store } = this.#options;
    const nowMs = Date.now();
    const dueAtMs = health.noteFailure(destination, isOutside(destination) ? retry.refused : retry.outage, nowMs);
    const outcome = outcomeOfThrown(thrown, { destination, dueAtMs });
    for (let ids = [firstId]; ids.length > 0; ids = this.#idleDue(destination, nowMs)) {
      const items = store.read(() => ids.flatMap((id) => store.get(id) ?? []));
      const quiet: string[] = [];
      for (const item of items) {
        const outcomes = outcomesForAll(item, destination, outcome);
        if (conclude(item, outcomes, { retry, nowMs }).reports.length > 0) await this.#conclude(item, outcomes);
        else quiet.push(item.id);
      }
      await store.changeAll(quiet, (fresh) => conclude(fresh, outcomesForAll(fresh, destination, outcome), { retry, nowMs }).item);
    }
  }

  #idleDue(destination: Destination, untilMs: number): string[] {
    return this.#options.store.dueFor(destination, { untilMs, limit: batch }).filter((id) => !this.#inFlight.has(`${destination} ${id}`));
  }

  /** After an outage the first success lets all that waited for it go at once (manual 3.2.3). */
  async #release(destination: Destination): Promise<void> {
    const { store } = this.#options;
    const nowMs = Date.now();
    const ids = store.dueFor(destination, { untilMs: Number.MAX_SAFE_INTEGER - 1, limit: 1_000_000 });
    this.#options.log.info({ destination, waiting: ids.length }, 'destination is back');
    for (let from = 0; from < ids.length; from += batch) {
      await store.changeAll(ids.slice(from, from + batch), (item) => released(item, destination, nowMs));
    }
    this.wake();
  }
}
