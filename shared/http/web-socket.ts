/** A WebSocket on which we speak and the other side listens: handshake, heartbeat, and an orderly end. */
import type { Duplex } from 'node:stream';
import { Failure } from '../base/failure.ts';
import type { Upgrade } from './http-service.ts';
import { ControlFrames, acceptanceOf, closeCodes, closeFrame, frameOf } from './web-socket-frames.ts';
import type { Received } from './web-socket-frames.ts';

/** Bytes that may wait for a client that doesn't read; a slower one is cut. */
const longestBacklogBytes = 64 * 1024;
/** How long the other side may take to answer our close. */
const closeTimeoutMs = 2000;

export class SpeakingSocket {
  readonly #socket: Duplex;
  readonly #frames = new ControlFrames();
  #heard: 'since the last ping' | 'nothing' = 'since the last ping';
  #state: 'open' | 'closing' = 'open';

  /** Answers the handshake. @throws Failure('bad-input') when the request is none */
  constructor({ request, socket, head }: Pick<Upgrade, 'request' | 'socket' | 'head'>) {
    const acceptance = acceptanceOf(request.headers);
    if (request.method !== 'GET' || acceptance === undefined) throw new Failure('bad-input', 'This is no WebSocket request of version 13.');
    this.#socket = socket;
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${acceptance}\r\n\r\n`);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => socket.end());
    this.#receive(head);
  }

  /** Runs when the connection is gone. */
  onClose(listener: () => void): void {
    if (this.#socket.destroyed) listener();
    else this.#socket.once('close', listener);
  }

  send(text: string): void {
    this.#write(frameOf('text', Buffer.from(text)));
  }

  /** Asks for a sign of life, and cuts a connection that gave none since it was asked before. */
  ping(): void {
    if (this.#heard === 'nothing') this.#socket.destroy();
    this.#heard = 'nothing';
    this.#write(frameOf('ping', Buffer.alloc(0)));
  }

  close(code: number): void {
    if (this.#state === 'closing') return;
    this.#write(closeFrame(code));
    this.#state = 'closing';
    setTimeout(() => this.#socket.destroy(), closeTimeoutMs).unref();
  }

  #write(frame: Buffer): void {
    if (this.#state === 'closing' || !this.#socket.writable) return;
    if (this.#socket.writableLength > longestBacklogBytes) this.#socket.destroy();
    else this.#socket.write(frame);
  }

  #receive(bytes: Buffer): void {
    this.#heard = 'since the last ping';
    for (const received of this.#frames.push(bytes)) this.#answer(received);
  }

  #answer(received: Received): void {
    if (received.kind === 'ping') this.#write(frameOf('pong', received.payload));
    if (received.kind === 'refused') this.close(received.code);
    if (received.kind === 'close') {
      this.close(closeCodes.normal);
      this.#socket.end();
    }
  }
}
