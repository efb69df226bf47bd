/** What a session tells of its account beyond the open mailbox: annotations that others changed (RFC 5464), and what NOTIFY asks for (RFC 5465). */
import { isFailure } from '../../shared/base/failure.ts';
import type { NotifyEvent } from '../../shared/imap/notify-arguments.ts';
import type { StatusItem } from '../../shared/imap/mailbox-arguments.ts';
import type { Account, Mailbox } from '../storage/storage.ts';
import { AnnotationNews } from './annotation-news.ts';
import type { ChangedAnnotations, OwnAnnotations } from './annotation-news.ts';
import { AwayWatch } from './away-watch.ts';
import { ForeignMailboxes } from './foreign-mailboxes.ts';
import type { FolderNews } from './foreign-mailboxes.ts';
import { changedEntriesLine, listedLine, statusItems, unaskedStatusLine, wireName, withSubscription } from './mailbox-lines.ts';
import type { StateAt } from './mailbox-lines.ts';
import { KnownMailboxes, withOwnMessages, withOwnRemoval } from './mailbox-events.ts';
import type { Changed, OwnRemoval } from './mailbox-events.ts';
import { nameLines } from './name-lines.ts';
import type { MeantMailbox } from './name-lines.ts';
import { SaidNames } from './notified-names.ts';
import type { HerePlace } from './place.ts';
import { Registration, usualWishes } from './registration.ts';
import type { SelectedWishes } from './registration.ts';
import type { SessionState } from './session-state.ts';
import type { Session } from './session.ts';

/** Mailboxes that a session watches at most (as many as an account has by default, `storage.limits.maxMailboxes`), and responses to one look; more is an overflow (RFC 5465 section 5.8). */
const mostWatched = 10_000;
/** Mailboxes that are remembered by name until the next look. */
const mostHeard = 500;

export class AccountNews {
  #annotations: AnnotationNews | undefined;
  #mailboxes: KnownMailboxes | undefined;
  /** Undefined as long as NOTIFY was not used. */
  #registration: Registration | undefined;
  /** Made by the first hint that matters. */
  #heard: Set<number> | undefined;
  #heardOfAll = false;
  #foreign: ForeignMailboxes | undefined;
  #away: AwayWatch | undefined;
  #said = new SaidNames();

  /** What other nodes are asked to tell; undefined as long as NOTIFY was not used. */
  get away(): AwayWatch | undefined {
    return this.#away;
  }

  /** What is told of the open mailbox. */
  get selected(): SelectedWishes {
    return this.#registration?.selected ?? usualWishes;
  }

  /** Whether something is to be told between commands. */
  get isActive(): boolean {
    return this.#registration?.isActive === true;
  }

  /** Whether there can be anything to tell. */
  get watches(): boolean {
    return this.#annotations !== undefined || this.#registration !== undefined;
  }

