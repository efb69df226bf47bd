/**
 * Joins a client's WebSocket with its back-end's: the handshake goes there, and after its 101 the bytes flow both ways. By
 * hand, because http-proxy passes every answer to a handshake straight to the client, a referral too, and tells nobody of it.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Upgrade } from '../../shared/http/http-service.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import { splice } from '../../shared/net/splice.ts';
import { nodeHeader } from '../../shared/session-cookie/session-headers.ts';
import type { BackendTarget, Pools } from './pools.ts';
import type { Outcome, ProxyTimes } from './proxy.ts';
import { passedBack } from './response-headers.ts';

export interface WebSocketTimes extends ProxyTimes {
  /** Silence of both sides after which they are cut; heartbeats are no silence. */
  readonly idleTimeoutMs: number;
}

export class WebSockets {
  readonly #times: WebSocketTimes;
  readonly #pools: Pools;
  readonly #open = new Set<Duplex>();

  constructor(times: WebSocketTimes, pools: Pools) {
    this.#times = times;
    this.#pools = pools;
  }

  /** Resolves when the connection is joined or refused in the back-end's words (`answered`), or nothing was told to the client; never rejects. */
  async join(upgrade: Upgrade, target: BackendTarget, headers: Readonly<Record<string, string>>): Promise<Outcome> {
    const { request, socket } = upgrade;
    const { host, port } = target;
    const sent = httpsRequest({
      host, port, path: request.url, method: 'GET', agent: this.#pools.forStreams(target), setHost: false,
      headers: { ...request.headers, ...headers, connection: 'Upgrade', upgrade: 'websocket' },
    });
    const left = (): void => void sent.destroy(new Error('the client has left'));
    socket.once('close', left);
    try {
      const answer = await this.#answerTo(sent);
      if (socket.destroyed) return { kind: 'answered' };
      if (answer.kind === 'refused') return await refuse(answer.response, socket, this.#times.answerTimeoutMs);
      this.#splice(upgrade, answer);
      return { kind: 'answered' };
    } catch (thrown) {
      sent.destroy();
      return socket.destroyed ? { kind: 'answered' } : { kind: 'failed', why: 'unreachable', cause: thrown instanceof Error ? thrown : new Error(String(thrown)) };
    } finally {
      socket.off('close', left);
    }
  }

  /** Ends all of them: the pages connect to another worker or node. */
  stop(): void {
    for (const socket of this.#open) socket.end();
  }

  async #answerTo(sent: ClientRequest): Promise<HandshakeAnswer> {
    const { connectTimeoutMs, answerTimeoutMs } = this.#times;
    const timer = setTimeout(() => sent.destroy(new Error('no answer in time')), connectTimeoutMs + answerTimeoutMs);
    try {
      return await new Promise<HandshakeAnswer>((resolve, reject) => {
        sent.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => resolve({ kind: 'joined', response, socket, head }));
        sent.once('response', (response: IncomingMessage) => resolve({ kind: 'refused', response }));
        sent.on('error', reject);
        sent.end();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #splice({ socket: client, head: early }: Upgrade, { response, socket: server, head }: Extract<HandshakeAnswer, { kind: 'joined' }>): void {
    if (!isSocket(client) || !isSocket(server)) throw new TypeError('a WebSocket is on a connection of the network');
    const fields = Object.entries(passedBack(response.headers)).flatMap(([name, value]) => [value].flat().map((each) => `${name}: ${each}\r\n`));
    client.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n${fields.join('')}\r\n`, 'latin1');
    if (head.length > 0) client.write(head);
    if (early.length > 0) server.write(early);
    client.setTimeout(0);
    server.setTimeout(0);
    this.#open.add(client);
    void splice(client, server, { idleTimeoutMs: this.#times.idleTimeoutMs }).finally(() => this.#open.delete(client));
  }
}

function isSocket(stream: Duplex): stream is AnySocket {
  return 'bytesRead' in stream && 'setTimeout' in stream;
}

type HandshakeAnswer =
  | { readonly kind: 'joined'; readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly response: IncomingMessage };

/** The longest refusal that is passed on; ours are two lines. */
const longestRefusalBytes = 16 * 1024;

/** Tells the client what the back-end said instead of 101. A referral is for the caller. @throws Error for a refusal that is too long, or stops for `silenceMs` */
async function refuse(response: IncomingMessage, socket: Duplex, silenceMs: number): Promise<Outcome> {
  if (response.statusCode === 421) {
    response.resume();
    const node = response.headers[nodeHeader];
    return { kind: 'referred', node: typeof node === 'string' ? node : undefined };
  }
  response.setTimeout(silenceMs, () => response.destroy(new Error('the refusal has no end')));
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > longestRefusalBytes) throw new Error('the refusal is too long');
    pieces.push(piece);
  }
  const body = Buffer.concat(pieces);
  const { 'retry-after': retryAfter, 'content-type': type = 'application/json' } = response.headers;
  const fields = [`content-type: ${type}`, `content-length: ${String(body.length)}`, 'cache-control: no-store', 'connection: close', ...(retryAfter === undefined ? [] : [`retry-after: ${retryAfter}`])];
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${String(response.statusCode)} ${response.statusMessage ?? ''}\r\n${fields.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
  return { kind: 'answered' };
}
