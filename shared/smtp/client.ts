/**
 * The client's side of SMTP and LMTP (RFC 5321, RFC 2033) as straight-line calls on one connection, in the order of the
 * conversation. Used by front-ends towards back-ends, by back-ends towards each other and the world.
 *
 * What a caller sees: replies to MAIL, RCPT and the message are returned, whatever they say. Refusals of the other steps
 * are thrown as `SmtpRefused`. A broken connection is a Failure (`backend-unavailable`, `timed-out`, `bad-input` for
 * nonsense), except between final dot and reply: `OutcomeUnknown`, the message may or may not have been taken
 * (RFC 1047). After anything thrown the connection is of no more use; `stage` says how far it came.
 */
import { Failure } from '../base/failure.ts';
import { connectTo } from '../net/connect.ts';
import type { ConnectOptions } from '../net/connect.ts';
import { Connection } from '../net/connection.ts';
import { plainResponse } from '../sasl/mechanisms.ts';
import { encodeXtext, hasUnsafeCharacter } from './address.ts';
import { mailCommand, rcptCommand } from './commands.ts';
import type { EnvelopeRecipient, EnvelopeSender } from './commands.ts';
import { DotStuffer } from './dot-stuffing.ts';
import { ReplyReader } from './reply-reader.ts';
import type { SmtpTimeouts } from './reply-reader.ts';
import { OutcomeUnknown, SmtpRefused } from './refusal.ts';
import { isPositive, parseReplyLine } from './reply.ts';
import type { Reply } from './reply.ts';

export interface SmtpClientOptions {
  readonly protocol: 'smtp' | 'lmtp';
  /** How long to wait at each step; RFC 5321 section 4.5.3.2 where not given. */
  readonly timeouts?: Partial<SmtpTimeouts> | undefined;
  /** Cuts the line when it is aborted, whatever is under way. */
  readonly signal?: AbortSignal | undefined;
}

/** What a trusted peer is told of the true client (XCLIENT). Undefined values are sent as [UNAVAILABLE]. */
export interface XclientAttributes {
  readonly address: string;
  readonly port: number;
  readonly hello: string | undefined;
  /** As in a Received field: `ESMTPS`, `ESMTPSA`, … */
  readonly protocol: string;
  /** The user that the peer shall take as authenticated. */
  readonly login?: string | undefined;
}

export class SmtpClient {
  readonly #connection: Connection;
  readonly #protocol: 'smtp' | 'lmtp';
  readonly #replies: ReplyReader;
  #extensions: ReadonlyMap<string, string> = new Map();
  /** Recipients accepted in this transaction: LMTP answers the message once for each. */
  #accepted = 0;

  /** @param connection fresh: nothing read from it. */
  constructor(connection: Connection, options: SmtpClientOptions) {
    this.#connection = connection;
    this.#protocol = options.protocol;
    this.#replies = new ReplyReader(connection, options.timeouts ?? {});
  }

  /** How far the conversation came, for failure reports. */
  get stage(): string {
    return this.#replies.stage;
  }

  /** True while the connection stands. */
  get alive(): boolean {
    return this.#replies.alive;
  }

  /** What the server announced, keyword (upper case) to parameters. */
  get extensions(): ReadonlyMap<string, string> {
    return this.#extensions;
  }

  /** Waits for the greeting. */
  async greeting(): Promise<void> {
    await this.#replies.expect('greeting');
  }