  /** Whether hints on other mailboxes than the open one matter. */
  get #listens(): boolean {
    return this.#annotations !== undefined || this.#registration?.watchesOthers === true;
  }

  /** From now on changes of annotations are told. */
  watchAnnotations(account: Account): void {
    this.#annotations ??= new AnnotationNews(account);
  }

  /**
   * What counts from now on. Answers `too-many` and changes nothing when there is too much to watch.
   * @param status whether the client wants to hear how all are now; of what other nodes keep they tell it. @throws Failure('directory-unavailable')
   */
  async register(session: Session, registration: Registration, status: 'yes' | 'no'): Promise<'done' | 'too-many'> {
    const { account, guest } = session;
    const watchesOwn = registration.watchesOthers && guest === undefined; // what is the owner's is no guest's, but for what is shared
    const mailboxes = watchesOwn ? new KnownMailboxes(account) : undefined;
    if ((mailboxes?.count ?? 0) > (session.options.limits.mostWatchedMailboxes ?? mostWatched)) return 'too-many';
    let foreign: ForeignMailboxes | undefined;
    try {
      foreign = registration.groupsForOthers.length > 0 ? await ForeignMailboxes.of(session, registration) : undefined;
      this.#away = await AwayWatch.of(session, registration, status);
    } catch (error) {
      if (isFailure(error, 'limit')) return 'too-many';
      throw error;
    }
    this.#foreign = foreign;
    this.#said = new SaidNames();
    this.#mailboxes = mailboxes;
    this.#registration = registration;
    if (watchesOwn) this.watchAnnotations(account);
    session.legs.forgetNames();
    await this.#away.keepUp(session);
    return 'done';
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#mailboxes = undefined;
    this.#foreign = undefined;
    this.#away = AwayWatch.none();
    this.#registration = new Registration([]);
  }

  /** The LIST lines of folders of others of which not all can be told that is meant (RFC 5465 section 3.1). To a node that understands it `notifiedNames` says so. */
  closedNames(session: Session): string[] {
    if (this.#foreign === undefined || this.#registration === undefined) return [];
    const closed = this.#foreign.closed(session, this.#registration);
    return hearsNotified(session) ? [] : closed.map((one) => listedLine(session, one));
  }

  /** To another node, for its client: of which folders it is told, as far as they are not as they were said last. */
  notifiedNames(session: Session): string[] {
    if (!hearsNotified(session) || this.#foreign === undefined || this.#registration === undefined) return [];
    return this.#said.unsaid(this.#foreign.notified(session, this.#registration));
  }

  /** The STATUS lines of all mailboxes whose messages are watched, but the open one (RFC 5465 section 3.1). */
  firstStatus(session: Session): string[] {
    const own = (this.#mailboxes?.all() ?? []).map((state) => ({ state, account: session.account }));
    return this.#wholeStatus(session, [...own, ...(this.#foreign?.all() ?? [])]);
  }

  #wholeStatus(session: Session, states: readonly StateAt[]): string[] {
    return states.flatMap((of) => {
      const mailbox = named(session, of);
      if (isOpen(session, of) || !this.#wants('MessageNew', mailbox)) return [];
      const items: StatusItem[] = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'];
      if (this.#wants('FlagChange', mailbox)) items.push('HIGHESTMODSEQ');
      return [unaskedStatusLine(session, of, items)];
    });
  }

  /** The next look is at everything, since hints may have been lost. */
  lookAgain(): void {
    this.#heardOfAll = true;
    this.#foreign?.lookAgain();
    this.#away?.lookAgain();
  }

  /** A hint on somebody else's account; answers whether there is something to look at. */
  hearOfOthers(account: string, mailbox: number | undefined): boolean {
    return this.#foreign?.hear(account, mailbox) === true;
  }

  /** A hint on the own account, of any worker's; answers whether there is something to look at. */
  hear(mailbox: number | undefined): boolean {
    if (!this.#listens) return false;
    this.#heard ??= new Set();
    if (mailbox === undefined) this.lookAgain(); // also subscriptions to what others share may be others
    else if (this.#heard.size >= mostHeard) this.#heardOfAll = true;
    else this.#heard.add(mailbox);
    return true;
  }

  noteOwnAnnotations(own: OwnAnnotations, { account, whose }: Pick<HerePlace, 'account' | 'whose'>): void {
    if (whose === 'others') return this.#foreign?.noteOwnAnnotations(own, account);
    this.#annotations?.noteOwn(own, account);
    this.#mailboxes?.noteOwnAnnotations(own);
  }

  noteOwnMessages(session: Session, { account, mailbox }: { readonly account: Account; readonly mailbox: Mailbox }, uids: readonly number[]): void {
    if (account.id === session.account.id) this.#mailboxes?.noteOwnMessages(uids, mailbox.state());
    this.#foreign?.noteOwn({ account, state: mailbox.state() }, (known, state) => withOwnMessages(known, uids, state));
  }

  /** The client leaves a mailbox some of whose messages are gone without its having been told: that is news of a mailbox which is not open. */
  noteUntold(session: Session, { place: { account }, view: { mailbox, count } }: Extract<SessionState, { at: 'selected' }>): void {
    if (account.id === session.account.id) {
      this.#mailboxes?.noteUntold(mailbox.id, count);
      this.hear(mailbox.id);
    }
    this.#foreign?.noteUntold(account, mailbox.id, count);
  }

  /** The client removed messages by closing the mailbox. */
  noteOwnRemoval(session: Session, { account, mailbox }: { readonly account: Account; readonly mailbox: Mailbox }, removed: OwnRemoval): void {
    if (account.id === session.account.id) this.#mailboxes?.noteOwnRemoval(removed, mailbox.state());
    this.#foreign?.noteOwn({ account, state: mailbox.state() }, (known, state) => withOwnRemoval(known, removed, state));
  }

  /** The client made, renamed, removed or (un)subscribed these. */
  noteOwnNames(...names: readonly string[]): void {
    if (this.#mailboxes === undefined && this.#foreign === undefined) return;
    for (const name of names) {
      this.#mailboxes?.noteOwnName(name);
      this.#foreign?.noteOwnName(name);
    }
    this.lookAgain();
  }

  /** Adds the responses for everything new. */
  async tell(session: Session, account: Account): Promise<void> {
    this.#letDepart(session);
    const awayTold = this.#away === undefined ? 'done' : await this.#tellOfAway(session, this.#away);
    const own = await this.#mailboxLines(session, account);
    const foreign = this.#foreign === undefined ? [] : await this.#foreignLines(session, this.#foreign);
    const isMuch = awayTold === 'too-many' || foreign === 'too-many';
    const lines = [...own, ...(foreign === 'too-many' ? [] : foreign), ...this.#metadataLines(session, account)];
    const most = session.options.limits.mostWatchedMailboxes ?? mostWatched;
    while (session.legs.passing !== undefined) await session.legs.passing; // in IDLE another node speaks at any time
    if (isMuch || lines.length > most || (this.#mailboxes?.count ?? 0) > most) {
      this.stop();
      session.output.line('* OK [NOTIFICATIONOVERFLOW] too much happens: nothing is told any more until the next NOTIFY');
    } else for (const line of lines) session.output.line(line);
  }

  /** Whose account moved to another node is watched there from now on. */
  #letDepart(session: Session): void {
    if (this.#foreign === undefined || this.#registration === undefined) return;
    for (const [owner, names] of this.#foreign.depart(session, this.#registration)) {
      session.legs.expect(owner, names);
      this.#away?.expect(owner);
    }
  }

  /** What other nodes have said by themselves, and which of them can't. */
  async #tellOfAway(session: Session, away: AwayWatch): Promise<'done' | 'too-many'> {
    const gone = await session.legs.passUnasked();
    if (gone.length > 0) this.#foreign?.lookAgain(); // an account may have moved hither
    try {
      await away.missAll(session, gone);
      await away.keepUp(session);
    } catch (error) {
      if (isFailure(error, 'limit')) return 'too-many';
      session.log.warn({ err: error }, 'could not look for folders on other nodes');
    }
    return 'done';
  }

  async #mailboxLines(session: Session, account: Account): Promise<string[]> {
    const look = this.#heardOfAll ? 'all' as const : this.#heard;
    this.#heard = undefined;
    this.#heardOfAll = false;
    if (this.#mailboxes === undefined || look === undefined) return [];
    const events = this.#mailboxes.take(account, look);
    const counted = events.flatMap((event) => (event.kind === 'counters' ? this.#statusLines(session, { state: event.state, account }, event.changed) : []));
    return [...await nameLines(session, events, (event, mailbox) => this.#wants(event, mailbox)), ...counted];
  }

  async #foreignLines(session: Session, foreign: ForeignMailboxes): Promise<string[] | 'too-many'> {
    let news: FolderNews = { listed: [], annotated: [] };
    const arrived: string[] = [];
    try {
      if (this.#registration !== undefined && foreign.mustLookUp) {
        const owners = session.legs.arrived;
        if (owners.size > 0) this.#away?.lookAgain(); // the old node has perhaps not said goodbye yet
        news = await foreign.lookUp(session, this.#registration, { arrived: new Set(owners.keys()), elsewhere: new Set(session.legs.owners.filter((owner) => !owners.has(owner))) });
        session.legs.letGo(owners.keys());
        if (session.legs.arrived.size > 0) { // during the look
          foreign.lookAgain();
          session.bell.ring();
        }
        for (const [owner, names] of owners) arrived.push(...names.arrive(foreign.notified(session, this.#registration, owner)).map((line) => withSubscription(session, line)));
        arrived.push(...this.#wholeStatus(session, foreign.all().filter(({ account }) => owners.has(account.address))));
      }
    } catch (error) {
      if (isFailure(error, 'limit')) return 'too-many';
      throw error;
    }
    const { listed, annotated } = news;
    const counted = foreign.take().flatMap(({ changed, ...of }) => this.#statusLines(session, of, changed));
    return [...listed.map((one) => listedLine(session, one)), ...arrived, ...counted, ...annotated.map(({ mailbox, entries }) => changedEntriesLine(wireName(session, mailbox), entries)), ...this.notifiedNames(session)];
  }

  #statusLines(session: Session, of: StateAt, changed: ReadonlySet<Changed>): string[] {
    const mailbox = named(session, of);
    if (isOpen(session, of) || !this.#wants('MessageNew', mailbox)) return [];
    const items = statusItems(changed, { flags: this.#wants('FlagChange', mailbox), modseq: session.isEnabled('CONDSTORE') });
    return items.length === 0 ? [] : [unaskedStatusLine(session, of, items)];
  }

  #metadataLines(session: Session, account: Account): string[] {
    const changed = this.#annotations?.take(account) ?? [];
    return changed.filter((one) => this.#wantsMetadata(session, one)).map(({ mailbox, entries }) => changedEntriesLine(wireName(session, mailbox), entries));
  }

  #wantsMetadata(session: Session, { place, mailbox }: ChangedAnnotations): boolean {
    if (this.#registration === undefined) return session.isEnabled('METADATA');
    return place === 'account' ? this.#registration.tellsServerMetadata : this.#wants('MailboxMetadataChange', { name: mailbox });
  }

  #wants(event: NotifyEvent, { name, whose = 'own', subscribed = this.#mailboxes?.isSubscribed(name) === true }: MeantMailbox): boolean {
    return this.#registration?.wants(event, { name, whose, subscribed }) === true;
  }
}

/** Whether the session is of a node that takes what is said of folders to itself. */
function hearsNotified({ guest, hearsNotified: hears }: Session): boolean {
  return guest !== undefined && hears === 'yes';
}

function isOpen({ state: session }: Session, { state, account }: StateAt): boolean {
  return session.at === 'selected' && session.place.account.id === account.id && session.view.mailbox.id === state.id;
}

function named(session: Session, { state, account }: StateAt): { readonly name: string; readonly whose: 'own' | 'others' } {
  return { name: state.name, whose: account.id === session.account.id ? 'own' : 'others' };
}
