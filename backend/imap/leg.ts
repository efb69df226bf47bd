/**
 * A session's connection to the back-end that keeps somebody else's folders: there it is a guest in that account. Names are the same on both sides, so commands go there as the client said them, and what is answered goes to the client as it comes.
 */
import { Failure } from '../../shared/base/failure.ts';
import { announcedLiteral } from '../../shared/imap/command-reader.ts';
import { formatIdFields, guestField, notifiedField, saysNotifiedField } from '../../shared/imap/id-fields.ts';
import { parseEnd, tellsOfModseqs, withoutWaiting } from '../../shared/imap/relayed-text.ts';
import type { RelayedEnd } from '../../shared/imap/relayed-text.ts';
import { Connection } from '../../shared/net/connection.ts';
import type { AwayNames } from './away-names.ts';
import type { Wishes } from './away-watch.ts';
import { LegWishes } from './leg-wishes.ts';
import { LineAhead } from './line-ahead.ts';
import { withSubscription } from './mailbox-lines.ts';
import type { Session } from './session.ts';

/** A SEARCH response is one line, however many messages it names. */
const maxLineBytes = 32 * 1024 * 1024;
/** How long a node may keep silent where an answer takes no time to find, unless the service says otherwise. */
const usualPatienceMs = 10_000;
/** And while it carries out a client's command: one on the open mailbox may be a long search. */
const longestCommandMs = 300_000;

/** How long to wait for an answer: to a question of ours, to a command of the client's on a mailbox that it names or on the open one, to nothing in particular (IDLE). */
type Patience = 'question' | 'command' | 'long command' | 'endless';

/** What becomes of an untagged response: it is for us, for the client, or we go on with what stands behind this line. */
export type Taker = (line: string) => 'taken' | 'pass on' | 'stop';
export const passOn: Taker = () => 'pass on';
const taken: Taker = () => 'taken';

export class Leg {
  readonly owner: string;
  /** Why the node ended it, in its words, once it has. */
  goodbye: string | undefined;
  /** Whether the node says how folders are of which NOTIFY tells (`NotifiedName`); `no` of earlier versions. */
  saysNotified: 'yes' | 'no' = 'no';
  readonly #session: Session;
  readonly #connection: Connection;
  readonly #lines: LineAhead;
  #own = 0;
  /** What the node knows that the client has enabled. */
  readonly #enabled = new Set<string>();
  readonly #wishes = new LegWishes();
  #readers = 0;

  private constructor(session: Session, owner: string, connection: Connection) {
    this.#session = session;
    this.owner = owner;
    this.#connection = connection;
    this.#lines = new LineAhead(connection, session.slot);
  }

  /** Connects and logs in, or answers to which node the account has moved. @throws Failure */
  static async at(session: Session, owner: string, node: string): Promise<Leg | { readonly movedTo: string }> {
    const socket = await session.slot.without(async () => session.options.sharing.others.connect(node));
    const leg = new Leg(session, owner, new Connection(socket, { maxLineBytes, idleTimeoutMs: usualPatienceMs, slot: session.slot }));
    try {
      const moved = await leg.#logIn();
      if (moved === undefined) return leg;
      leg.close();
      return { movedTo: moved };
    } catch (error) {
      leg.close();
      throw error;
    }
  }

