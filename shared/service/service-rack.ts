/**
 * The services of one worker, each started, stopped and restarted by itself. What can't start again is tried again with a growing
 * wait; at a worker's own start the first that can't start ends it, so that a configuration that can't be had is refused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log/log.ts';
import { isListenedAt } from '../net/probe-port.ts';
import type { Service } from './service.ts';
import type { ServiceOrder, ServiceWishes } from './service-wishes.ts';
import type { Siblings } from './siblings.ts';

export interface Unit {
  /** As in the configuration: `imap`, `smtpReceiving` … */
  readonly name: string;
  /** `node`: only the appointed worker runs it. */
  readonly per: 'worker' | 'node';
  /** Where it listens. */
  readonly places: readonly { readonly host: string; readonly port: number }[];
  /** Opens all of it. Rejects with the first part that can't be had; what was opened is closed again then. */
  readonly start: () => Promise<readonly Service[]>;
}

type State =
  | { readonly at: 'stopped' }
  | { readonly at: 'starting' }
  | { readonly at: 'running'; readonly parts: readonly Service[] }
  | { readonly at: 'stopping' }
  | { readonly at: 'failed'; readonly reason: string; readonly tries: number; readonly timer: NodeJS.Timeout };

export interface UnitState {
  readonly name: string;
  readonly state: State['at'];
  /** Of one that failed. */
  readonly reason?: string;
  /** Since when it is so; milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface RackOptions {
  /** In the order in which they start: what others need stands first. */
  readonly units: readonly Unit[];
  readonly wishes: ServiceWishes;
  readonly siblings: Siblings;
  /** How long a service that is stopped waits for its sessions. */
  readonly graceMs: number;
  readonly log: Logger;
}

const underWayTopic = 'services that are there or about to be';
/** What closes of ours is closed within this time. */
const closingMs = 2000;
const lookAgainMs = 50;
const firstRetryMs = 1000;
const longestRetryMs = 60_000;

export class ServiceRack {
  readonly #slots: readonly Slot[];
  readonly #wishes: ServiceWishes;

  constructor(options: RackOptions) {
    this.#wishes = options.wishes;
    this.#slots = options.units.map((unit) => new Slot(unit, options));
    options.siblings.answer(underWayTopic, (name) => this.#slots.some((slot) => slot.name === name && slot.isUnderWay));
    options.wishes.onWish((order) => this.#slots.find(({ unit }) => unit.name === order.name)?.obey(order));
  }

  /** Starts all that each worker has, but those that an administrator stopped. Rejects with the first that can't start. */
  async start(): Promise<readonly Service[]> {
    return this.#startAll('worker');
  }

  /** The same for what the node has once; for the appointed worker. */
  async startOnce(): Promise<readonly Service[]> {
    return this.#startAll('node');
  }

  /** Of those that this worker has, as long as it takes new sessions. */
  states(): readonly UnitState[] {
    return this.#slots.filter(({ isHere }) => isHere).map((slot) => slot.described());
  }

  async #startAll(per: Unit['per']): Promise<readonly Service[]> {
    const slots = this.#slots.filter(({ unit }) => unit.per === per);
    for (const slot of slots) {
      slot.takeOver();
      if (!this.#wishes.stopped.has(slot.unit.name)) await slot.startFirst();
    }
    return slots;
  }
}

/** One service in its place. To the worker it is a service like any other, running or not. */
class Slot implements Service {
  readonly unit: Unit;
  readonly #graceMs: number;
  readonly #siblings: Siblings;
  readonly #log: Logger;
  #now: State = { at: 'stopped' };
  #sinceMs = Date.now();
  /** One change at a time. */
  #work: Promise<void> = Promise.resolve();
  /** The worker leaves: nothing starts any more. */
  #leaving = false;
  /** What the node has once is the appointed worker's. */
  #isMine = false;

  constructor(unit: Unit, { graceMs, siblings, log }: RackOptions) {
    this.unit = unit;
    this.#graceMs = graceMs;
    this.#siblings = siblings;
    this.#log = log.child({ service: unit.name });
  }

  get name(): string {
    return this.unit.name;
  }

  get isHere(): boolean {
    return this.#isMine && !this.#leaving;
  }

  get #state(): State {
    return this.#now;
  }

  set #state(state: State) {
    this.#now = state;
    this.#sinceMs = Date.now();
  }

