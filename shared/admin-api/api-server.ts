/**
 * Serves the admin API of a node below /api/v1: finds the operation, who asks and whether they may, checks what they sent, does it
 * here or at the node that can, writes acts to the audit, and answers. Nothing is changed by a request that is refused.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { clientNetwork } from '../access/network.ts';
import type { AdminTarget } from '../admin/admin-client.ts';
import { Failure, isFailure } from '../base/failure.ts';
import { newSessionId } from '../base/session-id.ts';
import { readJson } from '../http/body.ts';
import type { Logger } from '../log/log.ts';
import { auditEntry } from './audit-log.ts';
import type { AuditLog } from './audit-log.ts';
import { demand, demandAddress, demandDomain } from './caller.ts';
import type { Caller } from './caller.ts';
import { matchPath, takesBody } from './operation.ts';
import type { Asking, Call, Handled, Method, Operation } from './operation.ts';
import { passToNode } from './passing-on.ts';
import type { OtherAnswer } from './passing-on.ts';
import { ApiRefusal, problemOf, sendProblem } from './problem.ts';
import type { Mistake, Problem } from './problem.ts';
import { RequestRates } from './request-rate.ts';
import { whoAsks } from './who-asks.ts';
import type { WhoAsksOptions } from './who-asks.ts';

/** How this node reaches others. */
export interface Reach {
  readonly node: string;
  readonly role: 'frontend' | 'backend';
  readonly frontends: readonly string[];
  /** Undefined for a node that the configuration does not know, or that has no admin API. */
  target(node: string): AdminTarget | undefined;
  /** The back-end that keeps an account. @throws Failure as `unknown-user`, `directory-unavailable` */
  keeperOf(address: string): Promise<string>;
  /** The back-end that has a record of an address, in use or not; else where it would live. @throws Failure as `unknown-user`, `backend-unavailable`, `directory-unavailable` */
  holderOf(address: string): Promise<string>;
}

export interface ApiOptions extends WhoAsksOptions {
  /** All that the cluster knows. */
  readonly operations: readonly Operation[];
  /** Those that this node does. */
  readonly handlers: readonly Handled[];
  readonly reach: Reach;
  readonly audit: AuditLog;
  readonly ipv6Prefix: number;
  readonly log: Logger;
}

export const apiPrefix = '/api/v1';

const longestBodyBytes = 1024 * 1024;
const rate = { burst: 300, perSecond: 100 } as const;

/** One request on its way. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly reference: string;
  /** Filled as it becomes known, for the audit of refusals. */
  operation?: Operation;
  params: Readonly<Record<string, string>>;
  caller?: Caller | undefined;
  facts: Readonly<Record<string, unknown>>;
  /** Who passed it on expects it to be done here. */
  isPassedOn: boolean;
  /** Whether the node that did it has written the audit. */
  isAudited: boolean;
}

