/**
 * smtp-server's connection and parser made strict. The package takes LF for a line end in commands, passes bare CR, LF and
 * NUL through in messages, runs an unfinished command at the end of the stream, and doesn't count refused commands. What is
 * overridden here is not its public interface: the version is pinned, and the tests of this folder guard every override.
 */
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions, SMTPServerSession } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import { maskSmtp, unknownLine } from '../log/masked-lines.ts';
import type { WaitingTrace } from '../log/protocol-trace.ts';
import type { AnySocket } from '../net/connection.ts';
import { clientSpeaksTls } from '../net/socket-client.ts';
import { decodeBase64 } from '../sasl/mechanisms.ts';
import { makeReply, replyWords } from './reply.ts';
import type { Reply } from './reply.ts';
import { SmtpRefused } from './refusal.ts';
import type { SmtpLimits } from './limits.ts';
import type { MessageInlet } from './message-inlet.ts';
import type { LineDefect } from './strict-lines.ts';
import { StrictParser } from './strict-parser.ts';

export interface StrictSettings {
  readonly limits: SmtpLimits;
  /** A client that talks before the greeting is refused; 0 greets at once. */
  readonly greetingDelayMs: number;
  /** Further keywords for the EHLO answer. */
  readonly extensions: readonly string[];
  /** Completes recipients without a domain. */
  readonly primaryDomain: string | undefined;
  readonly sasl: SmtpSasl | undefined;
  /** What takes the lines of a session, if any are traced now. */
  beginTrace(id: string): WaitingTrace | undefined;
  /** Brings a message, which begins to come, to whom it is for. Never rejects. */
  takeMessage(inlet: MessageInlet, session: SMTPServerSession): Promise<MessageOutcome>;
  /** The client said RSET. */
  onReset(connection: StrictConnection): void;
}

/** What its handler answers: one text for all recipients, or (LMTP) one text or refusal for each. */
export type MessageOutcome =
  | { readonly at: 'answered'; readonly answer: string | readonly (string | Error)[] }
  | { readonly at: 'refused'; readonly error: Error & { responseCode?: number } };

/** One SASL exchange: challenges until it is known who the client is. */
export interface SmtpSaslExchange {
  /** Undefined: the client sent no initial response. What it throws is the refusal of AUTH. */
  step(response: Buffer | undefined): Promise<{ readonly kind: 'challenge'; readonly data: Buffer } | { readonly kind: 'user'; readonly user: string }>;
}

/** Mechanisms other than the package's PLAIN and LOGIN, in the place of these. */
export interface SmtpSasl {
  /** What the client is offered now: how each mechanism begins. */
  mechanisms(connection: StrictConnection): ReadonlyMap<string, () => SmtpSaslExchange>;
  refusal(thrown: unknown, connection: StrictConnection): Reply;
}

export class StrictServer extends SMTPServer {
  readonly settings: StrictSettings;

  constructor(options: SMTPServerOptions, settings: StrictSettings) {
    super(options);
    this.settings = settings;
  }
}

const groupedCommands = /^(?:MAIL |RCPT |RSET)/iu;
const ownEnhancedCode = /^[245]\.\d{1,3}\.\d{1,3}(?: |$)/u;

export class StrictConnection extends SMTPConnection {
  declare readonly _server: StrictServer;
  /** The client said QUIT. */
  quitSaid = false;
  #errors = 0;
  #authErrors = 0;
  readonly #trace: WaitingTrace | undefined;
  #tracedUser: string | undefined;
  /** The command that is being carried out is one whose reply may wait for those of the next (RFC 2920 section 3.1). */
  #isGrouped = false;
  #isCorked = false;

  constructor(server: StrictServer, socket: AnySocket, id: string) {
    super(server, socket, { id });
    this.#trace = server.settings.beginTrace(id);
    if (clientSpeaksTls(socket)) this.session.secure = this.secure = true;
  }

