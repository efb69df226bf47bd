/**
 * One socket of a line protocol, client's or server's side: lines, counted bytes, backpressure, idle time, TLS upgrade, compression.
 * It knows no protocol. Used by every IMAP, POP3 and SMTP conversation of ours that smtp-server does not hold.
 */
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import * as tls from 'node:tls';
import { Failure } from '../base/failure.ts';
import type { Tap } from '../log/wire-lines.ts';
import { compress } from './compression.ts';
import { drained } from './drained.ts';
import { handshake } from './handshake.ts';
import { Input } from './input.ts';
import { judgePeer, limitChain } from './peer-verdict.ts';
import { plainAddress } from './plain-address.ts';
import type { SessionSlot } from '../workers/command-slots.ts';
import type { ServerTls } from './server-tls.ts';
import { clientSpeaksTls } from './socket-client.ts';

export type AnySocket = Socket | tls.TLSSocket;

export interface ConnectionOptions {
  /** A longer line is an error, and nothing more can be read. */
  readonly maxLineBytes: number;
  /** Without a byte in either direction for so long, the pending read fails with `timed-out`. 0: never. */
  readonly idleTimeoutMs: number;
  /** The place that the session's commands work in, given up while they wait for the peer. */
  readonly slot?: SessionSlot | undefined;
}

/** What a socket bears while it belongs to a connection, so that all of them share the same handlers. */
const holder = Symbol('connection');
type HeldSocket = AnySocket & { [holder]: Connection };

