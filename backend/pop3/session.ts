/**
 * One POP3 session of a back-end: reads commands, checks that they may come now, runs them one after the other, answers.
 * The state is assigned in one place (`enter`).
 */
import { isFailure } from '../../shared/base/failure.ts';
import { Pacer } from '../../shared/base/pacer.ts';
import type { Language } from '../../shared/language/language.ts';
import type { Logger } from '../../shared/log/log.ts';
import { parseLegTerms } from '../../shared/legs/leg-terms.ts';
import { release } from '../../shared/legs/resting-legs.ts';
import type { SessionEnd } from '../../shared/legs/resting-legs.ts';
import type { Connection } from '../../shared/net/connection.ts';
import type { SessionSlot } from '../../shared/workers/command-slots.ts';
import { parseCommandLine } from '../../shared/pop3/command.ts';
import type { ForwardedClient } from '../../shared/pop3/command.ts';
import { onWire, Refusal } from '../../shared/pop3/texts.ts';
import type { Beginning, SessionLog } from '../line-service/line-service.ts';
import { commands } from './commands.ts';
import type { Command } from './commands.ts';
import type { Maildrop } from './maildrop.ts';
import { Output } from './output.ts';
import type { Pop3Options } from './pop3.ts';
import { replyFor } from './replies.ts';
import { sessionTexts } from './session-texts.ts';
import type { SessionTexts } from './session-texts.ts';

/** RFC 1939 section 3. */
export type SessionState =
  | { readonly at: 'authorization'; readonly user: string | undefined }
  | { readonly at: 'transaction'; readonly maildrop: Maildrop }
  | { readonly at: 'update'; readonly maildrop: Maildrop }
  /** With last words: they are still to be said, because the connection may serve another session. */
  | { readonly at: 'over'; readonly lastWords?: string };

/** What a command says: the text after `+OK `, or undefined when it has answered itself. */
export type Answer = string | undefined;

export type SessionOptions = Pop3Options & Pick<Beginning, 'trustedPeer' | 'resting'>;

export class Session {
  readonly connection: Connection;
  readonly output: Output;
  readonly options: SessionOptions;
  /** The place in which its commands work. */
  readonly slot: SessionSlot;
  /** The client, as the front-end told it, or as it came. */
  client: ForwardedClient;
  readonly sessionLog: SessionLog;
  failedLogins = 0;
  /** In which it is spoken to (LANG); without a word of the client's in English, which is US-ASCII here (RFC 6856 section 3.2). */
  language: Language = 'en';
  /** Whether the client takes UTF-8 in headers (UTF8). */
  utf8: 'on' | 'off' = 'off';
  #state: SessionState = { at: 'authorization', user: undefined };
  /** What the client opened; it must be closed before the session counts as over. */
  #opened: Maildrop | undefined;
  #mistakes = 0;
  #activity: 'waiting' | 'working' = 'waiting';
  /** What it knows of its account and maildrop holds until others had a turn. */
  #knows: 'what is' | 'what was' = 'what was';
  /** Why it has to go, once it has to. */
  #leaving: 'goingDown' | 'moved' | 'barred' | 'away' | undefined;

  constructor({ connection, slot, id, sessionLog, trustedPeer, resting }: Beginning, options: Pop3Options) {
    this.connection = connection;
    this.output = new Output(connection);
    this.options = { ...options, trustedPeer, resting };
    this.client = { address: connection.remoteAddress, port: connection.remotePort, session: id };
    this.sessionLog = sessionLog;
    this.slot = slot;
  }