  get parser(): StrictParser | undefined {
    return this._parser instanceof StrictParser ? this._parser : undefined;
  }

  get socket(): AnySocket {
    return this._socket;
  }

  /** A command of the client is being worked on. */
  get busy(): boolean {
    return this._handlerPending;
  }

  override init(): void {
    this._setListeners(() => {
      const { greetingDelayMs } = this._server.settings;
      if (greetingDelayMs === 0) this.connectionReady();
      else setTimeout(() => this.connectionReady(), greetingDelayMs).unref();
    });
  }

  override _createParser(): SMTPStream {
    const parser = new StrictParser(this._server.settings.limits, (defect) => this.refuseInput(defect));
    parser.oncommand = (command, callback) => {
      this.#isGrouped = parser.moreIsHere && groupedCommands.test(command.toString('latin1', 0, 5));
      if (!this.#isGrouped && command.toString('latin1', 0, 4).toUpperCase() === 'BDAT') this.#uncork(); // its reply waits for more input
      if (this.#trace !== undefined) this.#tellCommand(this.#trace, command.toString('latin1').replace(/\r?\n$/, ''));
      this._onCommand(command, callback);
    };
    parser.on('error', () => this.refuseInput('line too long'));
    return parser;
  }

  /** Texts of ours bring their own enhanced status code; the package's texts get the package's. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    if (this.#trace !== undefined) this.#tellReply(this.#trace, code, typeof data === 'string' ? data : (data ?? []).join(' / '));
    const text = code === 250 && Array.isArray(data) ? this.#keywords(data) : data;
    // Answers to a greeting bear no enhanced code (RFC 2034 section 3); LHLO is none where SMTP is spoken.
    const about = context === 'LHLO' && this._server.options.lmtp !== true ? undefined : context;
    if (this.#isGrouped && code < 400) this.#cork();
    super.send(code, text, typeof text === 'string' && ownEnhancedCode.test(text) ? false : about);
    if (!this.#isGrouped || code >= 400) this.#uncork();
    if (code < 500) return;
    const { maxErrors, maxAuthErrors } = this._server.settings.limits;
    this.#errors += 1;
    if (code === 535) this.#authErrors += 1;
    if (this.#errors === maxErrors || this.#authErrors === maxAuthErrors) super.send(421, '4.7.0 too many errors', false);
  }

  /** Replies to commands that came together leave together: a write for each costs more than the commands. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.socket.cork();
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.socket.uncork();
  }

  /** Nobody waits for a socket to drain that is corked. */
  override _whenWritable(next: () => void): void {
    if (this.socket.writableNeedDrain) this.#uncork();
    super._whenWritable(next);
  }

  override handler_AUTH(command: Buffer, callback: () => void): void {
    const { sasl } = this._server.settings;
    if (sasl === undefined) {
      super.handler_AUTH(command, callback);
      return;
    }
    const [, name = '', initial, ...rest] = command.toString('latin1').trim().split(/ +/);
    const begin = sasl.mechanisms(this).get(name.toUpperCase());
    // The package sets it to false after STARTTLS.
    const known = Boolean(this.session.user);
    if (begin !== undefined && rest.length === 0 && !known) {
      this.#goOn({ sasl, exchange: begin() }, initial, callback);
      return;
    }
    if (known) this.send(503, '5.5.1 authenticated already');
    else if (begin === undefined) this.send(504, '5.5.4 not a mechanism that is offered here');
    else this.send(501, '5.5.2 AUTH mechanism [initial response]');
    callback();
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    const { primaryDomain } = this._server.settings;
    super.handler_RCPT(primaryDomain === undefined ? command : completed(command, primaryDomain), callback);
  }

  override handler_RSET(command: Buffer, callback: () => void): void {
    this._server.settings.onReset(this);
    super.handler_RSET(command, callback);
  }

  override handler_QUIT(command: Buffer, callback: () => void): void {
    this.quitSaid = true;
    super.handler_QUIT(command, callback);
  }

  /** Somebody tries to log in under this name. */
  claimTrace(name: string): void {
    this.#trace?.claim(name);
  }

  /** A line of an AUTH exchange is never told (RFC 4954 section 4). */
  #tellCommand(trace: WaitingTrace, line: string): void {
    this.#settleTrace(trace);
    trace.tell('client', this._nextHandler ? unknownLine(line) : maskSmtp(line));
  }

  #tellReply(trace: WaitingTrace, code: number, words: string): void {
    trace.tell('server', code === 334 ? `334 (${String(words.length)} characters)` : `${String(code)} ${words}`);
    this.#settleTrace(trace);
  }

