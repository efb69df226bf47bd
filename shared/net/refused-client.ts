/** The last words to a client that is not let in because of a limit, in its protocol; who is denied by a rule hears nothing. */
import type { Socket } from 'node:net';
import * as tls from 'node:tls';
import type { Refusal } from '../access/door.ts';
import type { HandshakeOptions } from './server-tls.ts';

export type SpokenProtocol = 'smtp' | 'imap' | 'pop3' | 'http';

/** A refusal for which there are words. */
type Full = Exclude<Refusal, { kind: 'denied' }>;

/** Clients that are being told at the same time, for each listener and worker; more are just cut. */
const mostAtOnce = 50;
/** How long one may take to listen, its TLS handshake included. */
const patienceMs = 5000;

/** RFC 5321 section 3.8 and RFC 3463 (4.7.0), RFC 5530 (UNAVAILABLE), RFC 3206 (SYS/TEMP), RFC 6585 section 4 and RFC 9110 section 15.6.4. */
const words: Record<SpokenProtocol, (refusal: Full) => string> = {
  smtp: (refusal) => `421 4.7.0 ${reason(refusal)}, try again later\r\n`,
  imap: (refusal) => `* BYE [UNAVAILABLE] ${reason(refusal)}, try again later\r\n`,
  pop3: (refusal) => `-ERR [SYS/TEMP] ${reason(refusal)}, try again later\r\n`,
  http: (refusal) => {
    const body = `${JSON.stringify({ error: { kind: 'limit', text: `${reason(refusal)}, try again later` } })}\n`;
    return `HTTP/1.1 ${isOwn(refusal) ? '429 Too Many Requests' : '503 Service Unavailable'}\r\nretry-after: ${String(refusal.retryAfterSeconds)}\r\n`
      + `content-type: application/json; charset=utf-8\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n${body}`;
  },
};

function reason(refusal: Full): string {
  return isOwn(refusal) ? 'too many connections from your address' : 'too many connections';
}

function isOwn({ kind }: Full): boolean {
  return kind === 'peerMaxConnections' || kind === 'peerMaxIntervalConnections';
}

export class RefusedClients {
  readonly #protocol: SpokenProtocol;
  readonly #handshake: HandshakeOptions | undefined;
  #listening = 0;

  /** @param handshake where TLS comes first */
  constructor(protocol: SpokenProtocol, handshake: HandshakeOptions | undefined) {
    this.#protocol = protocol;
    this.#handshake = handshake;
  }

  /** Tells the client, as far as there are words and not too many others to be told, and ends the connection. */
  dismiss(socket: Socket, refusal: Refusal): void {
    if (refusal.kind === 'denied' || this.#listening >= mostAtOnce || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.#listening += 1;
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#listening -= 1;
    });
    this.#say(socket, words[this.#protocol](refusal));
  }

  #say(socket: Socket, text: string): void {
    const stream = this.#handshake === undefined ? socket : new tls.TLSSocket(socket, { ...this.#handshake, requestCert: false });
    for (const each of new Set([socket, stream])) each.on('error', () => socket.destroy());
    const say = (): void => {
      stream.end(text);
      stream.resume(); // what the client says is not read, but an unread rest would cut our words
      stream.once('end', () => socket.destroySoon());
    };
    if (this.#protocol === 'http') stream.once('data', say);
    else if (stream instanceof tls.TLSSocket) stream.once('secure', say);
    else say();
  }
}
