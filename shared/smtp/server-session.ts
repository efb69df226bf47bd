/**
 * The server's side of SMTP and LMTP: takes sockets from a listener of ours, lets smtp-server (made strict, see
 * strict-connection.ts) hold the conversation, and asks the room's handlers, promise by promise. Used by the front-ends'
 * smtp-proxy and the back-ends' smtp-receiving.
 *
 * What a room gets for nothing: bare CR, bare LF, NUL and overlong lines are refused (in commands 500 and closed; in a message
 * 550 5.6.0 after its end, and `message`'s bytes throw before their end, so half a bad message is never stored); commands
 * pipelined before STARTTLS are discarded; limits on size, recipients, errors, silence and time; unknown parameters get 555;
 * AUTH is offered under TLS only; one reply for each RCPT in LMTP; 421 4.3.2 when stopping.
 */
import { domainToASCII } from 'node:url';
import type { SMTPServerAddress, SMTPServerAuthentication, SMTPServerOptions, SMTPServerSession } from 'smtp-server';
import { Failure } from '../base/failure.ts';
import { newSessionId } from '../base/session-id.ts';
import type { Logger } from '../log/log.ts';
import { beginTrace } from '../log/protocol-trace.ts';
import type { AnySocket } from '../net/connection.ts';
import type { ServerTls } from '../net/server-tls.ts';
import { readRecipient, readSender } from './envelope.ts';
import { ConnectionPeer } from './peer.ts';
import type { SmtpPeer } from './peer.ts';
import type { EnvelopeRecipient, EnvelopeSender } from './commands.ts';
import { isPositive, makeReply } from './reply.ts';
import type { Reply } from './reply.ts';
import { SmtpRefused } from './refusal.ts';
import { MessageConnection } from './message-connection.ts';
import type { SmtpLimits } from './limits.ts';
import { SessionSlot } from '../workers/command-slots.ts';
import type { CommandSlots } from '../workers/command-slots.ts';
import { pausing, refusalOf, wordsOf, wordsOrRefusal } from './message-intake.ts';
import type { MessageInlet } from './message-inlet.ts';
import { StrictServer } from './strict-connection.ts';
import type { SmtpSaslExchange } from './strict-connection.ts';
import { countConnection, countMessage, countingLogin, countingRecipient } from '../metrics/service-counters.ts';

export type { SmtpPeer } from './peer.ts';

export interface SmtpClaim {
  /** `XCLIENT`: a trusted peer named the user (LOGIN attribute); there is no password. */
  readonly mechanism: 'PLAIN' | 'LOGIN' | 'XCLIENT';
  readonly name: string;
  readonly password: string;
}

/** The room's part. Whatever a handler throws is turned into a reply by `replyTo`; returning is 250. */
export interface SmtpHandlers<S> {
  /** A client is there; returns what the room keeps for the session. Throwing refuses the client (use a 4xx or 5xx reply). */
  open(peer: SmtpPeer): S | Promise<S>;
  /** Checks who it is and returns the user's canonical name. Required when `authentication` is not `none`. */
  authenticate?(state: S, claim: SmtpClaim): Promise<string>;
  /**
   * The SASL mechanisms that the client is offered now, and how each begins; with it `authenticate` isn't asked, and AUTH is
   * offered without TLS, too, where this names something. Without it PLAIN and LOGIN are offered, under TLS only.
   */
  mechanisms?(state: S): ReadonlyMap<string, () => SmtpSaslExchange>;
  /** A transaction begins. It ends with `message`, `reset`, the next `mail`, or `close`; EHLO is not told. */
  mail(state: S, sender: EnvelopeSender): Promise<void> | void;
  /** RSET: the transaction is given up, if there is one; and the client has gone on after our last reply. */
  reset?(state: S): void;
  recipient(state: S, recipient: EnvelopeRecipient): Promise<void>;
  /**
   * The message's bytes, dots unstuffed, CRLF line ends. They must be read to the end before anything is committed: the
   * iteration throws when the message is to be refused or the client is gone. SMTP returns one reply; LMTP one for each of
   * `recipients`, in their order (a repeated address is one recipient, the later parameters count; its client hears the reply twice), or one for all.
   */
  message(state: S, bytes: AsyncIterable<Buffer>, recipients: readonly EnvelopeRecipient[]): Promise<Reply | readonly Reply[]>;
  /** The session is over: after QUIT, or without it. Called once for each state that `open` returned. */
  close(state: S, how: 'quit' | 'cut'): void;
}