  #settleTrace(trace: WaitingTrace): void {
    const { user } = this.session;
    if (typeof user !== 'string' || user === '' || user === this.#tracedUser) return;
    this.#tracedUser = user;
    trace.settle(user.toLowerCase());
  }

  /** The package offers the same to all; we offer what this connection can use. */
  #keywords(answer: readonly string[]): string[] {
    const { sasl, extensions } = this._server.settings;
    const keywords = sasl === undefined ? answer : answer.flatMap((line) => {
      const offered = line.startsWith('AUTH ') ? [...sasl.mechanisms(this).keys()] : undefined;
      if (offered === undefined) return [line];
      return offered.length === 0 ? [] : [`AUTH ${offered.join(' ')}`];
    });
    return [...keywords, 'CHUNKING', ...extensions];
  }

  /** One step of AUTH (RFC 4954 section 4); the client's next line, if there is one, is the next response. */
  #goOn(under: { readonly sasl: SmtpSasl; readonly exchange: SmtpSaslExchange }, response: string | undefined, callback: () => void): void {
    const work = async (): Promise<void> => {
      const step = await under.exchange.step(response === undefined ? undefined : decodedResponse(response));
      if (step.kind === 'challenge') {
        this._nextHandler = (line, next) => this.#respond(under, line.toString('latin1').trim(), next);
        this.send(334, step.data.toString('base64'));
        return;
      }
      this.session.user = step.user;
      this.session.transmissionType = this._transmissionType();
      this.send(235, '2.7.0 authentication successful');
    };
    void work().catch((thrown: unknown) => {
      const reply = under.sasl.refusal(thrown, this);
      this.send(reply.code, replyWords(reply));
    }).then(callback);
  }

  #respond(under: { readonly sasl: SmtpSasl; readonly exchange: SmtpSaslExchange }, line: string, callback: () => void): void {
    if (line !== '*') {
      this.#goOn(under, line, callback);
      return;
    }
    this.send(501, '5.7.0 authentication cancelled');
    callback();
  }

  /** Says what is wrong, and ends the connection. */
  protected refuseInput(defect: LineDefect | 'message too big'): void {
    if (defect === 'message too big') super.send(552, '5.3.4 message too big', false);
    else super.send(500, `5.5.2 ${defect} received: lines end with <CR><LF> and have a limit (RFC 5321 section 2.3.8)`, false);
    this.close();
  }
}

/** `RCPT TO:<alice>` with the domain that is meant: the package takes no local parts alone, but for postmaster (RFC 5321 section 4.5.1). */
function completed(command: Buffer, domain: string): Buffer {
  const at = command.indexOf('@');
  if (at !== -1 && at < command.indexOf('>') && !command.includes('"')) return command; // as nearly every one: it has its domain
  return Buffer.from(command.toString('latin1').replace(/^(RCPT +TO: *<(?:[^<>@"\s]+|"[^<>@"\\]+"))(>.*)$/isu, `$1@${domain}$2`), 'latin1');
}

/** An initial response of `=` is the empty one (RFC 4954 section 4). */
function decodedResponse(text: string): Buffer {
  const bytes = text === '=' ? Buffer.alloc(0) : decodeBase64(text);
  if (bytes === undefined) throw new SmtpRefused('auth', makeReply(501, '5.5.2', 'that is not base64'));
  return bytes;
}
