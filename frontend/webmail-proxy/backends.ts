/**
 * The road of a request to the back-end that keeps the mailbox: the route from the mapping, the limit on requests waiting
 * for one back-end, one step after a referral, and one more try where a kept connection turned out to be closed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure } from '../../shared/base/failure.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Mapping, Route } from '../mapping/mapping.ts';
import type { ApiProxy, BackendTarget, Outcome } from './proxy.ts';

export interface BackendsOptions {
  readonly mapping: Pick<Mapping, 'lookUp' | 'forget'>;
  readonly proxy: ApiProxy;
  /** The trusted WebMail listener of a configured node; undefined for a name that is not configured. */
  readonly backendFor: (node: string) => BackendTarget | undefined;
  /** Requests under way at one back-end; one more is refused. Streams of events are not counted. */
  readonly maxPendingPerBackend: number;
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
  readonly log: Logger;
}

export class Backends {
  readonly #options: BackendsOptions;
  readonly #pending = new Map<string, number>();

  constructor(options: BackendsOptions) {
    this.#options = options;
  }

  /** Gets the request answered at the user's back-end. @throws Failure when it can't be; then nothing was answered */
  async pass(user: UserRequest): Promise<void> {
    const { node, canonical } = await this.#nodeOf(user.address);
    const outcome = await this.#attempt(user, node);
    if (outcome.kind !== 'referred') return;
    const other = await this.#referredNode(canonical, outcome.node);
    user.log.info({ account: canonical, from: node, to: other }, 'referred to another back-end');
    const moving = new Failure('backend-unavailable', 'Your mailbox is being moved. Try again in a moment.');
    if (other === undefined || other === node || user.body === undefined) throw moving;
    if ((await this.#attempt(user, other)).kind === 'referred') throw moving;
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

  async #attempt(user: UserRequest, node: string): Promise<Exclude<Outcome, { kind: 'failed' }>> {
    const target = this.#options.backendFor(node);
    if (target === undefined) throw notSetUp(node);
    const pending = this.#pending.get(node) ?? 0;
    if (pending >= this.#options.maxPendingPerBackend) throw new Failure('backend-unavailable', 'The server of your mailbox is very busy. Try again in a moment.');
    const counts = user.length === 'short' ? 1 : 0;
    this.#pending.set(node, pending + counts);
    try {
      return await this.#send(user, target);
    } finally {
      this.#pending.set(node, (this.#pending.get(node) ?? 1) - counts);
    }
  }

  async #send(user: UserRequest, target: BackendTarget): Promise<Exclude<Outcome, { kind: 'failed' }>> {
    const { request, response, headers, body } = user;
    let outcome = await this.#options.proxy.run({ request, response, target, headers, body });
    const harmless = request.method === 'GET' && body !== undefined;
    if (outcome.kind === 'failed' && outcome.why === 'stale-connection' && harmless && !response.destroyed) {
      outcome = await this.#options.proxy.run({ request, response, target, headers, body });
    }
    if (outcome.kind !== 'failed') return outcome;
    if (!response.destroyed) user.log.warn({ node: target.node, err: outcome.cause }, 'back-end does not answer');
    throw new Failure('backend-unavailable', 'The server that keeps your mailbox can\'t be reached right now. Try again in a moment.', { cause: outcome.cause });
  }
}

/** @throws Failure('backend-unavailable') for a mailbox on a server of another kind: WebMail can't serve it */
export function nodeOfRoute(route: Route): string {
  if (route.kind === 'node') return route.node;
  throw notSetUp(route.host);
}

function notSetUp(host: string): Failure {
  return new Failure('backend-unavailable', 'Your mailbox is on a server that WebMail can\'t show.', { cause: new Error(`${host} names no configured node`) });
}