  /** Says EHLO (or LHLO), falling back to HELO where EHLO is not understood, and learns the extensions. */
  async hello(name: string): Promise<void> {
    const reply = await this.#say('hello', `${this.#protocol === 'lmtp' ? 'LHLO' : 'EHLO'} ${name}`);
    if (isPositive(reply)) {
      this.#extensions = readExtensions(reply);
      return;
    }
    if (this.#protocol === 'lmtp' || reply.code < 500) throw new SmtpRefused('hello', reply);
    this.#extensions = new Map();
    await this.#demand('hello', `HELO ${name}`);
  }

  /** STARTTLS; afterwards `hello` must be said again (RFC 3207 section 4.2). */
  async startTls(options: NonNullable<ConnectOptions['tls']>): Promise<void> {
    await this.#demand('starttls', 'STARTTLS');
    // What the server sent ahead of the handshake was not protected: an injected reply, or a broken server.
    if (this.#connection.bufferedBytes > 0) throw this.#abandon(new Failure('backend-unavailable', 'bytes ahead of the TLS handshake'));
    await this.#connection.startTlsAsClient(options);
    this.#extensions = new Map();
  }

  /** Tells a server that trusts us who the client is, with the attributes that it announced. The session starts over: say `hello` again. */
  async xclient(attributes: XclientAttributes): Promise<void> {
    const address = attributes.address.includes(':') ? `IPV6:${attributes.address}` : attributes.address;
    const login = attributes.login === undefined ? [] : [`LOGIN=${encodeXtext(attributes.login)}`];
    // A stranger chose this name: what is not plain is not worth a refused command.
    const hello = /^[!-~]{1,255}$/u.test(attributes.hello ?? '') ? encodeXtext(attributes.hello ?? '') : '[UNAVAILABLE]';
    const words = [`ADDR=${address}`, `PORT=${String(attributes.port)}`, 'NAME=[UNAVAILABLE]', `HELO=${hello}`, `PROTO=${attributes.protocol}`, ...login];
    const announced = (this.#extensions.get('XCLIENT') ?? '').toUpperCase().split(' ').filter((name) => name !== '');
    const known = words.filter((word) => announced.length === 0 || announced.includes(word.slice(0, word.indexOf('='))));
    await this.#demand('xclient', `XCLIENT ${known.join(' ')}`);
  }

  /** AUTH EXTERNAL on another's behalf (RFC 4422 appendix A). */
  async authenticateExternal(authorisationId: string): Promise<void> {
    const response = Buffer.from(authorisationId).toString('base64');
    await this.#demand('auth', `AUTH EXTERNAL ${response === '' ? '=' : response}`);
  }

  /** AUTH PLAIN with an initial response. The caller sees to it that the connection is encrypted. */
  async authenticatePlain(user: string, password: string): Promise<void> {
    await this.#demand('auth', `AUTH PLAIN ${plainResponse({ user, password }).toString('base64')}`);
  }

  async mail(sender: EnvelopeSender): Promise<Reply> {
    this.#accepted = 0;
    return this.#say('mail', mailCommand(sender, this.#extensions));
  }

  async rcpt(recipient: EnvelopeRecipient): Promise<Reply> {
    const reply = await this.#say('rcpt', rcptCommand(recipient, this.#extensions));
    if (isPositive(reply)) this.#accepted += 1;
    return reply;
  }

  /** MAIL and all RCPT in one write where the server can (RFC 2920); a RCPT's reply means nothing if MAIL's is a refusal. */
  async envelope(sender: EnvelopeSender, recipients: readonly EnvelopeRecipient[]): Promise<{ sender: Reply; recipients: Reply[] }> {
    this.#accepted = 0;
    const commands = [mailCommand(sender, this.#extensions), ...recipients.map((one) => rcptCommand(one, this.#extensions))];
    const answers: Reply[] = [];
    // In groups, so that neither side's buffers fill while nobody reads.
    const groupSize = this.#extensions.has('PIPELINING') ? 100 : 1;
    for (let from = 0; from < commands.length; from += groupSize) {
      const group = commands.slice(from, from + groupSize);
      await this.#connection.write(commandBytes(group));
      for (const _ of group) answers.push(await this.#replies.read(answers.length === 0 ? 'mail' : 'rcpt'));
    }
    const [answer, ...answersToRecipients] = answers;
    if (answer === undefined) throw new Failure('bad-input', 'no reply to MAIL');
    if (isPositive(answer)) this.#accepted = answersToRecipients.filter(isPositive).length;
    return { sender: answer, recipients: answersToRecipients };
  }

  /**
   * Sends the message, raw bytes with CRLF line ends, at the speed the server takes it. SMTP: one reply; LMTP: one for
   * each accepted recipient, in their order. When `source` throws, the line is cut, so that the server can't take the
   * half for a message.
   */
  async data(source: AsyncIterable<Buffer>): Promise<Reply[]> {
    const go = await this.#say('data', 'DATA');
    if (go.code !== 354) throw new SmtpRefused('data', go);
    await this.#stream(source);
    const replies: Reply[] = [];
    const expected = this.#protocol === 'lmtp' ? this.#accepted : 1;
    try {
      while (replies.length < expected) replies.push(await this.#replies.read('final'));
    } catch (cause) {
      throw this.#abandon(new OutcomeUnknown(replies, cause));
    }
    return replies;
  }

  /** RSET: the transaction is given up, or the outcome of the last one confirmed. */
  async reset(): Promise<void> {
    this.#accepted = 0;
    await this.#demand('rset', 'RSET');
  }

  /** QUIT, politely but briefly: never throws. */
  async quit(): Promise<void> {
    if (!this.alive) return;
    if (this.stage === 'message') {
      // Whatever is said now would be part of the message.
      this.#connection.destroy();
      return;
    }
    try {
      await this.#say('quit', 'QUIT');
      this.#connection.end();
    } catch {
      // The server has all it needs; it may be gone already.
      this.#connection.destroy();
    }
  }

  /** Cuts the line. */
  destroy(): void {
    this.#connection.destroy();
  }

  async #say(stage: string, command: string): Promise<Reply> {
    await this.#connection.write(commandBytes([command]));
    return this.#replies.read(stage);
  }

  async #demand(stage: string, command: string): Promise<void> {
    const reply = await this.#say(stage, command);
    if (!isPositive(reply)) throw new SmtpRefused(stage, reply);
  }

  async #stream(source: AsyncIterable<Buffer>): Promise<void> {
    const stuffer = new DotStuffer();
    this.#replies.enter('message');
    try {
      for await (const piece of source) {
        await this.#replies.within('message', this.#connection.write(stuffer.push(piece)));
        if (!this.alive) break;
      }
    } catch (thrown) {
      throw this.#abandon(thrown);
    }
    if (!this.alive) throw await this.#earlyEnd();
    await this.#connection.write(stuffer.end());
  }

  /** The server closed before the message was whole: so it has not taken it. It may have said why. */
  async #earlyEnd(): Promise<Error> {
    const line = this.#connection.bufferedBytes > 0 ? await this.#connection.readLine() : undefined;
    const reply = line === undefined ? undefined : parseReplyLine(line);
    if (reply === undefined || reply.code < 400) return new Failure('backend-unavailable', 'connection lost in the middle of the message');
    return new SmtpRefused('message', { code: reply.code, enhanced: undefined, lines: [reply.text] });
  }

  #abandon<E>(thrown: E): E {
    this.#connection.destroy();
    return thrown;
  }
}

/** Longer than any reply line of RFC 5321 section 4.5.3.1.5 (512), for servers that explain themselves at length. */
const maxReplyLineBytes = 8192;

/** Connects and waits for the greeting. Fails as `connectTo` and `greeting` do. */
export async function openSmtpClient(target: ConnectOptions, options: SmtpClientOptions): Promise<SmtpClient> {
  const socket = await connectTo(target);
  const connection = new Connection(socket, { maxLineBytes: maxReplyLineBytes, idleTimeoutMs: 0 });
  const client = new SmtpClient(connection, options);
  const cut = (): void => client.destroy();
  options.signal?.addEventListener('abort', cut);
  void connection.closed.then(() => options.signal?.removeEventListener('abort', cut));
  if (options.signal?.aborted === true) cut();
  try {
    await client.greeting();
  } catch (thrown) {
    client.destroy();
    throw thrown;
  }
  return client;
}

/** A command must be one line whatever the caller put into it. */
function commandBytes(commands: readonly string[]): Buffer {
  if (commands.some(hasUnsafeCharacter)) throw new Failure('bad-input', 'control character in a command');
  return Buffer.from(commands.map((command) => `${command}\r\n`).join(''), 'utf8');
}

function readExtensions(reply: Reply): ReadonlyMap<string, string> {
  return new Map(reply.lines.slice(1).map((line) => {
    const [keyword = '', ...parameters] = line.trim().split(/[ =]+/u);
    return [keyword.toUpperCase(), parameters.join(' ')];
  }));
}
