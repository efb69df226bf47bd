/**
 * What the last worker of a listener leaves behind when it dies: the listener itself. Node's cluster module closes a listening socket with the last worker that
 * has it, and clients are refused until the next worker is there. Here Node is told of the end only when another worker listens there, or after a while:
 * until then the socket stays, and connections wait. A worker that closes a listener by itself wants it closed: of that nothing is kept.
 */
import type { Worker } from 'node:cluster';
import type { Stage } from './member.ts';

/** What Node's own messages between the processes of a cluster look like, as far as it matters here. */
interface Message {
  readonly cmd?: unknown;
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
  readonly errno?: unknown;
  /** Of the listener. */
  readonly key?: unknown;
}

const cmd = 'NODE_CLUSTER';

/** Clients wait no longer than this for workers that die again and again; then they are refused, and may try elsewhere. */
const keptMs = 10_000;

/** When a worker last was there that served, by the clock of `performance`. */
let servedMs = -Infinity;

/** All that have a listener: living workers, or the dead one that keeps it. */
const holders = new Map<string, Set<Holder>>();

/**
 * To be called right after the fork. What is kept is kept for a time since the last worker that was ready died.
 * @returns when all that the worker sent was heard; Node's event `disconnect` may come later
 */
export async function keepListeners(worker: Worker, stage: () => Stage): Promise<void> {
  return new Promise((resolve) => {
    new Holder(worker, stage, resolve).begin();
  });
}

type State =
  | { readonly at: 'alive' }
  /** `waiting`: connections that Node handed to it since. */
  | { readonly at: 'keeping'; readonly timer: NodeJS.Timeout; readonly waiting: { readonly key: string; readonly seq: unknown }[] }
  | { readonly at: 'gone' };

class Holder {
  readonly #process: Worker['process'];
  readonly #stage: () => Stage;
  readonly #heardAll: () => void;
  readonly #keys = new Set<string>();
  readonly #tellNode: (event: string, ...given: unknown[]) => boolean;
  #state: State = { at: 'alive' };
  #connected = true;

  constructor({ process }: Worker, stage: () => Stage, heardAll: () => void) {
    this.#process = process;
    this.#stage = stage;
    this.#heardAll = heardAll;
    this.#tellNode = process.emit.bind(process) as (event: string, ...given: unknown[]) => boolean;
  }

  begin(): void {
    const send = this.#process.send.bind(this.#process) as (...given: unknown[]) => boolean;
    this.#process.send = (message: Message, ...more: unknown[]): boolean => {
      if (this.#state.at === 'keeping') return this.#take(message);
      const sent = send(message, ...more);
      if (message.cmd === cmd && message.ack !== undefined && typeof message.key === 'string' && (message.errno ?? 0) === 0) this.#listens(message.key);
      return sent;
    };
    // Of a process that is not connected Node closes the listeners when it exits, and loses the connections that it hands to it.
    Object.defineProperty(this.#process, 'connected', {
      get: () => this.#connected || this.#state.at === 'keeping',
      set: (connected: boolean) => {
        this.#connected = connected;
      },
    });
    this.#process.emit = ((event: string, ...given: unknown[]) => this.#hear(event, given)) as Worker['process']['emit'];
  }

  #hear(event: string, given: readonly unknown[]): boolean {
    if (event === 'internalMessage') {
      const { act, key } = given[0] as Message;
      if (act === 'close' && typeof key === 'string') this.#forget(key);
    } else if (event === 'exit' || event === 'disconnect') {
      if (!this.#connected) this.#heardAll();
      this.#end();
      if (this.#state.at === 'keeping' && event === 'disconnect') return true;
    }
    return this.#tellNode(event, ...given);
  }

  /** The worker listens there from now on. Whoever kept the listener for it is free. */
  #listens(key: string): void {
    this.#keys.add(key);
    const all = holders.get(key) ?? new Set();
    holders.set(key, all.add(this));
    for (const other of all) if (other.#state.at === 'keeping') other.#letGo(key, 'others');
  }

  #forget(key: string): void {
    this.#keys.delete(key);
    const all = holders.get(key);
    all?.delete(this);
    if (all?.size === 0) holders.delete(key);
  }

  /** The process is gone, or about to be. */
  #end(): void {
    if (this.#state.at !== 'alive') return;
    const nowMs = performance.now();
    if (this.#stage() === 'ready') servedMs = nowMs;
    const forMs = this.#stage() === 'leaving' ? 0 : servedMs + keptMs - nowMs;
    this.#state = { at: 'gone' };
    for (const key of this.#keys) if (forMs <= 0 || (holders.get(key)?.size ?? 0) > 1) this.#letGo(key, 'nobody');
    if (this.#keys.size === 0) return;
    const timer = setTimeout(() => {
      for (const key of this.#keys) this.#letGo(key, 'nobody');
    }, forMs).unref();
    this.#state = { at: 'keeping', timer, waiting: [] };
  }

  /** Node hands out a connection. It waits like all that were not handed out yet. */
  #take({ act, key, seq }: Message): boolean {
    if (this.#state.at === 'keeping' && act === 'newconn' && typeof key === 'string') this.#state.waiting.push({ key, seq });
    return true;
  }

  /** Node closes the listener unless others have it. @param heirs who gets the connections that wait in this one's hands; with nobody they are closed */
  #letGo(key: string, heirs: 'others' | 'nobody'): void {
    this.#forget(key);
    this.#tellNode('internalMessage', { cmd, act: 'close', key });
    if (this.#state.at !== 'keeping') return;
    for (const { seq } of this.#state.waiting.filter((each) => each.key === key)) this.#tellNode('internalMessage', { cmd, ack: seq, accepted: heirs === 'nobody' });
    if (this.#keys.size > 0) return;
    clearTimeout(this.#state.timer);
    this.#state = { at: 'gone' };
    if (!this.#connected) this.#tellNode('disconnect'); // else Node hears of it by itself
  }
}
