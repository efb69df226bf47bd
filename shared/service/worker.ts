/**
 * The worker's half of a node: waits for its number, starts the services, passes hints, takes over the once-per-node work
 * when appointed, retires or stops when told. Called by frontend/main.ts and backend/main.ts in processes that the supervisor forked.
 */
import type { Logger } from '../log/log.ts';
import { watchProcess } from '../metrics/process-metrics.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { hintBus } from './hint-bus.ts';
import { WorkerMeasurements } from './measurements.ts';
import { watchRest } from './memory-at-rest.ts';
import { isMessage } from './messages.ts';
import type { Order, Report } from './messages.ts';
import { WorkerNotices } from './notices.ts';
import type { Notices } from './notices.ts';
import type { HintBus, Service } from './service.ts';
import { WorkerWishes } from './service-wishes.ts';
import type { ServiceWishes } from './service-wishes.ts';
import { signOfLife } from './signs-of-life.ts';
import { WorkerSiblings } from './siblings.ts';
import type { Siblings } from './siblings.ts';

export interface WorkerContext {
  /** No two living workers of the node have the same. */
  readonly slot: number;
  /** The text of the configuration to run. */
  readonly configuration: string;
  readonly hints: HintBus;
  readonly siblings: Siblings;
  readonly notices: Notices;
  /** Which services run, as administrators want it. */
  readonly wishes: ServiceWishes;
  /** What all processes of the node have counted (shared/metrics). */
  readonly measure: () => Promise<Snapshot>;
  /** True once the node was told to stop: clients should go elsewhere. */
  readonly isStopping: () => boolean;
}

/** What runs in a worker. */
export interface NodeServices {
  readonly log: Logger;
  readonly services: readonly Service[];
  /** Tells how the node is doing, so it stops last. */
  readonly admin: readonly Service[];
  /** Starts the work that exists once per node (queue runner …); called at most once. */
  readonly onAppointed: () => Promise<readonly Service[]>;
  /** Reads the certificates for clients again, for handshakes to come. A rejection leaves the old ones. */
  readonly renew: (configuration: string) => Promise<void>;
  /** A newer configuration is in use: takes over what of it can hold for sessions that go on. Nothing can, where absent. */
  readonly superseded?: (configuration: string) => void;
  /** Last of all, when every service has stopped: close storages and connectors. */
  readonly close: () => Promise<void>;
}