export interface SmtpServerOptionsOf<S> {
  readonly protocol: 'smtp' | 'lmtp';
  /** In the greeting and the answer to EHLO. */
  readonly hostName: string;
  /** Completes recipients without a domain; they are refused when absent, but for postmaster. */
  readonly primaryDomain?: string | undefined;
  /** `implicit`: the sockets handed over are TLS sockets already. */
  readonly encryption: 'implicit' | 'starttls' | 'none';
  /** The certificate for STARTTLS, asked for at each new session. */
  readonly serverTls: () => ServerTls;
  /** `required`: AUTH PLAIN and LOGIN under TLS, MAIL only afterwards. `xclient`: the trusted peer names the user, or (with `mechanisms`) asks whether a password is right. */
  readonly authentication: 'none' | 'required' | 'xclient';
  /** XCLIENT is understood: only for listeners on which the handlers check the peer's certificate in `open`. */
  readonly trustedPeers: 'yes' | 'no';
  /** Further keywords for the EHLO answer, such as `XWAYBILL`. */
  readonly extensions: readonly string[];
  /** Parameters known beside those of the standards: of MAIL (they arrive in `sender.extra`), and `XWAYBILL-NODE` of RCPT. */
  readonly extraParameters: readonly string[];
  readonly limits: SmtpLimits;
  /** In which logins, recipients and messages are worked on; any number at once when absent. */
  readonly slots?: CommandSlots | undefined;
  /** Who counts. */
  readonly service: 'smtpProxy' | 'smtpReceiving';
  /** Milliseconds before the greeting, in which a client must not talk. 0 on trusted listeners. */
  readonly greetingDelayMs: number;
  readonly log: Logger;
  readonly handlers: SmtpHandlers<S>;
  /**
   * The room's one place that turns what was thrown into words: Failures, and `SmtpRefused` (of the handlers, or of this
   * file), whose `reply` is usually the answer. Logs what is a fault of ours.
   */
  replyTo(thrown: unknown, sessionId: string): Reply;
}

/** The running sessions of one listener. */
export interface SmtpSessions {
  /** Begins a session on a fresh socket. */
  accept(socket: AnySocket): void;
  /** Says 421 4.3.2 to sessions as they come to rest; cuts what is left after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

interface Held<S> {
  readonly connection: MessageConnection;
  readonly peer: SmtpPeer;
  state: { readonly value: S } | undefined;
}

/** Makes the server side for one listener. */
export function serveSmtp<S>(options: SmtpServerOptionsOf<S>): SmtpSessions {
  return new Sessions(options);
}

class Sessions<S> implements SmtpSessions {
  readonly #options: SmtpServerOptionsOf<S>;
  readonly #server: StrictServer;
  readonly #held = new Map<string, Held<S>>();

