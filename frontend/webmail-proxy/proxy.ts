/**
 * The one place that knows http-proxy: passes one request on to a back-end and its answer back. Guards against the
 * package's faults: requests of clients that went away are aborted, connecting and answering have time limits, and an
 * answer of "not kept here" is not passed on but told to the caller.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { epochHeader, nodeHeader } from '../../shared/session-cookie/session-headers.ts';
import { createProxyServer } from './load-http-proxy.ts';
import type { BackendTarget, Pools } from './pools.ts';
import { passedBack } from './response-headers.ts';

export interface ProxyTimes {
  /** Until the TCP connection stands. */
  readonly connectTimeoutMs: number;
  /** Silence of the back-end while an answer is awaited or comes. */
  readonly answerTimeoutMs: number;
}

export interface Errand {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: BackendTarget;
  /** Added to the request's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body where it was read already; otherwise it streams from the client, framed as it came (POST only). */
  readonly body: Buffer | undefined;
  /** `stream`: it stays open for minutes, on a connection of its own. */
  readonly length: 'short' | 'stream';
  /** Told before the answer goes on, when the back-end gave the account's sessions a new epoch. */
  readonly onEpoch: (epoch: number) => void;
}

/** How an errand ended. Only after `answered` has anything been told to the client. */
export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'referred'; readonly node: string | undefined }
  /** `stale-connection`: the back-end closed a kept connection just as we used it; nothing was done. */
  | { readonly kind: 'failed'; readonly why: 'unreachable' | 'stale-connection'; readonly cause: Error };

export class ApiProxy {
  readonly #times: ProxyTimes;
  readonly #pools: Pools;
  readonly #server;
  readonly #underWay = new WeakMap<IncomingMessage, { readonly heard: (answer: IncomingMessage) => void; readonly sent: (request: ClientRequest) => void }>();

  constructor(times: ProxyTimes, pools: Pools) {
    this.#times = times;
    this.#pools = pools;
    this.#server = createProxyServer({ selfHandleResponse: true, proxyTimeout: times.answerTimeoutMs, secure: true });
    this.#server.on('proxyReq', (sent, request) => this.#underWay.get(request)?.sent(sent));
    this.#server.on('proxyRes', (answer, request) => this.#underWay.get(request)?.heard(answer));
  }

  /** Passes the request on. Resolves when the answer is over or the client has left; never rejects. */
  async run(errand: Errand): Promise<Outcome> {
    const { request, response, target, headers, body, length } = errand;
    const agent = length === 'short' ? this.#pools.forRequests(target) : this.#pools.forStreams(target);
    const watch = new RequestWatch(response, this.#times.connectTimeoutMs);
    const outcome = new Promise<Outcome>((resolve) => {
      // http-proxy says nothing of an errand whose client left.
      watch.onClientLeft(() => resolve({ kind: 'answered' }));
      this.#underWay.set(request, {
        sent: (sent) => watch.follow(sent),
        heard: (answer) => {
          passBack(answer, errand).then(resolve, (cause: unknown) => resolve(failed(watch, cause)));
        },
      });
      const options = { target: { protocol: 'https:', host: target.host, port: target.port }, agent, headers: { ...headers, ...framingOf(body) } };
      const buffer = body === undefined ? {} : { buffer: Readable.from(body.length === 0 ? [] : [body]) };
      this.#server.web(request, response, { ...options, ...buffer }, (cause) => resolve(failed(watch, cause)));
    });
    try {
      return await outcome;
    } finally {
      watch.end();
      this.#underWay.delete(request);
    }
  }
}

/** Keeps an eye on the request to the back-end: it ends when the client leaves, and has to connect in time. */
class RequestWatch {
  readonly #response: ServerResponse;
  readonly #connectTimeoutMs: number;
  #sent: ClientRequest | undefined;
  #connecting: NodeJS.Timeout | undefined;
  #tell: () => void = () => undefined;

  constructor(response: ServerResponse, connectTimeoutMs: number) {
    this.#response = response;
    this.#connectTimeoutMs = connectTimeoutMs;
    response.once('close', this.#closed);
  }

  onClientLeft(tell: () => void): void {
    this.#tell = tell;
  }

  follow(sent: ClientRequest): void {
    this.#sent = sent;
    if (this.#response.destroyed) sent.destroy();
    const giveUp = (): void => {
      if (sent.socket === null || sent.socket.connecting) sent.destroy(new Error('no connection in time'));
    };
    // A process that was busy hears of the time first and of the connection, which may stand, a moment later.
    this.#connecting = setTimeout(() => setImmediate(giveUp), this.#connectTimeoutMs);
  }

  get usedKeptConnection(): boolean {
    return this.#sent?.reusedSocket === true;
  }

  end(): void {
    clearTimeout(this.#connecting);
    this.#response.off('close', this.#closed);
  }

  readonly #closed = (): void => {
    if (this.#response.writableFinished) return;
    this.#sent?.destroy();
    this.#tell();
  };
}

/** A body that we hold says its length, always: without one, what the client put there would be read as a request of ours. */
function framingOf(body: Buffer | undefined): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(body.length) };
}

function failed(watch: RequestWatch, thrown: unknown): Outcome {
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const reset = 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
  return { kind: 'failed', why: reset && watch.usedKeptConnection ? 'stale-connection' : 'unreachable', cause };
}

async function passBack(answer: IncomingMessage, { response, onEpoch }: Errand): Promise<Outcome> {
  if (answer.statusCode === 421) {
    answer.resume();
    const node = answer.headers[nodeHeader];
    return { kind: 'referred', node: typeof node === 'string' ? node : undefined };
  }
  const epoch = Number(answer.headers[epochHeader]);
  if (Number.isInteger(epoch)) onEpoch(epoch);
  for (const [name, value] of Object.entries(passedBack(answer.headers))) response.setHeader(name, value);
  response.writeHead(answer.statusCode ?? 502);
  response.flushHeaders();
  await pipeline(answer, response).catch(() => response.destroy()); // half an answer must not look whole
  return { kind: 'answered' };
}