export class Api {
  readonly #options: ApiOptions;
  readonly #rates = new RequestRates(rate);
  readonly #handlers: ReadonlyMap<string, Handled>;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#handlers = new Map(options.handlers.map((one) => [one.operation.name, one]));
  }

  /** Answers in any case. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const visit: Visit = { request, response, url, reference: newSessionId(), params: {}, facts: {}, isPassedOn: false, isAudited: false };
    try {
      await this.#serve(visit);
    } catch (error) {
      const problem = problemOf(error, visit.reference);
      const { log } = this.#options;
      if (problem.status === 500) log.error({ err: error, request: visit.reference, method: request.method, path: url.pathname }, 'admin request failed');
      else log.info({ request: visit.reference, method: request.method, path: url.pathname, kind: problem.kind, reason: problem.detail }, 'admin request refused');
      await this.#audit(visit, problem.kind, problem.detail);
      sendProblem(response, problem);
    }
  }

  async #serve(visit: Visit): Promise<void> {
    const { request, response, url } = visit;
    const from = request.socket.remoteAddress ?? '';
    const { operation, params } = this.#find(request.method ?? '', url.pathname, response);
    visit.params = params;
    const known = await whoAsks(this.#options, request).catch((error: unknown) => {
      visit.operation = operation; // wrong passwords are written down when they were meant for an act
      throw error;
    });
    visit.operation = operation;
    visit.caller = known?.caller;
    if (known?.cookie !== undefined) response.setHeader('set-cookie', known.cookie);
    if (known?.caller.who.kind !== 'node' && this.#rates.take(clientNetwork(from, this.#options.ipv6Prefix)) === 'too many') throw new Failure('limit', 'too many requests from this address');
    authorize(operation, params, known?.caller);
    visit.isPassedOn = known?.caller.via !== undefined;
    const call = await this.#read(visit, operation);
    if (operation.kind === 'act') await this.#options.audit.check();
    const answer = await this.#perform(visit, operation, call);
    await this.#audit(visit, 'done');
    send(response, answer);
  }

  #find(method: string, path: string, response: ServerResponse): { readonly operation: Operation; readonly params: Readonly<Record<string, string>> } {
    const fitting = this.#options.operations.flatMap((operation) => {
      const params = matchPath(`${apiPrefix}${operation.path}`, path);
      return params === undefined ? [] : [{ operation, params }];
    });
    // A path that is written out wins over one with a place for anything.
    const found = fitting.filter(({ operation }) => operation.method === method).sort((a, b) => Object.keys(a.params).length - Object.keys(b.params).length)[0];
    if (found !== undefined) return found;
    if (fitting.length === 0) throw new ApiRefusal(404, 'no-such-thing', { text: `nothing is at ${path}`, advice: `GET ${apiPrefix}/openapi.json tells what there is.` });
    const allowed = [...new Set(fitting.map(({ operation }) => operation.method))].join(', ');
    response.setHeader('allow', allowed);
    throw new ApiRefusal(405, 'method-not-allowed', { text: `${method} is nothing that ${path} takes`, advice: `It takes ${allowed}.` });
  }

  /** Checks everything that was sent before anything is done. */
  async #read(visit: Visit, operation: Operation): Promise<Pick<Call, 'params' | 'query' | 'body'>> {
    const { request, url } = visit;
    const body = takesBody(operation) ? await readJson(request, longestBodyBytes) : undefined;
    const parts = [
      check(operation.params, visit.params, 'path'),
      check(operation.query, queryOf(url), 'query'),
      check(operation.body, body, 'body'),
    ] as const;
    const mistakes = parts.flatMap((part) => ('mistakes' in part ? part.mistakes : []));
    const [params, query, read] = parts.map((part) => ('value' in part ? part.value : undefined));
    if (mistakes.length === 0) return { params: params as Readonly<Record<string, string>>, query, body: read };
    throw new ApiRefusal(400, 'bad-input', {
      text: `the request does not fit: ${mistakes.slice(0, 3).map(({ where, what }) => `${where}: ${what}`).join('; ')}`,
      advice: `GET ${apiPrefix}/openapi.json describes ${operation.name}.`, mistakes: mistakes.slice(0, 20),
    });
  }

  async #perform(visit: Visit, operation: Operation, read: Pick<Call, 'params' | 'query' | 'body'>): Promise<Answer> {
    const { reach } = this.#options;
    const node = visit.isPassedOn ? reach.node : await this.#placeOf(operation, read.params);
    const known = this.#handlers.get(operation.name);
    if (node === reach.node && known !== undefined) {
      try {
        return { json: operation.answer.parse(await known.handle(this.#call(visit, read))) };
      } catch (error) {
        const elsewhere = isFailure(error, 'not-kept-here') && !visit.isPassedOn ? error.node : undefined;
        if (elsewhere === undefined || elsewhere === reach.node) throw error;
        return this.#pass(visit, elsewhere, read.body);
      }
    }
    if (node === reach.node) throw new ApiRefusal(422, 'wrong-role', { text: `${node} is a ${reach.role} and can't do this` });
    const answer = await this.#pass(visit, node, read.body);
    const other = answer.other === undefined || answer.other.status !== 421 ? undefined : nodeNamed(answer.other);
    return other === undefined || other === node ? answer : this.#pass(visit, other, read.body);
  }

  async #placeOf({ place }: Operation, params: Readonly<Record<string, string>>): Promise<string> {
    const { reach } = this.#options;
    if (place === 'node') return params['node'] ?? reach.node;
    if (place === 'keeper') return reach.keeperOf(params['address'] ?? '');
    if (place === 'holder') return reach.holderOf(params['address'] ?? '');
    if (place === 'frontend' && reach.role !== 'frontend') return reach.frontends[0] ?? reach.node;
    return reach.node;
  }

  /** To another node; what any front-end can do goes to the next when one does not answer. */
  async #pass(visit: Visit, node: string, body: unknown): Promise<Answer> {
    const { reach } = this.#options;
    const candidates = visit.operation?.place === 'frontend' ? reach.frontends : [node];
    let last: unknown;
    for (const candidate of candidates) {
      try {
        const other = await this.#ask(visit, candidate, { method: visit.request.method as Method, path: `${visit.url.pathname}${visit.url.search}`, body });
        visit.isAudited = true;
        return { other };
      } catch (error) {
        if (!isFailure(error, 'backend-unavailable')) throw error;
        last = error;
      }
    }
    throw last;
  }

  async #ask(visit: Visit, node: string, asked: { readonly method: Method; readonly path: string; readonly body: unknown }): Promise<OtherAnswer> {
    const target = this.#options.reach.target(node);
    if (target === undefined) throw new ApiRefusal(404, 'no-such-node', { text: `there is no node ${node} with an admin API`, advice: `GET ${apiPrefix}/nodes lists them.` });
    if (visit.caller === undefined) throw new Failure('forbidden', 'nobody signed in');
    try {
      return await passToNode(target, { ...asked, caller: visit.caller });
    } catch (error) {
      if (isFailure(error, 'backend-unavailable')) throw new Failure(error.kind, `${node} does not answer`, { cause: error.cause, node });
      throw error;
    }
  }

  #call(visit: Visit, read: Pick<Call, 'params' | 'query' | 'body'>): Call {
    const { response, caller } = visit;
    return {
      ...read,
      // Operations for anybody look at nothing of the caller but the address.
      caller: caller ?? { who: { kind: 'administrator', administrator: { name: '', capabilities: new Set(), domains: [] } }, by: 'password', from: visit.request.socket.remoteAddress ?? '', session: undefined, via: undefined },
      reply: {
        setCookie: (value) => void response.setHeader('set-cookie', value),
        note: (facts) => {
          visit.facts = { ...visit.facts, ...facts };
        },
      },
      ask: async (node, path, request = {}) => this.#askFor(visit, node, { path, request }),
      askKeeper: async (address, path, request = {}) => this.#askFor(visit, await this.#options.reach.keeperOf(address), { path, request }),
    };
  }

  async #askFor(visit: Visit, node: string, { path, request }: { readonly path: string; readonly request: Asking }): Promise<unknown> {
    const { status, body } = await this.#ask(visit, node, { method: request.method ?? 'GET', path: `${apiPrefix}${path}`, body: request.body });
    const told = JSON.parse(body.toString('utf8')) as Partial<Problem>;
    if (status === 200) return told;
    const { detail = `status ${String(status)}`, advice, mistakes = [] } = told;
    throw new ApiRefusal(status, told.kind ?? 'bad-answer', { text: `${node}: ${detail}`, mistakes, ...(advice === undefined ? {} : { advice }) });
  }

  async #audit(visit: Visit, result: string, reason?: string): Promise<void> {
    const { operation, caller, params, facts, reference, request } = visit;
    if (operation?.kind !== 'act' || visit.isAudited) return;
    const { audit, reach } = this.#options;
    await audit.write(auditEntry({
      node: reach.node, reference, caller, from: request.socket.remoteAddress ?? '', what: operation.name, facts: { ...params, ...facts }, result, reason,
    }));
  }
}

