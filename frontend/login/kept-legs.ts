/**
 * Connections to back-ends of ours that outlived the session which they were opened for, kept for the next logins there: that spares
 * both nodes a TCP connection and a TLS handshake. They belong to one service in one process; docs/decisions/front-ends.md says why nothing of a session can reach the next.
 */
import type { LegTerms } from '../../shared/legs/leg-terms.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import { countLegUsed, legsKept } from '../../shared/metrics/proxy-counters.ts';

export interface Leg {
  readonly node: string;
  readonly socket: AnySocket;
  /** Agreed on when it was used last. */
  readonly terms: LegTerms;
  /** When it was opened, on the process's clock. */
  readonly openedMs: number;
}

export interface KeptLegsOptions {
  /** To one back-end. 0: none are kept. */
  readonly most: number;
  /** Without a login. */
  readonly idleMs: number;
}

interface Resting {
  readonly leg: Leg;
  /** Gives it up. */
  readonly drop: () => void;
}

/** A leg stays with the worker of the back-end that took it, so now and then new ones have to find out who has time. */
const longestLifeMs = 600_000;
/** Nothing may come before a leg is claimed: whatever comes ends it. */
const endings = ['data', 'end', 'error', 'close', 'timeout'] as const;

export class KeptLegs {
  readonly #options: KeptLegsOptions;
  /** Those that came back last stand at the end, and go first: so the others grow old. */
  readonly #kept = new Map<string, Resting[]>();
  #open: boolean;

  constructor(options: KeptLegsOptions) {
    this.#options = options;
    this.#open = options.most > 0;
  }

  /** Whether it makes sense to agree on anything. */
  get open(): boolean {
    return this.#open;
  }

  /** One that seems to be alive; undefined when there is none. */
  take(node: string): Leg | undefined {
    const resting = this.#kept.get(node)?.at(-1);
    if (resting === undefined) return undefined;
    this.#forget(resting);
    const { socket } = resting.leg;
    if (socket.destroyed || socket.readableEnded) return this.take(node);
    socket.pause();
    socket.setTimeout(0);
    countLegUsed(node);
    return resting.leg;
  }

  /** Takes one back that the back-end has released. */
  keep(leg: Leg): void {
    const { socket, node } = leg;
    const kept = this.#kept.get(node) ?? [];
    if (!this.#open || kept.length >= this.#options.most || performance.now() - leg.openedMs > longestLifeMs) return giveUp(socket);
    const resting: Resting = { leg, drop: () => this.#drop(resting) };
    this.#kept.set(node, [...kept, resting]);
    legsKept.add({ node });
    for (const ending of endings) socket.on(ending, resting.drop);
    socket.setTimeout(this.#options.idleMs);
    socket.resume();
  }

  /** One of them turned out to be dead, so the others of that node aren't relied on either. */
  dropAll(node: string): void {
    for (const resting of this.#kept.get(node) ?? []) this.#drop(resting);
  }

  /** For good. */
  close(): void {
    this.#open = false;
    for (const node of [...this.#kept.keys()]) this.dropAll(node);
  }

  #drop(resting: Resting): void {
    this.#forget(resting);
    giveUp(resting.leg.socket);
  }

  #forget(resting: Resting): void {
    const { node, socket } = resting.leg;
    this.#kept.set(node, (this.#kept.get(node) ?? []).filter((one) => one !== resting));
    legsKept.add({ node }, -1);
    for (const ending of endings) socket.off(ending, resting.drop);
  }
}

function giveUp(socket: AnySocket): void {
  socket.on('error', nothing);
  socket.destroySoon();
}

function nothing(): void {
  // It is given up already.
}
