/**
 * The worker's half of a node: waits for its number, starts the services, passes hints, takes over the once-per-node work
 * when appointed, drains when told. Called by frontend/main.ts and backend/main.ts in processes that the supervisor forked.
 */
import type { Logger } from '../log/log.ts';
import { isMessage } from './messages.ts';
import type { Order, Report } from './messages.ts';
import type { ChangeHint, HintBus, Service } from './service.ts';

export interface WorkerContext {
  /** No two living workers of the node have the same. */
  readonly slot: number;
  /** The text of the configuration to run. */
  readonly configuration: string;
  readonly hints: HintBus;
}

/** What runs in a worker. */
export interface NodeServices {
  readonly log: Logger;
  readonly services: readonly Service[];
  /** Starts the work that exists once per node (queue runner …); called at most once. */
  readonly onAppointed: () => Promise<readonly Service[]>;
  /** Last of all, when every service has stopped: close storages and connectors. */
  readonly close: () => Promise<void>;
}

/** The process's channel to its supervisor, so that this room needs no globals. */
export interface Channel {
  send(report: Report): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Runs a worker until it was told to leave; resolves then, and the process may exit. */
export async function runWorker(
  channel: Channel,
  start: (context: WorkerContext) => Promise<NodeServices>,
): Promise<'drained' | 'failed'> {
  const hints = hintBus(channel);
  const orders = new OrderQueue();
  channel.onMessage((message) => {
    if (!isMessage(message)) return;
    if (message.kind === 'hint') hints.receive(message.hint);
    else orders.add(message as Order);
  });
  channel.send({ kind: 'awake' });
  const first = await orders.next();
  if (first.kind !== 'start') return 'drained'; // told to leave before there was anything to do
  let node: NodeServices;
  try {
    node = await start({ slot: first.slot, configuration: first.configuration, hints });
  } catch (error) {
    channel.send({ kind: 'failed', text: error instanceof Error ? error.message : String(error) });
    return 'failed';
  }
  channel.send({ kind: 'ready' });
  await serve(node, orders);
  return 'drained';
}

async function serve(node: NodeServices, orders: OrderQueue): Promise<void> {
  const { log } = node;
  let appointed: readonly Service[] = [];
  for (;;) {
    const order = await orders.next();
    if (order.kind === 'appoint' && appointed.length === 0) {
      log.info('does the work that exists once per node');
      appointed = await node.onAppointed();
    } else if (order.kind === 'retire') {
      await Promise.all([...node.services, ...appointed].map(async (service) => stopOne(service, order.graceMs, log)));
      await node.close();
      return;
    }
  }
}

async function stopOne(service: Service, graceMs: number, log: Logger): Promise<void> {
  try {
    await service.stop(graceMs);
  } catch (error) {
    log.error({ err: error, service: service.name }, 'did not stop cleanly');
  }
}

/** Orders in the order they came, one taken at a time. */
class OrderQueue {
  readonly #orders: Order[] = [];
  #wake: (() => void) | undefined;

  add(order: Order): void {
    this.#orders.push(order);
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

function hintBus(channel: Channel): HintBus & { receive(hint: ChangeHint): void } {
  const listeners = new Set<(hint: ChangeHint) => void>();
  const receive = (hint: ChangeHint): void => {
    for (const listener of listeners) listener(hint);
  };
  return {
    receive,
    publish: (hint) => {
      receive(hint);
      channel.send({ kind: 'hint', hint });
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