  constructor(options: SmtpServerOptionsOf<S>) {
    this.#options = options;
    this.#server = new StrictServer(this.#serverOptions(), {
      limits: options.limits,
      greetingDelayMs: options.greetingDelayMs,
      extensions: options.extensions,
      primaryDomain: options.primaryDomain,
      beginTrace: (id) => (options.authentication === 'none' ? undefined : beginTrace({ service: options.service, session: id })),
      onReset: ({ id }) => {
        const state = this.#held.get(id)?.state;
        if (state !== undefined) options.handlers.reset?.(state.value);
      },
      takeMessage: async (inlet, session) => this.#message(inlet, session).then((answer) => ({ at: 'answered', answer }), (thrown: unknown) => ({ at: 'refused', error: this.#refusal(thrown, session) })),
      sasl: options.handlers.mechanisms === undefined ? undefined : {
        mechanisms: (connection) => this.#inSlots(this.#mechanisms(connection.id)),
        refusal: (thrown, connection) => options.replyTo(thrown, connection.id),
      },
    });
    this.#server.on('error', (error) => options.log.debug({ err: error }, 'client connection failed'));
  }

  accept(socket: AnySocket): void {
    if (socket.destroyed) return;
    this.#server.secureContext.set('*', this.#options.serverTls().context);
    const connection = new MessageConnection(this.#server, socket, newSessionId());
    this.#held.set(connection.id, { connection, peer: new ConnectionPeer(connection), state: undefined });
    this.#server.connections.add(connection);
    socket.once('close', countConnection(this.#options.service));
    connection.on('error', (error: Error) => this.#options.log.debug({ err: error, session: connection.id }, 'client connection failed'));
    connection.init();
  }

  async stop(graceMs: number): Promise<void> {
    const deadline = Date.now() + graceMs;
    while (this.#held.size > 0 && Date.now() < deadline) {
      for (const { connection } of this.#held.values()) {
        if (!connection.busy && !connection._closing) connection.send(421, `4.3.2 ${this.#options.hostName} is shutting down`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const { connection } of this.#held.values()) connection.socket.destroy();
  }

  #serverOptions(): SMTPServerOptions {
    const options = this.#options;
    const disabled = ['XFORWARD', 'WIZ', 'SHELL', 'KILL', 'HELP'];
    if (options.encryption !== 'starttls') disabled.push('STARTTLS');
    if (options.authentication !== 'required' && options.handlers.mechanisms === undefined) disabled.push('AUTH');
    return {
      name: options.hostName, lmtp: options.protocol === 'lmtp', secure: options.encryption === 'implicit', heloResponse: '%s',
      hideENHANCEDSTATUSCODES: false, hideDSN: false, hideREQUIRETLS: true, logger: false, disableReverseLookup: true,
      useXClient: options.trustedPeers === 'yes', disabledCommands: disabled, authMethods: ['PLAIN', 'LOGIN'], authRequiredMessage: 'authentication required',
      requestCert: options.serverTls().requestCertificate === 'yes', rejectUnauthorized: false,
      // The package gives it names with the letters they stand for; certificates have them in ASCII.
      SNICallback: (name, chosen) => {
        const { SNICallback: choose } = options.serverTls().handshake;
        if (choose === undefined) chosen(null);
        else choose(domainToASCII(name), chosen);
      },
      size: options.limits.maxMessageBytes, maxRecipients: options.limits.maxRecipients, socketTimeout: options.limits.idleTimeoutMs,
      onConnect: (session, done) => this.#run(session, done, (held) => this.#open(held, session)),
      onSecure: (_socket, session, done) => {
        session.disabledCommands = disabled;
        done();
      },
      onAuth: (auth, session, done) => this.#authenticate(auth, session, done),
      onMailFrom: (address, session, done) => this.#run(session, done, (held) => this.#mail(held, address)),
      onRcptTo: (address, session, done) => this.#run(session, done, async (held) => this.#recipient(held, address)),
      onClose: (session) => this.#closed(session),
    };
  }

  /** Runs a handler and answers for it. */
  #run(session: SMTPServerSession, done: (error?: Error | null) => void, work: (held: Held<S>) => Promise<void>): void {
    const held = this.#held.get(session.id);
    if (held === undefined) return;
    void work(held).then(() => done(), (thrown: unknown) => done(this.#refusal(thrown, session)));
  }

  #refusal(thrown: unknown, session: SMTPServerSession): Error {
    return refusalOf(this.#options.replyTo(thrown, session.id));
  }

  async #open(held: Held<S>, session: SMTPServerSession): Promise<void> {
    // Unless the room says otherwise, passwords never travel in the clear: AUTH is neither announced nor understood before TLS.
    held.state = { value: await this.#options.handlers.open(held.peer) };
    if (!held.connection.secure && this.#mechanisms(session.id).size === 0) session.disabledCommands = [...this.#server.options.disabledCommands, 'AUTH'];
    if (!this.#held.has(session.id)) this.#options.handlers.close(held.state.value, 'cut');
  }

  #mechanisms(id: string): ReadonlyMap<string, () => SmtpSaslExchange> {
    const state = this.#held.get(id)?.state;
    return (state === undefined ? undefined : this.#options.handlers.mechanisms?.(state.value)) ?? new Map<string, never>();
  }

  /** Each step of an exchange by itself: between two of them the client is waited for. */
  #inSlots(mechanisms: ReadonlyMap<string, () => SmtpSaslExchange>): ReadonlyMap<string, () => SmtpSaslExchange> {
    return new Map([...mechanisms].map(([name, begin]) => [name, () => {
      const exchange = begin();
      return { step: async (response) => this.#inSlot(async () => exchange.step(response)) };
    }]));
  }

  #authenticate(auth: SMTPServerAuthentication, session: SMTPServerSession, done: (error: Error | null, response?: { user?: string }) => void): void {
    const held = this.#held.get(session.id);
    const { handlers } = this.#options;
    const work = async (): Promise<string> => {
      if (held?.state === undefined || handlers.authenticate === undefined) throw new Failure('forbidden', 'authentication is not offered here');
      const name = auth.username ?? '';
      if ((auth.authzid ?? '') !== '' && auth.authzid !== name) throw new Failure('bad-credentials', 'no authorisation for another identity');
      const mechanism = auth.method === 'PLAIN' || auth.method === 'XCLIENT' ? auth.method : 'LOGIN';
      return handlers.authenticate(held.state.value, { mechanism, name, password: auth.password ?? '' });
    };
    void countingLogin(this.#options.service, async () => this.#inSlot(work)).then((user) => done(null, { user }), (thrown: unknown) => done(this.#refusal(thrown, session)));
  }

  async #mail(held: Held<S>, address: SMTPServerAddress): Promise<void> {
    const options = this.#options;
    if (held.state === undefined) return;
    if (options.authentication !== 'none' && held.peer.user === undefined) {
      throw new SmtpRefused('mail', makeReply(530, '5.7.0', held.peer.encrypted ? 'authentication required' : 'must issue a STARTTLS command first'));
    }
    await options.handlers.mail(held.state.value, readSender(address, options.extraParameters));
  }

  async #recipient({ state, connection }: Held<S>, address: SMTPServerAddress): Promise<void> {
    const { service, handlers, extraParameters, limits } = this.#options;
    if (state === undefined) return;
    // The package counts addresses, and a RCPT that is repeated wants its own reply.
    if (connection.recipientsTaken >= limits.maxRecipients) throw new SmtpRefused('rcpt', makeReply(452, '4.5.3', 'too many recipients'));
    await this.#inSlot(async () => countingRecipient(service, async () => handlers.recipient(state.value, readRecipient(address, extraParameters))));
    connection.takeRecipient(address.address);
  }

  async #message(inlet: MessageInlet, session: SMTPServerSession): Promise<(string | Error)[] | string> {
    const held = this.#held.get(session.id);
    if (held?.state === undefined) throw new Failure('bad-input', 'the client is gone');
    const { state } = held;
    try {
      const recipients = session.envelope.rcptTo.map((one) => readRecipient(one, this.#options.extraParameters));
      const answer = await this.#inSlot(async (slot) => this.#options.handlers.message(state.value, pausing(inlet, slot), recipients));
      const replies: readonly Reply[] = 'code' in answer ? recipients.map(() => answer) : answer;
      countMessage(this.#options.service, replies.some(isPositive) ? 'accepted' : 'rejected', inlet.byteLength);
      return this.#options.protocol === 'lmtp' ? replies.map(wordsOrRefusal) : wordsOf(replies);
    } catch (thrown) {
      throw inlet.fault ?? thrown;
    } finally {
      inlet.leave();
    }
  }

  async #inSlot<Result>(work: (slot: SessionSlot | undefined) => Promise<Result>): Promise<Result> {
    if (this.#options.slots === undefined) return work(undefined);
    const slot = new SessionSlot(this.#options.slots);
    return slot.run(async () => work(slot));
  }

  #closed(session: SMTPServerSession): void {
    const held = this.#held.get(session.id);
    this.#held.delete(session.id);
    if (held?.state !== undefined) this.#options.handlers.close(held.state.value, held.connection.quitSaid ? 'quit' : 'cut');
  }
}