type Answer = { readonly json: unknown; readonly other?: undefined } | { readonly other: OtherAnswer; readonly json?: undefined };

/** @throws ApiRefusal(401), Failure('forbidden') */
function authorize({ needs }: Operation, params: Readonly<Record<string, string>>, caller: Caller | undefined): void {
  if (needs === 'anybody') return;
  if (caller === undefined) throw new ApiRefusal(401, 'signed-out', { text: 'nobody signed in, or the session is over' });
  if (needs !== 'signed-in') demand(caller, typeof needs === 'function' ? needs(params) : needs);
  if (params['address'] !== undefined) demandAddress(caller, params['address']);
  if (params['domain'] !== undefined) demandDomain(caller, params['domain']);
}

function check(schema: z.ZodType, given: unknown, part: string): { readonly value: unknown } | { readonly mistakes: readonly Mistake[] } {
  const parsed = schema.safeParse(given);
  if (parsed.success) return { value: parsed.data };
  return { mistakes: parsed.error.issues.map(({ path, message }) => ({ where: [part, ...path].map(String).join('.'), what: message })) };
}

/** @throws ApiRefusal for a name given twice: which is meant? */
function queryOf(url: URL): Record<string, string> {
  const names = [...url.searchParams.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ApiRefusal(400, 'bad-input', { text: `query.${twice} is given twice`, mistakes: [{ where: `query.${twice}`, what: 'is given twice' }] });
  return Object.fromEntries(url.searchParams);
}

function nodeNamed({ body }: OtherAnswer): string | undefined {
  const told: unknown = JSON.parse(body.toString('utf8'));
  return typeof told === 'object' && told !== null && 'node' in told && typeof told.node === 'string' ? told.node : undefined;
}

function send(response: ServerResponse, answer: Answer): void {
  const { status, type, body } = answer.other ?? { status: 200, type: 'application/json', body: Buffer.from(`${JSON.stringify(answer.json ?? {})}\n`) };
  response.writeHead(status, { 'content-type': type, 'content-length': body.length, 'cache-control': 'no-store' });
  response.end(body);
}
