/** A connection of the load: it looks at the end of what comes and at nothing else, so that it costs as little as can be. */
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Target {
  readonly port: number;
  /** PEM files to be shown to the server; without them nobody is shown anything. */
  readonly certificate?: { readonly certificate: string; readonly key: string } | undefined;
  readonly tls: 'yes' | 'no';
  /** Said before anything else. */
  readonly preface?: Buffer | undefined;
}

/** Far beyond what any server needs for one answer. */
const replyTimeoutMs = 180_000;
const lineEnd = Buffer.from('\r\n');
const dot = Buffer.from('\r\n.\r\n');
const refusals = /^(?:\S+ (?:NO|BAD) |\* BYE|-ERR|[45]\d\d[ -])/;

interface Awaited {
  readonly over: (data: Buffer) => 'yes' | 'no';
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Wire {
  readonly #socket: Socket;
  #awaited: Awaited | undefined;
  /** The last line so far, which may have begun in an earlier piece. */
  #lastLine = '';
  #kept: Buffer[] | undefined;
  #over: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(replyTimeoutMs, () => { if (this.#awaited !== undefined) socket.destroy(new Error('no reply in time')); });
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('error', (error: Error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error(`closed; last words: ${this.#lastLine}`)));
  }

  /** Connects, and hears the greeting. */
  static async open({ port, tls, certificate, preface }: Target, greeting: string): Promise<Wire> {
    const shown = certificate === undefined ? {} : { cert: readFileSync(certificate.certificate), key: readFileSync(certificate.key) };
    const socket = tls === 'yes' ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ecdhCurve: 'X25519', ...shown }) : connectPlain(port, '127.0.0.1');
    const wire = new Wire(socket);
    if (preface !== undefined) socket.write(preface);
    await wire.hear(greeting);
    return wire;
  }

  get isOpen(): boolean {
    return this.#over === undefined;
  }

  /** Sends, and waits until the last line that came begins so. Rejects on a refusal. */
  async ask(words: string | Buffer, ending: string): Promise<void> {
    this.#socket.write(words);
    await this.hear(ending);
  }

  async hear(ending: string): Promise<void> {
    await this.#until(() => this.#lineTells(ending));
  }

  /** As `ask`, and answers all that came. */
  async read(words: string, ending: string): Promise<string> {
    this.#kept = [];
    try {
      await this.ask(words, ending);
      return Buffer.concat(this.#kept).toString('latin1');
    } finally {
      this.#kept = undefined;
    }
  }

  /** Sends, and waits for so many answers that end with a line of one dot. */
  async askDotted(words: string, answers: number): Promise<void> {
    let left = answers;
    let end = Buffer.alloc(0);
    const over = (data: Buffer): 'yes' | 'no' => {
      const bytes = Buffer.concat([end, data]);
      for (let at = bytes.indexOf(dot); at >= 0; at = bytes.indexOf(dot, at + dot.length)) left -= 1;
      end = bytes.subarray(bytes.subarray(-dot.length).equals(dot) ? bytes.length : -(dot.length - 1));
      return left <= 0 ? 'yes' : 'no';
    };
    this.#socket.write(words);
    await this.#until(over);
  }

  end(): void {
    this.#socket.destroy();
  }

  async #until(over: Awaited['over']): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    await new Promise<void>((resolve, reject) => { this.#awaited = { over, resolve, reject }; });
  }

  #take(data: Buffer): void {
    this.#kept?.push(data);
    const end = data.subarray(-1000);
    const whole = end.subarray(-2).equals(lineEnd);
    const begin = end.lastIndexOf(0x0a, whole ? -3 : -1) + 1;
    const piece = end.toString('latin1', begin);
    this.#lastLine = begin === 0 && data.length === end.length && !this.#lastLine.endsWith('\r\n') ? this.#lastLine + piece : piece;
    const awaited = this.#awaited;
    if (awaited === undefined || awaited.over(data) === 'no') return;
    this.#awaited = undefined;
    awaited.resolve();
  }

  #lineTells(ending: string): 'yes' | 'no' {
    if (!this.#lastLine.endsWith('\r\n')) return 'no';
    if (this.#lastLine.startsWith(ending)) return 'yes';
    if (refusals.test(this.#lastLine)) this.#fail(new Error(this.#lastLine.trim()));
    return 'no';
  }

  #fail(error: Error): void {
    this.#over ??= error;
    const awaited = this.#awaited;
    this.#awaited = undefined;
    awaited?.reject(error);
  }
}
