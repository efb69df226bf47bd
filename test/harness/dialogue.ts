/**
 * A raw line-protocol client for tests: says lines, expects lines, and shows both directions when an expectation fails.
 * It hides nothing of the protocol, unlike a client library.
 */
import * as net from 'node:net';
import type { Writable } from 'node:stream';
import * as tls from 'node:tls';
import * as zlib from 'node:zlib';
import assert from 'node:assert/strict';

const usualPatienceMs = 20_000;

export class Dialogue {
  #socket: net.Socket;
  #sink: Writable;
  #received = Buffer.alloc(0);
  #closed = false;
  #wake: (() => void) | undefined;
  /** The longest time that something was waited for, the connection too. */
  longestWaitMs = 0;
  readonly #transcript: string[] = [];
  readonly #patienceMs: number;

  private constructor(socket: net.Socket, patienceMs: number) {
    this.#socket = socket;
    this.#sink = socket;
    this.#patienceMs = patienceMs;
    this.#listen();
  }

  /** Connects to a port of this machine; with `tls: 'implicit'` the handshake comes first (any certificate is taken). */
  static async connect(options: { readonly port: number; readonly host?: string; /** A Unix socket instead. */ readonly path?: string; readonly tls?: 'implicit' | 'none'; readonly from?: string; readonly patienceMs?: number }): Promise<Dialogue> {
    const target = options.path !== undefined ? { path: options.path } : { host: options.host ?? '127.0.0.1', port: options.port, ...(options.from === undefined ? {} : { localAddress: options.from }) };
    const begunMs = performance.now();
    const socket = options.tls === 'implicit' ? tls.connect({ ...target, rejectUnauthorized: false }) : net.connect(target);
    await new Promise<void>((resolve, reject) => {
      socket.once(options.tls === 'implicit' ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    const dialogue = new Dialogue(socket, options.patienceMs ?? usualPatienceMs);
    dialogue.longestWaitMs = performance.now() - begunMs;
    return dialogue;
  }

  /** Sends one line (CRLF is added). */
  say(line: string): void {
    this.#transcript.push(`C: ${line}`);
    this.#sink.write(`${line}\r\n`, 'utf8');
  }

  /** Sends bytes as they are. */
  sayRaw(data: string | Buffer): void {
    this.#transcript.push(`C: (${String(data.length)} raw) ${String(data).slice(0, 120)}`);
    this.#sink.write(data);
  }

  /** Sends bytes past the compression. */
  sayPast(data: Buffer): void {
    this.#socket.write(data);
  }

  /** The next line, without CRLF. Fails when the line is not complete in time or the server closes. */
  async line(): Promise<string> {
    const at = await this.#until(() => this.#received.indexOf('\r\n'), 'a line');
    const line = this.#received.subarray(0, at).toString('utf8');
    this.#received = this.#received.subarray(at + 2);
    this.#transcript.push(`S: ${line}`);
    return line;
  }

  /** Takes lines until one matches, and answers that match. Lines before it may be anything. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(await this.line());
      if (match !== null) return match;
    }
  }

  /** The next line must match. */
  async expect(pattern: RegExp): Promise<RegExpExecArray> {
    const line = await this.line();
    const match = pattern.exec(line);
    assert.ok(match, this.#complaint(`expected ${String(pattern)}, got ${line}`));
    return match;
  }

  /** Exactly so many bytes. */
  async bytes(length: number): Promise<Buffer> {
    await this.#until(() => (this.#received.length >= length ? length : -1), `${String(length)} bytes`);
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    this.#transcript.push(`S: (${String(length)} bytes)`);
    return bytes;
  }

  /** All bytes up to and including a mark. */
  async bytesUntil(mark: string): Promise<Buffer> {
    const length = await this.#until(() => {
      const at = this.#received.indexOf(mark);
      return at < 0 ? -1 : at + mark.length;
    }, `bytes up to ${JSON.stringify(mark)}`);
    return this.bytes(length);
  }

  /** An SMTP reply of one or more lines; its code must be the one given. Answers all lines. */
  async reply(code: number | RegExp): Promise<string[]> {
    const lines: string[] = [];
    do lines.push(await this.line());
    while (/^\d{3}-/.test(lines.at(-1) ?? ''));
    const wanted = typeof code === 'number' ? new RegExp(`^${String(code)}`) : code;
    assert.match(lines.at(-1) ?? '', wanted, this.#complaint(`expected ${String(code)}`));
    return lines;
  }

  /** Says a line and waits for the reply with that code. */
  async ask(line: string, code: number | RegExp): Promise<string[]> {
    this.say(line);
    return this.reply(code);
  }

  /** Continues over TLS (after the server agreed). */
  async startTls(): Promise<void> {
    this.#socket.removeAllListeners();
    const secured = tls.connect({ socket: this.#socket, rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      secured.once('secureConnect', resolve);
      secured.once('error', reject);
    });
    this.#socket = secured;
    this.#sink = secured;
    this.#listen();
  }

  /** Asks for COMPRESS (RFC 4978), and continues compressed. Answers what compresses, for those who want to say more than text. */
  async startDeflate(): Promise<zlib.DeflateRaw> {
    this.say('deflate COMPRESS DEFLATE');
    await this.expect(/^deflate OK/);
    const options = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH };
    const source = zlib.createInflateRaw(options);
    const sink = zlib.createDeflateRaw({ flush: zlib.constants.Z_SYNC_FLUSH });
    source.write(this.#received);
    this.#received = Buffer.alloc(0);
    for (const event of ['data', 'end', 'close'] as const) this.#socket.removeListener(event, event === 'data' ? this.#onData : this.#onEnd);
    source.on('data', this.#onData);
    for (const ending of ['end', 'close', 'error'] as const) source.on(ending, this.#onEnd);
    this.#socket.once('close', () => source.end());
    this.#socket.pipe(source);
    sink.pipe(this.#socket);
    this.#sink = sink;
    return sink;
  }

  /** Resolves when the server has closed. */
  async closed(): Promise<void> {
    await this.#until(() => (this.#closed ? 0 : -1), 'the end of the connection');
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('data', this.#onData);
    this.#socket.on('close', this.#onEnd);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('error', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received = Buffer.concat([this.#received, chunk]);
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#closed = true;
    this.#wake?.();
  };

  async #until(ready: () => number, what: string): Promise<number> {
    const begunMs = performance.now();
    try {
      return await this.#ready(ready, what);
    } finally {
      this.longestWaitMs = Math.max(this.longestWaitMs, performance.now() - begunMs);
    }
  }

  async #ready(ready: () => number, what: string): Promise<number> {
    const deadline = Date.now() + this.#patienceMs;
    for (;;) {
      const at = ready();
      if (at >= 0) return at;
      assert.ok(!this.#closed, this.#complaint(`connection closed while waiting for ${what}`));
      const left = deadline - Date.now();
      assert.ok(left > 0, this.#complaint(`no ${what} within ${String(this.#patienceMs)} ms`));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #complaint(text: string): string {
    return `${text}\n${this.#transcript.slice(-30).join('\n')}\nnot yet read: ${this.#received.toString('latin1').slice(0, 300)}`;
  }
}