  get isUnderWay(): boolean {
    return this.#now.at === 'starting' || this.#now.at === 'running';
  }

  takeOver(): void {
    this.#isMine = true;
  }

  described(): UnitState {
    const { at: state } = this.#state;
    return { name: this.name, state, sinceMs: this.#sinceMs, ...(this.#state.at === 'failed' ? { reason: this.#state.reason } : {}) };
  }

  /** A wish that comes meanwhile has its turn afterwards. Rejects when it can't start. */
  async startFirst(): Promise<void> {
    const started = this.#work.then(async () => {
      this.#state = { at: 'starting' };
      this.#state = { at: 'running', parts: await this.unit.start() };
    });
    this.#work = started.catch(() => undefined);
    await started;
  }

  obey({ wish }: ServiceOrder): void {
    if (!this.#isMine || (this.#leaving && wish !== 'stop')) return;
    this.#log.warn({ wish }, 'an administrator wants it so');
    if (wish !== 'start') this.#then(async () => this.#stop(this.#graceMs));
    if (wish !== 'stop') this.#then(async () => this.#start(0));
  }

  async retire(): Promise<void> {
    this.#leaving = true;
    await this.#work;
    const state = this.#state;
    if (state.at === 'failed') clearTimeout(state.timer);
    if (state.at === 'running') await Promise.all(state.parts.map(async (part) => part.retire()));
  }

  async stop(graceMs: number): Promise<void> {
    this.#leaving = true;
    this.#then(async () => this.#stop(graceMs));
    await this.#work;
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#log.error({ err: error }, 'could not be changed'));
  }

  async #start(tries: number): Promise<void> {
    if (this.#leaving || this.#state.at === 'running') return;
    if (this.#state.at === 'failed') clearTimeout(this.#state.timer);
    try {
      await this.#checkPlaces();
      this.#state = { at: 'starting' };
      this.#state = { at: 'running', parts: await this.unit.start() };
      this.#log.info('runs again');
    } catch (error) {
      const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** tries);
      const timer = setTimeout(() => this.#then(async () => this.#start(tries + 1)), waitMs).unref();
      this.#state = { at: 'failed', reason: error instanceof Error ? error.message : String(error), tries, timer };
      this.#log.error({ err: error, againInMs: waitMs }, 'could not start');
    }
  }

  /**
   * A worker that fails to listen where another program does can never listen there again: Node's cluster module keeps the broken
   * handle, and the next attempt ends the process. So it is asked first who listens; our other workers may, and in a restart their
   * old listeners, or the supervisor's handle, are there for a moment longer.
   */
  async #checkPlaces(): Promise<void> {
    const untilMs = performance.now() + closingMs;
    for (const place of this.unit.places) {
      while (await isListenedAt(place)) {
        if ((await this.#siblings.ask(underWayTopic, this.name)).answers.includes(true)) return;
        if (performance.now() > untilMs) throw new Error(`EADDRINUSE: another program listens at ${place.host}:${String(place.port)}`);
        await sleep(lookAgainMs);
      }
    }
  }

  async #stop(graceMs: number): Promise<void> {
    const state = this.#state;
    if (state.at === 'failed') clearTimeout(state.timer);
    this.#state = { at: 'stopping' };
    if (state.at === 'running') await Promise.all(state.parts.map(async (part) => part.stop(graceMs)));
    this.#state = { at: 'stopped' };
  }
}

/** Starts the parts of one service; when one can't be had the others are closed again. */
export async function startTogether(starts: readonly (() => Promise<Service>)[]): Promise<readonly Service[]> {
  const outcomes = await Promise.allSettled(starts.map(async (start) => start()));
  const parts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return parts;
  await Promise.all(parts.map(async (part) => part.stop(0)));
  throw failed.reason;
}