  /** Whether it is worth asking: what it says unasked is goodbye, unless NOTIFY asks for more. */
  get isOpen(): boolean {
    return this.isUsable && (this.isWatching || !this.#connection.hasLine);
  }

  /** Whether the node says unasked what happens there. */
  get isWatching(): boolean {
    return this.#wishes.areKnown;
  }

  /** Whether somebody waits for what it says: nobody else may. */
  get isReading(): boolean {
    return this.#readers > 0;
  }

  /** Whether what is under way can go on. */
  get isUsable(): boolean {
    return !this.#connection.inputEnded && !this.#connection.socket.destroyed;
  }

  close(): void {
    this.#connection.destroy();
  }

  /** A command of the client's, as it was read. @throws Failure('backend-unavailable') */
  async relay(patience: 'command' | 'long command'): Promise<RelayedEnd> {
    const { commandText: text, tag } = this.#session;
    this.begin(patience);
    await this.say(withoutWaiting(text));
    return this.end(tag);
  }

  /** What the client has enabled holds there, too. News that come with it are the client's. @throws Failure('backend-unavailable') */
  async keepUp(): Promise<void> {
    const more = this.#session.enabled.filter((name) => !this.#enabled.has(name));
    if (more.length === 0) return;
    for (const name of more) this.#enabled.add(name);
    await this.ask(`ENABLE ${more.join(' ')}`, (line) => (/^\* ENABLED\b/i.test(line) ? 'taken' : 'pass on'));
  }

  /** What the client wants to hear of holds there, too. @throws Failure('backend-unavailable') */
  async wish(wishes: Wishes, names: AwayNames): Promise<'granted' | 'refused'> {
    return this.#wishes.ask(this, this.#session, { wishes, names });
  }

  /** Calls `heard` once the node says something unasked, or is gone. */
  listen(heard: () => void): void {
    if (!this.isWatching || this.isReading) return;
    this.setPatience('endless');
    this.#lines.listen(heard);
  }

  /** Passes on what the node has said unasked. @throws Failure('backend-unavailable') when that was goodbye, or the line is cut */
  async passUnasked(): Promise<void> {
    if (!this.isWatching || this.isReading) return;
    while (this.#lines.isThere || !this.isUsable) {
      this.setPatience('question');
      await this.#pass(await this.line());
    }
  }

  /** A command of the client's goes this way. */
  begin(patience: Patience): void {
    this.#session.relayedBy = this;
    this.setPatience(patience);
  }

  setPatience(patience: Patience): void {
    const { otherNodePatienceMs: questionMs = usualPatienceMs } = this.#session.options.limits;
    this.#connection.setIdleTimeout({ question: questionMs, command: 3 * questionMs, 'long command': longestCommandMs, endless: 0 }[patience]);
  }

  /** A command of our own; answers how it ended. `line` is without a tag. @throws Failure('backend-unavailable') */
  async ask(line: string, take: Taker = passOn, patience: Patience = 'question'): Promise<RelayedEnd> {
    const tag = this.newTag();
    this.setPatience(patience);
    await this.say(`${tag} ${line}`);
    return this.end(tag, take);
  }

  newTag(): string {
    this.#own += 1;
    return `waybill${String(this.#own)}`;
  }

  /** One line. */
  async say(line: string): Promise<void> {
    await this.#connection.write(`${line}\r\n`);
  }

  async write(bytes: Buffer): Promise<void> {
    await this.#connection.write(bytes);
  }

  /** Passes on what is said until the command of that tag has ended. @throws Failure('backend-unavailable') */
  async end(tag: string, take: Taker = passOn): Promise<RelayedEnd> {
    const said = await this.next(tag, take);
    if (typeof said === 'string') throw this.#broken(new Error('asked for more than the command had'));
    return said;
  }

  /** The same, but it may also ask for a literal, or for what comes while IDLE goes on. */
  async next(tag: string, take: Taker = passOn): Promise<RelayedEnd | 'go on' | 'stopped'> {
    return this.whileReading(async () => this.#next(tag, take));
  }

  /** Nobody else may read meanwhile. */
  async whileReading<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#readers += 1;
    try {
      return await work();
    } finally {
      this.#readers -= 1;
    }
  }

  async #next(tag: string, take: Taker): Promise<RelayedEnd | 'go on' | 'stopped'> {
    const { output } = this.#session;
    for (;;) {
      const line = await this.line();
      if (line.startsWith('+')) return 'go on';
      if (line.startsWith(`${tag} `)) return this.#ended(line.slice(tag.length + 1));
      const verdict = take(line);
      if (verdict === 'stop') return 'stopped';
      await (verdict === 'taken' ? this.#skip(line) : this.#pass(line));
      if (output.full || !this.#connection.hasLine) await output.flush();
    }
  }

  /** A line that is not goodbye. @throws Failure('backend-unavailable') */
  async line(): Promise<string> {
    const line = await this.#lines.take().catch((error: unknown) => {
      throw this.#broken(error);
    });
    this.goodbye = /^\* BYE (?:\[[^\]]*\] )?(.+)$/.exec(line ?? '')?.[1];
    if (line === undefined || line.startsWith('* BYE')) throw this.#broken(new Error(line ?? 'closed'));
    return line;
  }

  /** The bytes of a literal; all of them have to be read. @throws Failure('backend-unavailable') */
  async *literal(size: number): AsyncGenerator<Buffer, void, void> {
    try {
      for await (const piece of this.#connection.readStream(size)) yield piece;
    } catch (error) {
      throw this.#broken(error);
    }
  }

  /** Passes on one response, which may hold literals; what the node says to us of folders is not the client's. */
  async #pass(line: string): Promise<void> {
    if (this.#wishes.takes(line)) return this.#skip(line);
    const first = withSubscription(this.#session, line);
    if (/^\* OK \[CLOSED\]/i.test(first)) this.#session.leaveAway();
    if (tellsOfModseqs(first, this.#session.commandText)) {
      this.#enabled.add('CONDSTORE'); // it knows: ENABLE would bring news, which this command may not be allowed to
      this.#session.enable('CONDSTORE'); // a client that asks one node for them is to be told them by all
    }
    if (/^\* OK \[NOTIFICATIONOVERFLOW\]/i.test(first)) this.#session.accountNews.stop(); // to the client that is the end of all of them
    await this.#session.legs.alone(async () => this.#passWhole(first));
  }

  /** Once a part of a response is said, nothing but the rest of it can follow. */
  async #passWhole(first: string): Promise<void> {
    const { output } = this.#session;
    let line = first;
    for (;;) {
      const announced = announcedLiteral(line);
      output.line(line);
      if (announced === undefined) return;
      try {
        for await (const piece of this.literal(announced.literal.size)) await output.bytes(piece);
        line = await this.line();
      } catch (error) {
        this.#session.cut(); // bytes that are not the message's must never stand for it
        throw error;
      }
    }
  }

  /** Reads past one response. */
  async #skip(first: string): Promise<void> {
    for (let announced = announcedLiteral(first); announced !== undefined; announced = announcedLiteral(await this.line())) {
      for await (const piece of this.literal(announced.literal.size)) void piece;
    }
  }

  #ended(text: string): RelayedEnd {
    const end = parseEnd(text);
    if (end === undefined) throw this.#broken(new Error('not understood'));
    return end;
  }

  #broken(cause: unknown): Failure {
    this.close();
    return unavailable(cause, this.goodbye);
  }

  /** Answers the node to which the account has moved, if it has. */
  async #logIn(): Promise<string | undefined> {
    const { visitor, client, id, enabled } = this.#session;
    const fields: [string, string][] = [[guestField, this.owner], [notifiedField, '1'], ['x-session-id', id], ['x-originating-ip', client.address], ['x-originating-port', String(client.port)]];
    this.setPatience('question');
    const [idTag, loginTag, enableTag] = [this.newTag(), this.newTag(), this.newTag()];
    const enable = enabled.length === 0 ? '' : `\r\n${enableTag} ENABLE ${enabled.join(' ')}`;
    await this.say(`${idTag} ID (${formatIdFields(fields)})\r\n${loginTag} AUTHENTICATE EXTERNAL ${Buffer.from(visitor).toString('base64')}${enable}`);
    await this.end(idTag, (line) => {
      if (line.startsWith('* ID ') && line.includes(`"${saysNotifiedField}" "1"`)) this.saysNotified = 'yes';
      return 'taken';
    });
    const { status, code = '', text } = await this.#expect(loginTag);
    if (status === 'OK') {
      if (enable !== '') await this.#expect(enableTag);
      for (const name of enabled) this.#enabled.add(name);
      return undefined;
    }
    const node = /^REFERRAL .*@([^@/]+)\/?$/i.exec(code)?.[1];
    if (node === undefined) throw code === 'NONEXISTENT' ? new Failure('mailbox-missing', 'no such mailbox') : unavailable(new Error(text));
    return node;
  }

  /** Everything before the end of that command is for us. */
  async #expect(tag: string): Promise<RelayedEnd> {
    return this.end(tag, taken);
  }
}

/** That what the node keeps can't be had now. */
export function unavailable(cause?: unknown, why = 'the server that keeps this folder does not answer'): Failure {
  return new Failure('backend-unavailable', why, { cause });
}
