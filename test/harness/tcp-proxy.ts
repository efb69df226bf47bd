/** A TCP proxy that behaves badly on request, to stand between a client and a real server in tests. */
import { once } from 'node:events';
import * as net from 'node:net';

/**
 * `pass`: as it should be; `hang`: accepts and says nothing; `slow`: answers come late; `cut`: ends the connection after some
 * bytes of the answer; `nonsense`: answers with bytes of another protocol; `refuse`: nobody listens.
 */
export type Behaviour =
  | { readonly kind: 'pass' | 'hang' | 'refuse' }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'nonsense'; readonly bytes: Buffer };

export class TcpProxy {
  readonly #target: number;
  readonly #sockets = new Set<net.Socket>();
  #server: net.Server | undefined;
  #port = 0;
  /** May be changed at any time; open connections follow. */
  behaviour: Behaviour = { kind: 'pass' };
  /** Connections taken so far. */
  accepted = 0;
  /** How often something of a client's has gone through. */
  forwarded = 0;
  /** Bytes of clients that a hanging proxy has kept to itself. */
  swallowed = 0;

  private constructor(target: number) {
    this.#target = target;
  }

  /** Listens on a free loopback port, in front of the loopback port `target`. */
  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Stops listening and cuts all connections. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cutAll();
    if (server === undefined) return;
    server.close();
    await once(server, 'close');
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.#server === undefined) await this.#listen();
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(): Promise<void> {
    const server = net.createServer((client) => { this.#serve(client); });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as net.AddressInfo).port;
  }

  #serve(client: net.Socket): void {
    this.accepted += 1;
    const upstream = net.connect(this.#target, '127.0.0.1');
    let answered = 0;
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (data) => {
      if (this.behaviour.kind === 'nonsense') client.write(this.behaviour.bytes);
      else if (this.behaviour.kind === 'hang') this.swallowed += data.length;
      else {
        this.forwarded += 1;
        passOn(data, { from: client, to: upstream });
      }
    });
    upstream.on('data', (data) => {
      const { behaviour } = this;
      if (behaviour.kind === 'slow') {
        setTimeout(() => { if (!client.destroyed) client.write(data); }, behaviour.delayMs);
      } else if (behaviour.kind === 'cut') {
        const rest = Math.max(0, behaviour.afterBytes - answered);
        answered += data.length;
        client.write(data.subarray(0, rest), () => { if (answered > behaviour.afterBytes) client.destroy(); });
      } else if (behaviour.kind === 'pass') {
        passOn(data, { from: upstream, to: client });
      }
    });
  }
}

/** Who reads slowly is waited for, as on any network. */
function passOn(data: Buffer, { from, to }: { readonly from: net.Socket; readonly to: net.Socket }): void {
  if (to.write(data)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