  get log(): Logger {
    return this.sessionLog.log;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The maildrop of a logged-in client. */
  get maildrop(): Maildrop {
    if (this.#state.at !== 'transaction') throw new Error(`no maildrop in state ${this.#state.at}`);
    return this.#state.maildrop;
  }

  get texts(): SessionTexts {
    return sessionTexts[this.language];
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
      this.output.say('+OK Waybill POP3 ready\r\n');
      await this.#serve();
      await this.output.flush();
      await this.#opened?.close();
      const released = this.#release();
      if (released !== undefined) return released;
    } finally {
      clearTimeout(loginTimer);
      if (!this.connection.socket.writableEnded) this.connection.end(this.#state.at === 'over' ? this.#state.lastWords : undefined);
      await this.#opened?.close();
      await this.connection.closed;
    }
    return { kind: 'closed' };
  }

  /** Only a connection that has nothing of this session on it serves another one. */
  #release(): SessionEnd | undefined {
    const { connection, client, options } = this;
    const lastWords = this.#state.at === 'over' ? this.#state.lastWords : undefined;
    const terms = parseLegTerms(client.legTerms);
    const unfit = this.#leaving !== undefined || connection.inputEnded || connection.bufferedBytes > 0 || !options.resting.open;
    if (lastWords === undefined || terms === undefined || unfit) return undefined;
    return { kind: 'released', socket: release(connection, lastWords, terms), terms };
  }

  /** Leaves as soon as no command is running; what was marked as deleted stays (RFC 1939 section 3). */
  leave(why: 'goingDown' | 'moved' | 'barred' | 'away' = 'goingDown'): void {
    this.#leaving = why;
    if (this.#activity === 'waiting') this.sayBye(`-ERR [SYS/TEMP] ${this.texts[why]}`);
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
    if (standing === 'gone') this.leave('moved');
    if (standing === 'away') this.leave('away');
    if (standing === 'barred') this.leave('barred');
  }

  /** The end of a session that went well. Its front-end gets the connection back where it wants it. */
  part(line: string): void {
    if (this.#state.at !== 'over') this.enter({ at: 'over', lastWords: onWire(`${line}\r\n`) });
  }

  /** Last words, then the end. */
  sayBye(line: string): void {
    if (this.#state.at === 'over') return;
    this.output.end(`${line}\r\n`);
    this.#enterOver();
  }

  /** A multi-line response (RFC 1939 section 3) of lines that never begin with a dot. */
  sayLines(text: string, lines: readonly string[]): void {
    this.output.say(`+OK ${text}\r\n${lines.map((line) => `${line}\r\n`).join('')}.\r\n`);
  }

  /** The line that refuses a command, in the session's language. */
  refusal(error: unknown): string {
    return replyFor(error, this.client.session, this.language);
  }

  /** Cuts the line: a response that was begun can't be completed. */
  cut(): void {
    this.connection.destroy();
    this.#enterOver();
  }

  /** Commands that came together, and need no wait, are done without a promise for each. */
  async #serve(): Promise<void> {
    const pacer = new Pacer();
    while (this.#state.at !== 'over') {
      const line = this.#lineHere() ?? (await this.#othersHadTurn(this.#readLine()));
      if (line === undefined) continue; // the state says why
      this.#lookAround();
      if (this.isOver) return;
      this.#activity = 'working';
      const obeying = this.#obey(line);
      if (obeying !== undefined) await this.#othersHadTurn(obeying);
      if (this.output.full) await this.#othersHadTurn(this.output.flush());
      if (pacer.isDue) await this.#othersHadTurn(pacer.breathe());
      this.#afterCommand();
    }
  }

  async #othersHadTurn<Result>(wait: Promise<Result>): Promise<Result> {
    this.#knows = 'what was';
    return wait;
  }

  /** Hints may get lost. */
  #lookAround(): void {
    if (this.#knows === 'what is') return;
    this.#knows = 'what is';
    if (this.#state.at === 'transaction') this.#state.maildrop.lookAgain();
    this.checkOwner();
  }

  #afterCommand(): void {
    this.#activity = 'waiting';
    if (this.#leaving !== undefined) this.leave(this.#leaving);
    else if (this.#mistakes > this.options.limits.maxErrors) this.sayBye(`-ERR ${this.texts.tooManyErrors}`);
    else if (this.failedLogins >= this.options.limits.maxAuthErrors) this.sayBye(`-ERR ${this.texts.tooManyFailedLogins}`);
  }

  /** The next command where it is here; undefined where it has to be waited for, or there is none any more. */
  #lineHere(): string | undefined {
    try {
      return this.connection.takeLine();
    } catch (error) {
      this.#endOfInput(error);
      return undefined;
    }
  }

  /** The next command; undefined when there is none any more, and the state says so. */
  async #readLine(): Promise<string | undefined> {
    try {
      if (this.isOver) return undefined;
      await this.#beforeWaiting();
      const line = await this.connection.readLine();
      if (line === undefined) this.#enterOver();
      return line;
    } catch (error) {
      this.#endOfInput(error);
      return undefined;
    }
  }

  /** The client may say nothing for long: it gets all answers, and nothing is held for it. */
  async #beforeWaiting(): Promise<void> {
    await this.output.flush();
    if (this.#state.at === 'transaction') this.#state.maildrop.endSeries();
  }

  #endOfInput(error: unknown): void {
    // RFC 1939 section 3: after the idle time the connection is closed without a response.
    if (isFailure(error, 'timed-out')) this.#enterOver();
    else {
      if (!isFailure(error)) this.log.error({ err: error }, 'reading failed');
      this.sayBye(this.refusal(error));
    }
  }

  /** Undefined when that is done. */
  #obey(line: string): Promise<void> | undefined {
    try {
      const { verb, argument } = parseCommandLine(line);
      const command = this.#allowed(verb, argument);
      const answer = this.slot.runNow(() => command.run(this, argument));
      if (answer instanceof Promise) return answer.then((text) => this.#answer(text), (error: unknown) => this.#refuse(error));
      this.#answer(answer);
    } catch (error) {
      this.#refuse(error);
    }
    return undefined;
  }

  #answer(text: Answer): void {
    this.#mistakes = 0;
    if (text !== undefined) this.output.say(`+OK ${text}\r\n`);
  }

  #refuse(error: unknown): void {
    if (isFailure(error, 'bad-input')) this.#mistakes += 1;
    if (isFailure(error, 'timed-out')) return this.#endOfInput(error);
    if (!isFailure(error)) this.log.error({ err: error }, 'command failed');
    else if (error.cause !== undefined) this.log.warn({ err: error }, 'command refused');
    this.output.say(`${this.refusal(error)}\r\n`);
  }

  /** The one place that checks whether a command may come now. @throws Refusal `bad-input` */
  #allowed(verb: string, argument: string): Command {
    const command = commands.get(verb);
    if (command === undefined) throw new Refusal('bad-input', this.texts.unknownCommand);
    if (!command.allowedIn.some((at) => at === this.#state.at)) {
      throw new Refusal('bad-input', this.#state.at === 'authorization' ? this.texts.notBeforeLogin(verb) : this.texts.notAfterLogin(verb));
    }
    if (command.takes === 'nothing' && argument.trim() !== '') throw new Refusal('bad-input', this.texts.nothingBehind(verb));
    return command;
  }

  #enterOver(): void {
    this.enter({ at: 'over' });
  }

  #expireLogin(): void {
    if (this.#state.at === 'authorization') this.sayBye(`-ERR ${this.texts.tooSlow}`);
  }
}
