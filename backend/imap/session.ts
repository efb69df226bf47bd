/**
 * One IMAP session of a back-end: who it is for, what is open, what was enabled; it reads one command after the other and
 * has it obeyed. The state is assigned in one place (`enter`), and so is what a client may have enabled.
 */
import type { NameEncoding } from '../../shared/imap/mailbox-name.ts';
import type { ReadCommand } from '../../shared/imap/command-reader.ts';
import { modseqsFromNowOn } from '../../shared/imap/relayed-text.ts';
import type { StringForm } from '../../shared/imap/strings.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { LegTerms } from '../../shared/legs/leg-terms.ts';
import type { SessionEnd } from '../../shared/legs/resting-legs.ts';
import type { Connection } from '../../shared/net/connection.ts';
import type { SessionSlot } from '../../shared/workers/command-slots.ts';
import type { ChangeHint } from '../../shared/service/service.ts';
import type { Beginning, SessionLog } from '../line-service/line-service.ts';
import type { Account, Mailbox } from '../storage/storage.ts';
import { AccountNews } from './account-news.ts';
import { Bell } from './bell.ts';
import type { Selected } from './command.ts';
import { nextCommand } from './command-input.ts';
import { CommandRest } from './command-rest.ts';
import { handOn } from './hand-on.ts';
import type { ImapOptions } from './imap.ts';
import { Output } from './output.ts';
import type { Leg } from './leg.ts';
import { Legs } from './legs.ts';
import { obey } from './obey.ts';
import { formatCompletion } from './replies.ts';
import { capabilities } from './capabilities.ts';
import { isLoggedIn } from './session-state.ts';
import type { ClientAddress, Extension, SessionOptions, SessionState } from './session-state.ts';
import type { View } from './view.ts';

export class Session {
  readonly connection: Connection;
  readonly options: SessionOptions;
  readonly output: Output;
  /** The place in which its commands work. */
  readonly slot: SessionSlot;
  /** Rung when something may have happened to the account. */
  readonly bell = new Bell();
  readonly accountNews = new AccountNews();
  /** Of the command that is running: what is still in the stream. */
  readonly rest = new CommandRest(this);
  id: string;
  readonly sessionLog: SessionLog;
  client: ClientAddress;
  /** The address whose mailbox is asked for, for referrals. */
  wantedAddress = '';
  /** Whose folders the account's are not, but who may be in some of them: another node of the cluster says who it is. */
  guest: string | undefined;
  /** Whose folders that node has asked for. */
  guestOf: string | undefined;
  /** Whether it understands how folders are told to it; `no` of earlier versions, which would pass such lines on. */
  hearsNotified: 'yes' | 'no' = 'no';
  failedLogins = 0;
  /** `yes`: what follows the login is said by somebody for whom the front-end logs in, not by the front-end. */
  speaksForClient: 'yes' | 'no' = 'no';
  /** How the front-end gets the connection back after LOGOUT. */
  legTerms: LegTerms | undefined;
  /** Of the command that is running. */
  tag = '*';
  /** The command that is running, as it was read: lines and literals. */
  commandText = '';
  /** On which way the running command went to another node. */
  relayedBy: Leg | undefined;
  /** To other nodes. */
  readonly legs = new Legs(this);
  #state: SessionState = { at: 'not-authenticated' };
  readonly #enabled = new Set<Extension>();
  #badCommands = 0;
  #activity: 'waiting' | 'working' = 'waiting';
  /** Why it has to go, once it has to. */
  #leaving: string | undefined;

  constructor({ connection, slot, id, sessionLog, trustedPeer, neighbour, resting }: Beginning, options: ImapOptions) {
    this.connection = connection;
    this.options = { ...options, trustedPeer, neighbour, resting };
    this.output = new Output(connection);
    this.id = id;
    this.client = { address: connection.remoteAddress, port: connection.remotePort };
    this.sessionLog = sessionLog;
    this.slot = slot;
  }

