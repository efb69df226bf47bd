/**
 * The road of a request to the back-end that keeps the mailbox: the route from the mapping, the queue in front of the
 * back-end, one step after a referral, and one more try where a kept connection turned out to be closed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure } from '../../shared/base/failure.ts';
import type { Upgrade } from '../../shared/http/http-service.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Mapping, Route } from '../mapping/mapping.ts';
import { BackendQueue } from './backend-queue.ts';
import type { QueueLimits } from './backend-queue.ts';
import type { BackendTarget } from './pools.ts';
import type { ApiProxy, Outcome } from './proxy.ts';
import type { WebSockets } from './web-sockets.ts';
import { countFailover } from '../../shared/metrics/proxy-counters.ts';

export interface BackendsOptions {
  readonly mapping: Pick<Mapping, 'lookUp' | 'forget'>;
  readonly proxy: ApiProxy;
  readonly webSockets: WebSockets;
  /** The trusted WebMail listener of a configured node; undefined for a name that is not configured. */
  readonly backendFor: (node: string) => BackendTarget | undefined;
  /** Of each back-end. Streams need no place in the queue: they would never give it back. */
  readonly queue: QueueLimits;
}

/** A request of a known user. `body`: undefined for one that streams, and so can be sent only once. */
export interface UserRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** `stream`: stays open for minutes. */
  readonly length: 'short' | 'stream';
  /** Told before the answer goes on, when the back-end gave the account's sessions a new epoch. */
  readonly onEpoch: (epoch: number) => void;
  /** Told where it is served, before it is. */
  readonly onNode: (node: string) => void;
  readonly log: Logger;
}

/** A known user's wish to go on with WebSocket. */
export interface UserUpgrade {
  readonly upgrade: Upgrade;
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Told where it is served, before it is. */
  readonly onNode: (node: string) => void;
  readonly log: Logger;
}

type Attempted = Exclude<Outcome, { kind: 'failed' }>;

export class Backends {
  readonly #options: BackendsOptions;
  readonly #queues = new Map<string, BackendQueue>();

  constructor(options: BackendsOptions) {
    this.#options = options;
  }

  /** Gets the request answered at the user's back-end. @throws Failure when it can't be; then nothing was answered */
  async pass(user: UserRequest): Promise<void> {
    await this.#follow({ address: user.address, log: user.log, times: user.body === undefined ? 'once' : 'twice' }, async (node) => this.#attempt(user, node));
  }

  /** Joins the connection with the user's back-end, as `pass` does with requests. @throws Failure when it can't be */
  async join({ upgrade, address, headers, onNode, log }: UserUpgrade): Promise<void> {
    await this.#follow({ address, log, times: 'twice' }, async (node) => {
      onNode(node);
      const outcome = await this.#options.webSockets.join(upgrade, this.#targetOf(node), headers);
      return outcome.kind === 'failed' ? unreachable({ node, log, cause: outcome.cause }) : outcome;
    });
  }

  /** Tries at the user's back-end, and at the one that it refers to. */
  async #follow(user: { readonly address: string; readonly log: Logger; readonly times: 'once' | 'twice' }, attempt: (node: string) => Promise<Attempted>): Promise<void> {
    const { node, canonical } = await this.#nodeOf(user.address);
    const outcome = await attempt(node);
    if (outcome.kind !== 'referred') return;
    const other = await this.#referredNode(canonical, outcome.node);
    user.log.info({ account: canonical, from: node, to: other }, 'referred to another back-end');
    countFailover('webmailProxy', 'referral');
    const moving = new Failure('backend-unavailable', 'Your mailbox is being moved. Try again in a moment.');
    if (other === undefined || other === node || user.times === 'once') throw moving;
    if ((await attempt(other)).kind === 'referred') throw moving;
  }

  async #nodeOf(address: string): Promise<{ readonly node: string; readonly canonical: string }> {
    const answer = await this.#options.mapping.lookUp(address);
    if (answer.kind !== 'found') throw new HttpRefusal('signed-out', 'There is no such account any more.');
    return { node: nodeOfRoute(answer.route), canonical: answer.address };
  }

  /** The node that a back-end named, if configured; else what the directory says now. */
  async #referredNode(address: string, named: string | undefined): Promise<string | undefined> {
    const { mapping, backendFor } = this.#options;
    mapping.forget(address);
    if (named !== undefined && backendFor(named) !== undefined) return named;
    const answer = await mapping.lookUp(address, { fresh: 'yes' });
    return answer.kind === 'found' ? nodeOfRoute(answer.route) : undefined;
  }

  /**
   * Does the work when the back-end has a connection for this user.
   * @throws what `work` and `BackendQueue.enter` throw, Failure('backend-unavailable') for a node that is not configured
   */
  async inTurn<Result>({ node, address, response }: { readonly node: string; readonly address: string; readonly response: ServerResponse }, work: (target: BackendTarget) => Promise<Result>): Promise<Result> {
    const target = this.#targetOf(node);
    const queue = this.#queues.get(node) ?? new BackendQueue(this.#options.queue);
    this.#queues.set(node, queue);
    const leave = await queue.enter(address, departureOf(response));
    try {
      return await work(target);
    } finally {
      leave();
    }
  }

  #targetOf(node: string): BackendTarget {
    const target = this.#options.backendFor(node);
    if (target === undefined) throw notSetUp(node);
    return target;
  }

  async #attempt(user: UserRequest, node: string): Promise<Attempted> {
    user.onNode(node);
    if (user.length === 'stream') return this.#send(user, this.#targetOf(node));
    return this.inTurn({ ...user, node }, async (target) => this.#send(user, target));
  }

  async #send(user: UserRequest, target: BackendTarget): Promise<Attempted> {
    const { request, response } = user;
    const harmless = (request.method === 'GET' || request.method === 'HEAD') && user.body !== undefined;
    let outcome = await this.#options.proxy.run({ ...user, target });
    if (outcome.kind === 'failed' && outcome.why === 'stale-connection' && harmless && !response.destroyed) {
      outcome = await this.#options.proxy.run({ ...user, target });
    }
    if (outcome.kind !== 'failed') return outcome;
    if (response.destroyed) return { kind: 'answered' };
    return unreachable({ node: target.node, log: user.log, cause: outcome.cause });
  }
}

function unreachable({ node, log, cause }: { readonly node: string; readonly log: Logger; readonly cause: Error }): never {
  log.warn({ node, err: cause }, 'back-end does not answer');
  throw new Failure('backend-unavailable', 'The server that keeps your mailbox can\'t be reached right now. Try again in a moment.', { cause });
}

/** Aborted when the client leaves, with what streams say of it. */
function departureOf(response: ServerResponse): AbortSignal {
  const departure = new AbortController();
  response.once('close', () => departure.abort(Object.assign(new Error('the client has left'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })));
  return departure.signal;
}

/** @throws Failure('backend-unavailable') for a mailbox on a server of another kind: WebMail can't serve it */
export function nodeOfRoute(route: Route): string {
  if (route.kind === 'node') return route.node;
  throw notSetUp(route.host);
}

function notSetUp(host: string): Failure {
  return new Failure('backend-unavailable', 'Your mailbox is on a server that WebMail can\'t show.', { cause: new Error(`${host} names no configured node`) });
}
