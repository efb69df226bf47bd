/** The mail program of the bench: as little work for the client as can be, so that the servers' work is what is measured. */
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Leg, Protocol } from './servers.ts';

export interface Target {
  readonly protocol: Protocol;
  readonly leg: Leg;
  readonly port: number;
  /** Resumes the last TLS session with the same target where that is wanted: one that is kept here. */
  readonly resumption?: { session: Buffer | undefined; resumed: number } | undefined;
}

/** Far beyond what any server needs; counts only while a reply is awaited. */
const replyTimeoutMs = 120_000;

/** Text that a server sends, waited for by how a line begins. */
export class Talk {
  readonly socket: Socket | TLSSocket;
  #text = '';
  #awaited: { readonly beginning: string; readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #over: Error | undefined;

  constructor(socket: Socket | TLSSocket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => {
      this.#text += data.toString('latin1');
      this.#check();
    });
    socket.on('error', (error: Error) => this.#fail(error));
    socket.on('timeout', () => socket.destroy(new Error('no reply in time')));
    socket.on('close', () => this.#fail(new Error(`closed; last words: ${this.#text.slice(-200)}`)));
  }

  /** Sends and waits for a line that begins so; what came before it is dropped. Rejects on NO, BAD and -ERR. */
  async say(command: string, beginning: string): Promise<void> {
    this.socket.write(command);
    await this.hear(beginning);
  }

  async hear(beginning: string): Promise<void> {
    this.socket.setTimeout(replyTimeoutMs);
    await new Promise<void>((resolve, reject) => {
      this.#awaited = { beginning, resolve, reject };
      if (this.#over !== undefined) this.#fail(this.#over);
      else this.#check();
    });
  }

  /** Whether the server still holds the connection. */
  get open(): boolean {
    return this.#over === undefined;
  }

  end(): void {
    this.socket.destroy();
  }

  #check(): void {
    const awaited = this.#awaited;
    if (awaited === undefined || !this.#text.endsWith('\r\n')) return;
    const lastLine = this.#text.slice(this.#text.lastIndexOf('\n', this.#text.length - 2) + 1);
    if (lastLine.startsWith(awaited.beginning)) {
      this.#text = '';
      this.#awaited = undefined;
      this.socket.setTimeout(0);
      awaited.resolve();
    } else if (/^(\w+ (NO|BAD)|\* BYE|-ERR)/.test(lastLine)) this.#fail(new Error(lastLine.trim()));
  }

  #fail(error: Error): void {
    this.#over = error;
    const awaited = this.#awaited;
    this.#awaited = undefined;
    awaited?.reject(error);
  }
}

/** Connects and waits for the greeting. */
export async function open({ protocol, leg, port, resumption }: Target): Promise<Talk> {
  const talk = new Talk(leg === 'plain' ? connectPlain(port, '127.0.0.1') : tlsSocket(port, resumption));
  await talk.hear(protocol === 'imap' ? '* OK' : '+OK');
  return talk;
}

/**
 * One key exchange for all, so that all do the same work: left alone, Node agrees with Node on a hybrid with ML-KEM (0.3 ms on
 * each side), which the OpenSSL of Debian's servers does not know.
 */
const keyExchange = 'X25519';

function tlsSocket(port: number, resumption: Target['resumption']): TLSSocket {
  const socket = connectTls({
    port, host: '127.0.0.1', rejectUnauthorized: false, ecdhCurve: keyExchange, ...(resumption?.session === undefined ? {} : { session: resumption.session }),
  });
  if (resumption === undefined) return socket;
  socket.on('session', (session: Buffer) => { resumption.session = session; });
  socket.once('secureConnect', () => { if (socket.isSessionReused()) resumption.resumed += 1; });
  return socket;
}

export async function logIn(talk: Talk, protocol: Protocol, user: { readonly name: string; readonly password: string }): Promise<void> {
  if (protocol === 'imap') {
    await talk.say(`a LOGIN ${user.name} ${user.password}\r\n`, 'a OK');
    return;
  }
  await talk.say(`USER ${user.name}\r\n`, '+OK');
  await talk.say(`PASS ${user.password}\r\n`, '+OK');
}

/** A whole short session: log in, look, log out. */
export async function shortSession(target: Target, user: { readonly name: string; readonly password: string }): Promise<void> {
  const talk = await open(target);
  try {
    await logIn(talk, target.protocol, user);
    if (target.protocol === 'imap') {
      await talk.say('b SELECT INBOX\r\n', 'b OK');
      await talk.say('c LOGOUT\r\n', 'c OK');
    } else {
      await talk.say('STAT\r\n', '+OK');
      await talk.say('QUIT\r\n', '+OK');
    }
  } finally {
    talk.end();
  }
}

/** Reads a whole message so and so often, once at least; answers the bytes that came. The reply is counted, not kept. */
export async function fetchWhole(talk: Talk, done: () => boolean): Promise<number> {
  let bytes = 0;
  const { socket } = talk;
  socket.removeAllListeners('data');
  do {
    await new Promise<void>((resolve, reject) => {
      let tail = '';
      const onData = (data: Buffer): void => {
        bytes += data.length;
        tail = (tail + data.subarray(-64).toString('latin1')).slice(-64);
        if (!/\r\nf OK [^\n]*\n$/.test(tail)) return;
        socket.off('data', onData);
        resolve();
      };
      socket.on('data', onData);
      socket.once('close', () => reject(new Error('closed during FETCH')));
      socket.write('f FETCH 1 BODY.PEEK[]\r\n');
    });
    socket.removeAllListeners('close');
  } while (!done());
  return bytes;
}