  get log(): Logger {
    return this.sessionLog.log;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The account of a logged-in client. */
  get account(): Account {
    if (isLoggedIn(this.#state)) return this.#state.account;
    throw new Error(`no account in state ${this.#state.at}`);
  }

  /** For whom it works: somebody without an account here, who comes from another node, or the account's own user. */
  get visitor(): string {
    return this.guest ?? this.account.address;
  }

  /** The open mailbox. */
  get selected(): Selected {
    if (this.#state.at !== 'selected') throw new Error(`no mailbox in state ${this.#state.at}`);
    return { session: this, account: this.#state.account, view: this.#state.view };
  }

  /** How mailbox names travel (RFC 9051 section 5.1). */
  get names(): NameEncoding {
    return this.strings === 'utf-8' ? 'utf-8' : 'utf-7';
  }

  /** What strings may hold (RFC 6855 section 3, RFC 9051 appendix A). */
  get strings(): StringForm {
    return this.#enabled.has('IMAP4REV2') || this.#enabled.has('UTF8=ACCEPT') ? 'utf-8' : 'ascii';
  }

  /** All that the client has enabled. */
  get enabled(): readonly Extension[] {
    return [...this.#enabled];
  }

  isEnabled(extension: Extension): boolean {
    return this.#enabled.has(extension);
  }

  enable(extension: Extension): void {
    if (this.#enabled.has(extension)) return;
    const knewModseqs = this.#enabled.has('CONDSTORE');
    this.#enabled.add(extension);
    if (extension === 'QRESYNC') this.#enabled.add('CONDSTORE');
    // RFC 7162 section 3.1: whoever begins with mod-sequences needs the one of the open mailbox.
    if (!knewModseqs && this.#enabled.has('CONDSTORE') && this.#state.at === 'selected') {
      this.output.line(modseqsFromNowOn(this.#state.view.highestModseq));
    }
    if (this.#state.at === 'selected') this.suit(this.#state.view);
    this.accountNews.lookAgain(); // what other nodes say by themselves they say in the same way
  }

  /** The view becomes as what the client has enabled wants it. */
  suit(view: View): void {
    if (this.#enabled.has('UIDONLY')) view.numbering = 'uids';
    if (this.#enabled.has('IMAP4REV2')) view.flagTexts.recentFrom = Infinity;
  }

  /** The mailbox that was open on another node is closed there. */
  leaveAway(): void {
    if (this.#state.at === 'away') this.enter({ at: 'authenticated', account: this.#state.account });
  }

  /** The one place where the state changes. Logout is the end, whatever a command that was still running thinks. */
  enter(state: SessionState): void {
    if (this.#state.at === 'logout') return;
    if (this.#state.at === 'selected' && this.#state.view.hidesExpunges) this.accountNews.noteUntold(this, this.#state);
    this.#state = state;
  }

  /** News of this worker's or another's doing, of any account; a hint only. */
  hear({ account, mailbox }: ChangeHint): void {
    const { state } = this;
    if (!isLoggedIn(state)) return;
    if (state.account.id === account && mailbox === undefined) this.checkOwner();
    const isOwn = state.account.id === account && this.guest === undefined; // of the owner's account a guest hears what is shared
    const listens = isOwn ? this.accountNews.hear(mailbox) : this.accountNews.hearOfOthers(account, mailbox);
    const now: SessionState = this.#state;
    const isOpen = now.at === 'selected' && now.place.account.id === account && (mailbox === undefined || mailbox === now.view.mailbox.id);
    if (isOpen || listens) this.bell.ring();
  }

  /** An account that leaves for another node takes its clients along: they connect anew, and are led there. */
  checkOwner(): void {
    const { state } = this;
    if (!isLoggedIn(state)) return;
    const standing = state.account.standing();
    if (standing === 'barred') this.leave('the account was disabled');
    else if (standing === 'away') this.leave('the mail of this account can not be had for the time being');
    else if (standing !== 'live') this.leave('mailbox has a new name or place, please reconnect');
  }

  /** Serves until the client leaves, or is sent away. Who began anew after UNAUTHENTICATE expects no greeting. */
  async run(begin: 'greeting' | 'silently'): Promise<SessionEnd> {
    if (begin === 'greeting') this.output.line(`* OK [CAPABILITY ${capabilities(this)}] IMAP ready`);
    await this.#flushUnlessMore();
    const loginTimer = setTimeout(() => {
      if (this.#state.at === 'not-authenticated') this.sayBye('too slow to log in');
    }, this.options.limits.loginTimeoutMs);
    try {
      while (this.#state.at !== 'logout') await this.#turn();
      const handedOn = this.#leaving === undefined ? handOn(this, this.#state.then) : undefined;
      if (handedOn !== undefined) return handedOn;
    } finally {
      clearTimeout(loginTimer);
      this.legs.close();
      this.output.end();
      await this.connection.closed;
    }
    return { kind: 'closed' };
  }

  /** A front-end says ID and AUTHENTICATE at once: it gets the greeting together with the answer to the first. */
  async #flushUnlessMore(): Promise<void> {
    if (this.options.trustedPeer === 'no' || !this.connection.hasLine) await this.output.flush();
  }

  /** Says goodbye as soon as no command is running. */
  leave(why = 'server is shutting down, please reconnect'): void {
    this.#leaving = why;
    if (this.#activity === 'waiting') this.sayBye(why, 'UNAVAILABLE');
  }

  /** Runs a part of a command in which the session may be sent away: nothing is left half done. */
  async whileWaiting<Result>(part: () => Promise<Result>): Promise<Result> {
    this.#activity = 'waiting';
    try {
      return await this.slot.without(part);
    } finally {
      this.#activity = 'working';
    }
  }

  /** Tells news while nothing is asked: it is sent away between two responses, not within one. */
  async whileTelling(part: () => Promise<void>): Promise<void> {
    this.#activity = 'working';
    try {
      await part();
    } finally {
      this.#activity = 'waiting';
    }
    if (this.#leaving !== undefined) this.leave(this.#leaving);
  }

  /** Messages that the client put into a mailbox are no news to it. */
  noteOwnMessages(where: { readonly account: Account; readonly mailbox: Mailbox }, uids: readonly number[]): void {
    if (this.#state.at === 'selected' && this.hasOpen(where)) this.#state.view.noteOwnMessages(uids);
    this.accountNews.noteOwnMessages(this, where, uids);
  }

  /** Ids of mailboxes are unique in one storage only. */
  hasOpen({ account, mailbox }: { readonly account: Account; readonly mailbox: Mailbox }): boolean {
    return this.#state.at === 'selected' && this.#state.place.account.id === account.id && this.#state.view.mailbox.id === mailbox.id;
  }

  /** Ends it at once. */
  cut(): void {
    this.connection.destroy();
  }

  /** True when nobody is there any more to be answered: long work stops. */
  get abandoned(): boolean {
    return this.#state.at === 'logout' || this.connection.socket.destroyed;
  }

  /** Sends `* BYE` as the last words. */
  sayBye(text: string, code?: string): void {
    if (this.#state.at === 'logout') return;
    this.output.line(formatCompletion('*', { status: 'OK', code, text }).replace('* OK', '* BYE'));
    this.output.end();
    this.enter({ at: 'logout', then: 'close' });
    this.bell.ring();
  }

  /** Asks for a literal or the next SASL response. */
  async invite(text: string): Promise<void> {
    this.output.line(`+ ${text}`);
    await this.output.flush();
  }

  async #turn(): Promise<void> {
    const read = await nextCommand(this);
    if (read === undefined || this.#state.at === 'logout') return;
    const { state } = this;
    const obeying = isLoggedIn(state) ? state.account.atOneMoment(() => this.#begin(read)) : this.#begin(read);
    if (obeying === undefined) return;
    const status = await obeying;
    this.#activity = 'waiting';
    if (status !== undefined) this.#badCommands = status === 'BAD' ? this.#badCommands + 1 : 0;
    if (this.#leaving !== undefined) this.leave(this.#leaving);
    else if (this.#badCommands > this.options.limits.maxErrors) this.sayBye('too many errors');
    else if (this.failedLogins >= this.options.limits.maxAuthErrors) this.sayBye('too many failed logins');
    else if (!this.abandoned) await this.output.flush(); // last words go together
  }

  /** What of a command comes before its first wait; undefined when nobody is there any more. */
  #begin(read: ReadCommand): ReturnType<typeof obey> | undefined {
    this.checkOwner(); // hints may get lost, and what is left of an account that went must not be taken for it
    if (this.abandoned) return undefined;
    this.#activity = 'working';
    return obey(this, read);
  }
}
