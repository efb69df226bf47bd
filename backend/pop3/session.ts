/**
 * One POP3 session of a back-end: reads commands, checks that they may come now, runs them one after the other, answers.
 * The state is assigned in one place (`enter`).
 */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { parseLegTerms } from '../../shared/legs/leg-terms.ts';
import { release } from '../../shared/legs/resting-legs.ts';
import type { SessionEnd } from '../../shared/legs/resting-legs.ts';
import type { Connection } from '../../shared/net/connection.ts';
import type { SessionSlot } from '../../shared/workers/command-slots.ts';
import { parseCommandLine } from '../../shared/pop3/command.ts';
import type { ForwardedClient } from '../../shared/pop3/command.ts';
import type { Beginning } from '../line-service/line-service.ts';
import { commands } from './commands.ts';
import type { Maildrop } from './maildrop.ts';
import type { Pop3Options } from './pop3.ts';
import { replyFor } from './replies.ts';

/** RFC 1939 section 3. */
export type SessionState =
  | { readonly at: 'authorization'; readonly user: string | undefined }
  | { readonly at: 'transaction'; readonly maildrop: Maildrop }
  | { readonly at: 'update'; readonly maildrop: Maildrop }
  /** With last words: they are still to be said, because the connection may serve another session. */
  | { readonly at: 'over'; readonly lastWords?: string };

export type SessionOptions = Pop3Options & Pick<Beginning, 'trustedPeer' | 'resting'>;

export class Session {
  readonly connection: Connection;
  readonly options: SessionOptions;
  /** The place in which its commands work. */
  readonly slot: SessionSlot;
  /** The client, as the front-end told it, or as it came. */
  client: ForwardedClient;
  log: Logger;
  failedLogins = 0;
  #state: SessionState = { at: 'authorization', user: undefined };
  /** What the client opened; its marks must be written before the session counts as over. */
  #opened: Maildrop | undefined;
  #mistakes = 0;
  #activity: 'waiting' | 'working' = 'waiting';
  /** Why it has to go, once it has to. */
  #leaving: string | undefined;