/** The process's channel to its supervisor, so that this room needs no globals. */
export interface Channel {
  send(report: Report): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** What went wrong, and what that came from. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${reasonOf(error.cause)})`;
}

/** Runs a worker until it was told to leave; resolves then, and the process may exit. */
export async function runWorker(
  channel: Channel,
  start: (context: WorkerContext) => Promise<NodeServices>,
): Promise<'drained' | 'failed'> {
  const hints = hintBus((news) => channel.send({ kind: 'hints', hints: news }));
  const orders = new OrderQueue();
  const siblings = new WorkerSiblings((report) => channel.send(report));
  const notices = new WorkerNotices((report) => channel.send(report));
  const wishes = new WorkerWishes((report) => channel.send(report));
  const measurements = new WorkerMeasurements((report) => channel.send(report));
  channel.onMessage((message) => {
    if (!isMessage(message)) return;
    const order = message as Order;
    if (order.kind === 'hints') hints.receive(order.hints);
    else if (order.kind === 'service') wishes.receive(order);
    else if (order.kind === 'notices') notices.receive(order);
    else if (order.kind === 'ask' || order.kind === 'asked' || order.kind === 'answer' || order.kind === 'gone') siblings.receive(order);
    else if (order.kind === 'measure' || order.kind === 'measurements') measurements.receive(order);
    else if (order.kind === 'give-sign') channel.send({ kind: 'sign', sign: signOfLife() });
    else orders.add(order);
  });
  channel.send({ kind: 'awake' });
  const first = await orders.next();
  if (first.kind !== 'start') return 'drained'; // told to leave before there was anything to do
  wishes.begin(first.stopped);
  let node: NodeServices;
  try {
    node = await start({ slot: first.slot, configuration: first.configuration, hints, siblings, notices, wishes, measure: async () => measurements.measure(), isStopping: () => orders.stopCame });
  } catch (error) {
    channel.send({ kind: 'failed', text: reasonOf(error) });
    return 'failed';
  }
  channel.send({ kind: 'ready' });
  channel.send({ kind: 'sign', sign: signOfLife() }); // the time for its start is over, that for silence begins
  const endWatch = watchProcess();
  const endRest = watchRest();
  await new Shift(node, orders, channel).work();
  hints.sendNow();
  measurements.sayLast();
  endRest();
  endWatch();
  return 'drained';
}

/** A worker's time from ready to its end. */
class Shift {
  readonly #node: NodeServices;
  readonly #orders: OrderQueue;
  readonly #channel: Channel;
  #appointed: readonly Service[] = [];

  constructor(node: NodeServices, orders: OrderQueue, channel: Channel) {
    this.#node = node;
    this.#orders = orders;
    this.#channel = channel;
  }

  /** Obeys orders until the one to stop is carried out. */
  async work(): Promise<void> {
    for (;;) {
      const order = await this.#orders.next();
      if (order.kind === 'appoint' && this.#appointed.length === 0) {
        this.#node.log.info('does the work that exists once per node');
        this.#appointed = await this.#node.onAppointed();
      } else if (order.kind === 'renew') {
        await this.#node.renew(order.configuration).catch((error: unknown) => this.#node.log.error({ err: error }, 'new certificates not put to use'));
      } else if (order.kind === 'superseded') {
        this.#follow(order.configuration);
      } else if (order.kind === 'retire') {
        // Not awaited: the order to stop may come meanwhile. It never rejects.
        void this.#retire(order);
      } else if (order.kind === 'stop') {
        await this.#stop(order.graceMs);
        return;
      }
    }
  }

  /** What can't be taken over stays as it was: the sessions must not end for it. */
  #follow(configuration: string): void {
    try {
      this.#node.superseded?.(configuration);
    } catch (error) {
      this.#node.log.error({ err: error }, 'sessions that go on are not held to the new configuration');
    }
  }

  /** Lets the sessions go on; orders its own stop when the last has ended, or when its patience is over. */
  async #retire({ patienceMs, graceMs }: Extract<Order, { kind: 'retire' }>): Promise<void> {
    const { log, services, admin } = this.#node;
    log.info('retires: accepts nothing new, lets its sessions go on');
    const ended = Promise.all([this.#resign(), ...[...services, ...admin].map(async (service) => this.#try(service, async () => service.retire()))]);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'impatient'>((resolve) => {
      timer = setTimeout(() => resolve('impatient'), patienceMs);
    });
    if ((await Promise.race([ended, patience])) === 'impatient') log.info('sessions have gone on long enough after a change of the configuration');
    clearTimeout(timer);
    this.#orders.add({ kind: 'stop', graceMs });
  }

  /** Gives the once-per-node work back as soon as nothing of it is under way. */
  async #resign(): Promise<void> {
    await Promise.all(this.#appointed.map(async (service) => this.#try(service, async () => service.retire())));
    this.#channel.send({ kind: 'resigned' });
  }

  async #stop(graceMs: number): Promise<void> {
    const { services, admin, close } = this.#node;
    await this.#stopAll([...services, ...this.#appointed], graceMs);
    await this.#stopAll(admin, graceMs);
    await close();
  }

  async #stopAll(services: readonly Service[], graceMs: number): Promise<void> {
    await Promise.all(services.map(async (service) => this.#try(service, async () => service.stop(graceMs))));
  }

  async #try(service: Service, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#node.log.error({ err: error, service: service.name }, 'did not stop cleanly');
    }
  }
}

/** Orders in the order they came, one taken at a time. */
class OrderQueue {
  readonly #orders: Order[] = [];
  #stopCame = false;
  #wake: (() => void) | undefined;

  /** Known as soon as it came, whatever stands before it. */
  get stopCame(): boolean {
    return this.#stopCame;
  }

  add(order: Order): void {
    this.#orders.push(order);
    if (order.kind === 'stop') this.#stopCame = true;
    this.#wake?.();
  }

  async next(): Promise<Order> {
    for (;;) {
      const order = this.#orders.shift();
      if (order !== undefined) return order;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