export class Connection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #input: Input;
  readonly #slot: SessionSlot | undefined;
  #socket: AnySocket;
  /** What is written to: the socket, or what compresses for it. */
  #sink: Writable;
  #compression: 'none' | 'deflate' = 'none';
  #idleTimeoutMs: number;
  #closing: PromiseWithResolvers<void> | undefined;
  #gone = false;
  #cut: NodeJS.Timeout | undefined;
  #givenAway = false;
  #tap: Tap | undefined;

  constructor(socket: AnySocket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#sink = socket;
    this.#slot = options.slot;
    this.#input = new Input({ maxLineBytes: options.maxLineBytes, whileWaiting: (wait) => this.#wait(wait) });
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.remoteAddress = plainAddress(socket.remoteAddress ?? 'unknown');
    this.remotePort = socket.remotePort ?? 0;
    this.#attach(socket);
  }

  /** Resolves when the socket is gone, however that came; or given away. */
  get closed(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers<void>();
      if (this.#gone) this.#closing.resolve();
    }
    return this.#closing.promise;
  }

  /** The socket itself, for what only TLS knows (peer certificate, exporter). Don't read from it. */
  get socket(): AnySocket {
    return this.#socket;
  }

  /** Our own end. */
  get local(): { readonly address: string; readonly port: number } {
    return { address: plainAddress(this.#socket.localAddress ?? ''), port: this.#socket.localPort ?? 0 };
  }

  /** By TLS with us, or with a load balancer whose word on it counts. */
  get encrypted(): boolean {
    return this.#socket instanceof tls.TLSSocket || clientSpeaksTls(this.#socket);
  }

  get compression(): 'none' | 'deflate' {
    return this.#compression;
  }

  /** True when the peer says nothing more; what it has said may still be there. */
  get inputEnded(): boolean {
    return this.#input.ended;
  }

  /** True when a line can be read without waiting. */
  get hasLine(): boolean {
    return this.#input.hasLine;
  }

  /** Received and not yet read, bytes. */
  get bufferedBytes(): number {
    return this.#input.length;
  }

  /** Throws away what came ahead of a TLS handshake: it was not protected (RFC 3207 section 4.2). */
  discardBuffered(): void {
    this.#input.take();
  }

  /** From now on, with what is received already, everything is shown to the tap as well. */
  watch(tap: Tap | undefined): void {
    this.#tap = tap;
    this.#input.watch(tap);
  }

  setIdleTimeout(idleTimeoutMs: number): void {
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#socket.setTimeout(idleTimeoutMs);
  }

  /**
   * The next line as latin1 text, without its CRLF (or lone LF); undefined at the end of the stream (an unfinished
   * line is dropped). Fails with `bad-input` for an overlong line, `timed-out` after the idle time.
   */
  readLine(): Promise<string | undefined> {
    return this.#input.readLine();
  }

  /** The same where all of the line is here; undefined where it is not. */
  takeLine(): string | undefined {
    return this.#input.takeLine();
  }

  /** As `readLine`, ahead of time: no command waits for it, so none gives its place up meanwhile. */
  readLineAhead(): Promise<string | undefined> {
    return this.#input.readLine((wait) => wait());
  }

  /** Exactly `length` bytes; fails with `bad-input` when the stream ends before. For small counts: it holds them all. */
  readBytes(length: number): Promise<Buffer> {
    return this.#input.readBytes(length);
  }

  /** The same in the pieces in which they came, where all of them are here; undefined where they are not. */
  takePieces(length: number): readonly Buffer[] | undefined {
    return this.#input.takePieces(length);
  }

  /** `length` bytes in pieces as they come. Must be read to its end before the next read; fails as readBytes does. */
  readStream(length: number): AsyncGenerator<Buffer, void, void> {
    return this.#input.readStream(length);
  }

  /**
   * Sends text (as latin1) or bytes. Resolves when the socket wants more, at once if it is not full; also when it is gone.
   * @param whenLeft called once, when nobody looks at the bytes any more
   */
  async write(data: string | Buffer, whenLeft?: () => void): Promise<void> {
    if (this.#givenAway || this.#socket.destroyed || !this.#sink.writable) {
      whenLeft?.();
      return;
    }
    this.#tap?.sent(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    const wantsMore = typeof data === 'string' ? this.#sink.write(data, 'latin1', whenLeft) : this.#sink.write(data, whenLeft);
    if (!wantsMore) await this.#wait(() => drained(this.#sink));
  }

  /** Continues as the server of a TLS handshake (STARTTLS, STLS). Anything buffered before is discarded. */
  async startTlsAsServer(serverTls: ServerTls): Promise<void> {
    this.discardBuffered();
    const plain = this.#release();
    const socket = new tls.TLSSocket(plain, serverTls.handshake);
    await handshake(socket, 'secure');
    this.#attach(socket);
    if (serverTls.handshake.requestCert) judgePeer(socket);
    limitChain(socket, serverTls.maxChainDepth);
  }

  /** Continues as the client of a TLS handshake. Fails with `backend-unavailable` when it does not come about. */
  async startTlsAsClient(options: tls.ConnectionOptions): Promise<void> {
    this.discardBuffered();
    const socket = tls.connect({ ...options, socket: this.#release() });
    await handshake(socket, 'secureConnect');
    this.#attach(socket);
  }

  /** From now on all is compressed, both ways (RFC 4978), above TLS. What was received and not read belongs to it already. Neither TLS nor `detach` may follow. */
  startCompression(): void {
    this.#input.letGo();
    const { source, sink } = compress(this.#socket, this.#input.take());
    source.on('error', () => this.#input.end(new Failure('bad-input', 'that is no DEFLATE stream')));
    sink.on('error', () => this.destroy());
    this.#socket.on('close', () => {
      source.destroy();
      sink.destroy();
    });
    this.#input.from(source);
    this.#sink = sink;
    this.#compression = 'deflate';
  }

  /** Gives the socket away, with what was received and not read. This object is of no use afterwards: nothing that is done with it reaches the socket. */
  detach(): { readonly socket: AnySocket; readonly pending: Buffer } {
    const pending = this.#input.take();
    const socket = this.#release();
    socket.off('close', Connection.#onClose);
    this.#givenAway = true;
    this.#over();
    return { socket, pending };
  }

  /** Sends the last words, if any, then closes our side; cuts the line when the peer does not close its own soon. */
  end(lastWords?: string): void {
    if (this.#givenAway || this.#socket.destroyed || this.#sink.writableEnded) return; // the first goodbye counts
    const bytes = Buffer.from(lastWords ?? '', 'latin1');
    this.#tap?.sent(bytes);
    this.#sink.end(bytes);
    const socket = this.#socket;
    this.#cut = setTimeout(() => socket.destroy(), 2000).unref();
  }

  destroy(): void {
    if (!this.#givenAway) this.#socket.destroy();
  }

  #attach(socket: AnySocket): void {
    this.#socket = socket;
    this.#sink = socket;
    (socket as HeldSocket)[holder] = this;
    this.#input.from(socket);
    socket.on('error', Connection.#onError);
    socket.on('close', Connection.#onClose);
    socket.on('timeout', Connection.#onTimeout);
    socket.setTimeout(this.#idleTimeoutMs);
    socket.setNoDelay(true);
    socket.resume();
  }

  #release(): AnySocket {
    const socket = this.#socket;
    socket.pause();
    this.#input.letGo();
    socket.off('timeout', Connection.#onTimeout);
    socket.off('error', Connection.#onError);
    socket.setTimeout(0);
    return socket;
  }

  static #onError(this: HeldSocket, error: Error): void {
    this[holder].#input.end(error);
  }

  static #onClose(this: HeldSocket): void {
    this[holder].#over();
  }

  /** With nobody reading, silence means that the peer doesn't take our bytes (if some are left) or that we are at work. */
  static #onTimeout(this: HeldSocket): void {
    const input = this[holder].#input;
    if (input.awaited) input.end(new Failure('timed-out', 'idle for too long'));
    else if (this.writableLength > 0) this.destroy();
  }

  #over(): void {
    this.#gone = true;
    clearTimeout(this.#cut); // it would hold all of a short session for longer than that lasted
    this.#closing?.resolve();
    this.#input.end();
  }

  /** Waits for the peer. */
  #wait(wait: () => Promise<void>): Promise<void> {
    return this.#slot === undefined ? wait() : this.#slot.without(wait);
  }
}
