/**
 * One socket of a line protocol, client's or server's side: lines, counted bytes, backpressure, idle time, TLS upgrade.
 * It knows no protocol. Used by every IMAP, POP3 and SMTP conversation of ours that smtp-server does not hold.
 */
import type { Socket } from 'node:net';
import * as tls from 'node:tls';
import { Failure } from '../base/failure.ts';
import type { Tap } from '../log/wire-lines.ts';
import { drained } from './drained.ts';
import { handshake } from './handshake.ts';
import { judgePeer, limitChain } from './peer-verdict.ts';
import { plainAddress } from './plain-address.ts';
import { ReceivedBytes } from './received-bytes.ts';
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

/** Received and not yet read: above this the socket is paused. */
const highWaterBytes = 256 * 1024;
/** What a socket bears while a connection reads from it, so that all of them share the same handlers. */
const reader = Symbol('reader');
type ReadSocket = AnySocket & { [reader]: Connection };

export class Connection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #maxLineBytes: number;
  readonly #slot: SessionSlot | undefined;
  #socket: AnySocket;
  readonly #pending = new ReceivedBytes();
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #idleTimeoutMs: number;
  #closing: PromiseWithResolvers<void> | undefined;
  #gone = false;
  #givenAway = false;
  #tap: Tap | undefined;

  constructor(socket: AnySocket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#maxLineBytes = options.maxLineBytes;
    this.#slot = options.slot;
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

  /** True when the peer says nothing more; what it has said may still be there. */
  get inputEnded(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  /** True when a line can be read without waiting. */
  get hasLine(): boolean {
    return this.#pending.hasLine;
  }

  /** Received and not yet read, bytes. */
  get bufferedBytes(): number {
    return this.#pending.length;
  }

  /** Throws away what came ahead of a TLS handshake: it was not protected (RFC 3207 section 4.2). */
  discardBuffered(): void {
    this.#pending.take();
  }

  /** From now on, with what is received already, everything is shown to the tap as well. */
  watch(tap: Tap | undefined): void {
    this.#tap = tap;
    if (this.#pending.length > 0) tap?.received(this.#pending.all);
  }

  setIdleTimeout(idleTimeoutMs: number): void {
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#socket.setTimeout(idleTimeoutMs);
  }

  /**
   * The next line as latin1 text, without its CRLF (or lone LF); undefined at the end of the stream (an unfinished
   * line is dropped). Fails with `bad-input` for an overlong line, `timed-out` after the idle time.
   */
  async readLine(): Promise<string | undefined> {
    for (;;) {
      const read = this.#pending.takeLine(this.#maxLineBytes);
      if (read.kind === 'too-long') throw (this.#failure = new Failure('bad-input', `line too long: at most ${String(this.#maxLineBytes)} bytes`));
      if (read.kind === 'line') {
        this.#goOn();
        return read.text;
      }
      if (!(await this.#more())) return undefined;
    }
  }

  /** Exactly `length` bytes; fails with `bad-input` when the stream ends before. For small counts: it holds them all. */
  async readBytes(length: number): Promise<Buffer> {
    while (this.#pending.length < length) {
      if (!(await this.#more())) throw new Failure('bad-input', 'connection closed in the middle of data');
    }
    const bytes = this.#pending.take(length);
    this.#goOn();
    return bytes;
  }

  /** `length` bytes in pieces as they come. Must be read to its end before the next read; fails as readBytes does. */
  async *readStream(length: number): AsyncGenerator<Buffer, void, void> {
    let left = length;
    while (left > 0) {
      if (this.#pending.length === 0 && !(await this.#more())) {
        throw new Failure('bad-input', 'connection closed in the middle of data');
      }
      const piece = this.#pending.take(left);
      this.#goOn();
      left -= piece.length;
      yield piece;
    }
  }

  /** Sends text (as latin1) or bytes. Resolves when the socket wants more, at once if it is not full; also when it is gone. */
  async write(data: string | Buffer): Promise<void> {
    if (this.#givenAway || this.#socket.destroyed || !this.#socket.writable) return;
    this.#tap?.sent(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    const wantsMore = typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
    if (!wantsMore) await this.#wait(async () => drained(this.#socket));
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

  /** Gives the socket away, with what was received and not read. This object is of no use afterwards: nothing that is done with it reaches the socket. */
  detach(): { readonly socket: AnySocket; readonly pending: Buffer } {
    const pending = this.#pending.take();
    const socket = this.#release();
    socket.off('close', Connection.#onClose);
    this.#givenAway = true;
    this.#over();
    return { socket, pending };
  }

  /** Sends the last words, if any, then closes our side; cuts the line when the peer does not close its own soon. */
  end(lastWords?: string): void {
    if (this.#givenAway || this.#socket.destroyed || this.#socket.writableEnded) return; // the first goodbye counts
    const bytes = Buffer.from(lastWords ?? '', 'latin1');
    this.#tap?.sent(bytes);
    this.#socket.end(bytes);
    const socket = this.#socket;
    setTimeout(() => socket.destroy(), 2000).unref();
  }

  destroy(): void {
    if (!this.#givenAway) this.#socket.destroy();
  }

  #attach(socket: AnySocket): void {
    this.#socket = socket;
    (socket as ReadSocket)[reader] = this;
    socket.on('data', Connection.#onData);
    socket.on('end', Connection.#onEnd);
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
    socket.off('data', Connection.#onData);
    socket.off('end', Connection.#onEnd);
    socket.off('timeout', Connection.#onTimeout);
    socket.off('error', Connection.#onError);
    socket.setTimeout(0);
    return socket;
  }

  static #onData(this: ReadSocket, chunk: Buffer): void {
    const connection = this[reader];
    connection.#tap?.received(chunk);
    connection.#pending.add(chunk);
    if (connection.#pending.length > highWaterBytes) this.pause();
    connection.#wakeReader();
  }

  static #onEnd(this: ReadSocket): void {
    this[reader].#ended = true;
    this[reader].#wakeReader();
  }

  static #onError(this: ReadSocket, error: Error): void {
    this[reader].#failure ??= error;
    this[reader].#wakeReader();
  }

  static #onClose(this: ReadSocket): void {
    this[reader].#over();
  }

  /** With nobody reading, silence means that the peer doesn't take our bytes (if some are left) or that we are at work. */
  static #onTimeout(this: ReadSocket): void {
    const connection = this[reader];
    if (connection.#wake !== undefined) {
      connection.#failure ??= new Failure('timed-out', 'idle for too long');
      connection.#wakeReader();
    } else if (this.writableLength > 0) {
      this.destroy();
    }
  }

  #over(): void {
    this.#ended = true;
    this.#gone = true;
    this.#closing?.resolve();
    this.#wakeReader();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Something was read, so there is room for more. */
  #goOn(): void {
    if (this.#socket.isPaused() && this.#pending.length < highWaterBytes) this.#socket.resume();
  }

  /** Waits for the peer. */
  async #wait(wait: () => Promise<void>): Promise<void> {
    await (this.#slot === undefined ? wait() : this.#slot.without(wait));
  }

  /** Waits for more input; false at the end of the stream. A reset by the peer is an end; our own failures are thrown. */
  async #more(): Promise<boolean> {
    const before = this.#pending.length;
    while (this.#pending.length === before) {
      if (this.#failure instanceof Failure) throw this.#failure;
      if (this.#ended || this.#failure !== undefined) return false;
      if (this.#socket.isPaused()) this.#socket.resume(); // who waits needs more than the high-water mark
      await this.#wait(async () => new Promise<void>((resolve) => {
        this.#wake = resolve;
      }));
    }
    return true;
  }
}
