/**
 * What all workers of a node are to know, and new ones too: the supervisor keeps it and passes it on. A notice is a small
 * JSON value under a topic and a key; the newest of a key counts. Old ones are dropped, by age and by number: they are for
 * what may be forgotten (wrong passwords counted, clients known), never for what must not get lost.
 */
import type { LRUCache } from 'lru-cache';
import { boundedCache } from '../base/bounded-cache.ts';
import type { Order, Report } from './messages.ts';

export interface Notice {
  readonly key: string;
  readonly value: unknown;
  /** Since it was posted. */
  readonly ageMs: number;
}

export interface Notices {
  /** Tells the other workers, those that start later included. Nothing is awaited: without a supervisor it is just lost. */
  post(topic: string, key: string, value: unknown): void;
  /** Hears of all notices of other workers: those that are kept first, the oldest before the newest. One listener for each topic. */
  subscribe(topic: string, listener: (notice: Notice) => void): void;
}

const mostNotices = 20_000;
const longestAgeMs = 24 * 3_600_000;
/** In one message to a new worker. */
const perMessage = 1000;

/** The supervisor's end. */
export class NoticeBoard {
  readonly #topics = new Map<string, LRUCache<string, { readonly value: unknown; readonly postedMs: number }>>();

  post(topic: string, key: string, value: unknown): void {
    let notices = this.#topics.get(topic);
    if (notices === undefined) {
      notices = boundedCache(mostNotices, longestAgeMs);
      this.#topics.set(topic, notices);
    }
    notices.set(key, { value, postedMs: performance.now() });
  }

  /** All that are kept, as messages of a bearable size. */
  kept(topic: string): Extract<Order, { kind: 'notices' }>[] {
    const nowMs = performance.now();
    const all: Notice[] = [];
    this.#topics.get(topic)?.rforEach(({ value, postedMs }, key) => all.push({ key, value, ageMs: nowMs - postedMs }));
    return Array.from({ length: Math.ceil(all.length / perMessage) }, (_, part) => ({ kind: 'notices', topic, notices: all.slice(part * perMessage, (part + 1) * perMessage) }));
  }
}

/** A worker's end; `receive` takes the orders that belong to it. */
export class WorkerNotices implements Notices {
  readonly #send: (report: Report) => void;
  readonly #listeners = new Map<string, (notice: Notice) => void>();

  constructor(send: (report: Report) => void) {
    this.#send = send;
  }

  post(topic: string, key: string, value: unknown): void {
    this.#send({ kind: 'post', topic, key, value });
  }

  subscribe(topic: string, listener: (notice: Notice) => void): void {
    this.#listeners.set(topic, listener);
    this.#send({ kind: 'subscribe', topic });
  }

  receive({ topic, notices }: Extract<Order, { kind: 'notices' }>): void {
    const listener = this.#listeners.get(topic);
    if (listener !== undefined) for (const notice of notices) listener(notice);
  }
}
