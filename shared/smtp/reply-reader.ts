/** Reads a server's replies from a connection, each within the time RFC 5321 section 4.5.3.2 gives that step. */
import { Failure } from '../base/failure.ts';
import type { Connection } from '../net/connection.ts';
import { assembleReply, isPositive, parseReplyLine } from './reply.ts';
import type { Reply, ReplyLine } from './reply.ts';
import { SmtpRefused } from './refusal.ts';

export interface SmtpTimeouts {
  readonly greetingMs: number;
  /** EHLO, STARTTLS, XCLIENT, AUTH, RSET and what else has no time of its own. */
  readonly commandMs: number;
  readonly mailMs: number;
  readonly rcptMs: number;
  /** From DATA to 354. */
  readonly dataMs: number;
  /** For the server to take one piece of the message. */
  readonly messageMs: number;
  /** From the final dot to the (next) reply. */
  readonly finalMs: number;
  readonly quitMs: number;
}

const minuteMs = 60_000;
const defaults: SmtpTimeouts = {
  greetingMs: 5 * minuteMs, commandMs: 5 * minuteMs, mailMs: 5 * minuteMs, rcptMs: 5 * minuteMs,
  dataMs: 2 * minuteMs, messageMs: 3 * minuteMs, finalMs: 10 * minuteMs, quitMs: 2000,
};
/** More lines than any EHLO answer has; a server that never ends its reply must not fill our memory. */
const maxReplyLines = 200;

export class ReplyReader {
  readonly #connection: Connection;
  readonly #timeouts: SmtpTimeouts;
  #stage = 'connect';
  #alive = true;

  constructor(connection: Connection, timeouts: Partial<SmtpTimeouts>) {
    this.#connection = connection;
    this.#timeouts = { ...defaults, ...timeouts };
    // Each step has its own time here.
    connection.setIdleTimeout(0);
    void connection.closed.then(() => {
      this.#alive = false;
    });
  }

  get stage(): string {
    return this.#stage;
  }

  get alive(): boolean {
    return this.#alive && !this.#connection.socket.destroyed;
  }

  enter(stage: string): void {
    this.#stage = stage;
  }

  /** The reply to this step, whatever it says. Fails with `timed-out`, `backend-unavailable` or `bad-input`; then the line is cut. */
  async read(stage: string): Promise<Reply> {
    this.#stage = stage;
    return this.within(stage, this.#readReply());
  }

  /** The reply to this step, which must be positive. */
  async expect(stage: string): Promise<Reply> {
    const reply = await this.read(stage);
    if (!isPositive(reply)) throw new SmtpRefused(stage, reply);
    return reply;
  }

  /** Waits for the work, at most as long as the step may take; then cuts the line, which ends the work. */
  async within<T>(stage: string, work: Promise<T>): Promise<T> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#connection.destroy();
    }, this.#timeoutMs(stage));
    try {
      const result = await work;
      if (late) throw new Failure('timed-out', `${stage}: the server was too slow`);
      return result;
    } catch (thrown) {
      this.#connection.destroy();
      throw late ? new Failure('timed-out', `${stage}: the server was too slow`, { cause: thrown }) : thrown;
    } finally {
      clearTimeout(timer);
    }
  }

  #timeoutMs(stage: string): number {
    const byStage: Record<string, number | undefined> = {
      greeting: this.#timeouts.greetingMs, mail: this.#timeouts.mailMs, rcpt: this.#timeouts.rcptMs, data: this.#timeouts.dataMs,
      message: this.#timeouts.messageMs, final: this.#timeouts.finalMs, quit: this.#timeouts.quitMs,
    };
    return byStage[stage] ?? this.#timeouts.commandMs;
  }

  async #readReply(): Promise<Reply> {
    const lines: ReplyLine[] = [];
    for (;;) {
      const line = await this.#connection.readLine();
      if (line === undefined) throw new Failure('backend-unavailable', `${this.#stage}: the server closed the connection`);
      const parsed = parseReplyLine(Buffer.from(line, 'latin1').toString('utf8'));
      if (parsed === undefined || lines.length >= maxReplyLines) throw new Failure('bad-input', `${this.#stage}: the server's reply makes no sense`);
      lines.push(parsed);
      if (!parsed.last) continue;
      const reply = assembleReply(lines);
      if (reply === undefined) throw new Failure('bad-input', `${this.#stage}: the lines of the server's reply don't agree`);
      return reply;
    }
  }
}