  constructor({ connection, slot, id, log, trustedPeer, resting }: Beginning, options: Pop3Options) {
    this.connection = connection;
    this.options = { ...options, trustedPeer, resting };
    this.client = { address: connection.remoteAddress, port: connection.remotePort, session: id };
    this.log = log;
    this.slot = slot;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The maildrop of a logged-in client. */
  get maildrop(): Maildrop {
    if (this.#state.at !== 'transaction') throw new Error(`no maildrop in state ${this.#state.at}`);
    return this.#state.maildrop;
  }

  get isOver(): boolean {
    return this.#state.at === 'over';
  }

  /** The one place where the state changes. */
  enter(state: SessionState): void {
    this.#state = state;
    if (state.at === 'transaction') this.#opened = state.maildrop;
  }

  /** Serves until the client leaves, or is sent away. */
  async run(): Promise<SessionEnd> {
    const loginTimer = setTimeout(() => this.#expireLogin(), this.options.limits.loginTimeoutMs);
    try {
      await this.connection.write('+OK Waybill POP3 ready\r\n');
      while (this.#state.at !== 'over') await this.#turn();
      await this.#opened?.settle();
      const released = this.#release(this.#state.lastWords);
      if (released !== undefined) return released;
    } finally {
      clearTimeout(loginTimer);
      if (!this.connection.socket.writableEnded) this.connection.end(this.#state.at === 'over' ? this.#state.lastWords : undefined);
      await this.#opened?.settle();
      await this.connection.closed;
    }
    return { kind: 'closed' };
  }

  /** Only a connection that has nothing of this session on it serves another one. */
  #release(lastWords: string | undefined): SessionEnd | undefined {
    const { connection, client, options } = this;
    const terms = parseLegTerms(client.legTerms);
    const unfit = this.#leaving !== undefined || connection.inputEnded || connection.bufferedBytes > 0 || !options.resting.open;
    if (lastWords === undefined || terms === undefined || unfit) return undefined;
    return { kind: 'released', socket: release(connection, lastWords, terms), terms };
  }

  /** Leaves as soon as no command is running; what was marked as deleted stays (RFC 1939 section 3). */
  leave(why = 'server is going down, connect again'): void {
    this.#leaving = why;
    if (this.#activity === 'waiting') this.sayBye(`-ERR [SYS/TEMP] ${why}`);
  }

  /**
   * The client of an account that went to another node is sent there. Nothing that it marked as deleted is removed, as with
   * a line that is cut, and it knows: its QUIT was not answered. Until the account is gone the session goes on, since its move may come to nothing.
   * @param account whose owner may have changed; any when absent
   */
  checkOwner(account?: string): void {
    const { state } = this;
    if (state.at !== 'transaction' || (account !== undefined && state.maildrop.account.id !== account)) return;
    const standing = state.maildrop.account.standing();
    if (standing === 'gone') this.leave('the mailbox has moved, nothing was deleted, connect again');
    if (standing === 'barred') this.leave('the account was disabled, nothing was deleted');
  }

  /** The end of a session that went well. Its front-end gets the connection back where it wants it. */
  part(line: string): void {
    if (this.#state.at !== 'over') this.enter({ at: 'over', lastWords: `${line}\r\n` });
  }

  /** Last words, then the end. */
  sayBye(line: string): void {
    if (this.#state.at === 'over') return;
    this.connection.end(`${line}\r\n`);
    this.#enterOver();
  }

  /** Cuts the line: a response that was begun can't be completed. */
  cut(): void {
    this.connection.destroy();
    this.#enterOver();
  }

  async #turn(): Promise<void> {
    const line = await this.#readLine();
    if (line === undefined) return;
    this.checkOwner(); // hints may get lost
    if (this.isOver) return;
    this.#activity = 'working';
    await this.#obey(line);
    this.#activity = 'waiting';
    if (this.#leaving !== undefined) this.leave(this.#leaving);
    else if (this.#mistakes > this.options.limits.maxErrors) this.sayBye('-ERR too many errors, goodbye');
    else if (this.failedLogins >= this.options.limits.maxAuthErrors) this.sayBye('-ERR too many failed logins, goodbye');
  }

  /** The next command; undefined when there is none any more, and the state says so. */
  async #readLine(): Promise<string | undefined> {
    try {
      const line = await this.connection.readLine();
      if (line === undefined) this.#enterOver();
      return line;
    } catch (error) {
      this.#endOfInput(error);
      return undefined;
    }
  }

  #endOfInput(error: unknown): void {
    // RFC 1939 section 3: after the idle time the connection is closed without a response.
    if (isFailure(error, 'timed-out')) this.#enterOver();
    else {
      if (!isFailure(error)) this.log.error({ err: error }, 'reading failed');
      this.sayBye(replyFor(error, this.client.session));
    }
  }

  async #obey(line: string): Promise<void> {
    try {
      const { verb, argument } = parseCommandLine(line);
      const command = commands.get(verb);
      if (command === undefined) throw new Failure('bad-input', 'unknown command');
      // The one place that checks whether a command may come now.
      if (!command.allowedIn.some((at) => at === this.#state.at)) {
        throw new Failure('bad-input', `${verb} is not allowed ${this.#state.at === 'authorization' ? 'before' : 'after'} login`);
      }
      const text = await this.slot.run(async () => command.run(this, argument));
      this.#mistakes = 0;
      if (text !== undefined) await this.connection.write(`+OK ${text}\r\n`);
    } catch (error) {
      if (isFailure(error, 'bad-input')) this.#mistakes += 1;
      if (isFailure(error, 'timed-out')) return this.#endOfInput(error);
      if (!isFailure(error)) this.log.error({ err: error }, 'command failed');
      else if (error.cause !== undefined) this.log.warn({ err: error }, 'command refused');
      await this.connection.write(`${replyFor(error, this.client.session)}\r\n`);
    }
    return undefined;
  }

  #enterOver(): void {
    this.enter({ at: 'over' });
  }

  #expireLogin(): void {
    if (this.#state.at === 'authorization') this.sayBye('-ERR too slow to log in');
  }
}
