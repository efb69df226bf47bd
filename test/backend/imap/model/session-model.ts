/**
 * One session as the model sees it: what its client believes of the open mailbox, and what the server still has to tell it. Every response
 * is held against both; at the end of a command the client believes what is true.
 */
import assert from 'node:assert/strict';
import type { KnownAnnotations } from './annotation-model.ts';
import { checkContent } from './content-model.ts';
import { findMessage, sameFlags } from './mailbox-model.ts';
import type { Happening, ModelMailbox, ModelMessage } from './mailbox-model.ts';
import type { Fetched, Response } from './responses.ts';
import { isUpToDate, isUpdate } from './follower-model.ts';
import type { Memory, Numbering, OpenView } from './open-view.ts';
import { KnownRecent } from './recent-model.ts';
import type { Worker } from './recent-model.ts';
import type { Moments } from './rush-model.ts';
import type { SharedWatch } from './shared-watch-model.ts';
import type { Looking, Watch } from './watch-model.ts';

/** What one command may bring, beside the news. */
export interface Expectation {
  readonly tells: 'everything' | 'no-expunges';
  /** Messages of which a FETCH must come, with these items. */
  readonly fetched: ReadonlyMap<number, readonly (keyof Fetched)[]>;
  /** Messages of the open mailbox as they were before; news of before may show them. */
  readonly before: Moments;
  /** `at work`: other commands ran at the same time. What they did may have been told in part, or not yet. `told first`: by a node that is asked twice, for what happened before and for the command. */
  readonly others: 'still' | 'told first' | 'at work';
  /** Changed by this session, and not to be told again. */
  readonly own: ReadonlySet<number>;
}

export class SessionModel {
  readonly name: string;
  readonly worker: Worker;
  condstore: 'on' | 'off' = 'off';
  qresync: 'on' | 'off' = 'off';
  #numbering: Numbering = 'sequence and uids';
  view: OpenView | undefined;
  /** `doomed`: the open mailbox is no more, which the server says with BYE. */
  state: 'alive' | 'doomed' = 'alive';
  idle: 'yes' | 'no' = 'no';
  /** Of a session that enabled METADATA. */
  annotations: KnownAnnotations | undefined;
  /** What NOTIFY asked for. */
  watch: Watch | undefined;
  /** The same of the folders of another. */
  sharedWatch: SharedWatch | undefined;
  readonly memories: Memory[] = [];
  #keywords: ReadonlySet<string> = new Set();
  /** By the command that runs. */
  #told = new Map<number, readonly Fetched[]>();
  /** Changes by others of which the client was told by the command that runs. */
  #news = new Set<number>();
  /** The mod-sequence that has to be told, as the client has just begun with them (RFC 7162 section 3.1). */
  #announces: number | undefined;
  /** The mod-sequence that was told last because expunges wait (RFC 7162 section 6). */
  #safeModseq: number | undefined;

  constructor(name: string, worker: Worker) {
    this.name = name;
    this.worker = worker;
  }

  enableCondstore(): void {
    if (this.condstore === 'off') this.#announces = this.view?.heardModseq;
    this.condstore = 'on';
  }

  get numbering(): Numbering {
    return this.#numbering;
  }

  enableUidOnly(): void {
    this.#numbering = 'uids';
    if (this.view !== undefined) this.view.numbering = 'uids';
  }

  open(mailbox: ModelMailbox, access: OpenView['access']): OpenView {
    this.leave();
    this.view = {
      mailbox, access, uidValidity: mailbox.uidValidity, numbering: this.#numbering, uids: mailbox.messages.map(({ uid }) => uid), flags: new Map(), modseqs: new Map(), saved: [], followers: new Map(),
      gone: new Set(), arrived: [], changed: new Set(), retold: new Set(), syncedModseq: mailbox.highestModseq, heardModseq: mailbox.highestModseq,
      recent: new KnownRecent(mailbox.recent, { name: this.name, worker: this.worker, access }),
    };
    return this.view;
  }

  leave(): void {
    if (this.view !== undefined && this.view.gone.size + this.view.arrived.length + this.view.changed.size > 0) for (const watch of [this.watch, this.sharedWatch]) watch?.leave(this.view.mailbox);
    if (this.view !== undefined) this.memories.push({ mailbox: this.view.mailbox, uidValidity: this.view.uidValidity, modseq: this.view.syncedModseq, uids: [...this.view.uids] });
    if (this.memories.length > 5) this.memories.shift();
    this.view = undefined;
  }

  /** Something happened in the mailbox. @param own what this session did and need not be told */
  note({ mailbox, changed, gone, added }: Happening, own: ReadonlySet<number>): void {
    const { view } = this;
    if (view?.mailbox !== mailbox) return;
    for (const uid of changed) if (!own.has(uid) && view.uids.includes(uid)) view.changed.add(uid);
    for (const uid of gone) if (view.uids.includes(uid) || view.arrived.includes(uid)) view.gone.add(uid);
    view.arrived.push(...added);
    for (const uid of gone) {
      const at = view.arrived.indexOf(uid);
      if (at < 0) continue;
      view.arrived.splice(at, 1);
      view.gone.delete(uid);
    }
  }

  get looking(): Looking {
    return { open: this.view?.mailbox, condstore: this.condstore };
  }

  /** What the client hears also when it says nothing; undefined: nothing. */
  get hearsAtOnce(): Expectation['tells'] | undefined {
    if (this.idle === 'yes') return 'everything';
    return this.watch === undefined ? undefined : this.watch.wishes.selected === 'at once' ? 'everything' : 'no-expunges';
  }

  /** Whether something of this is still to come. */
  owes(tells: Expectation['tells']): boolean {
    if (this.watch?.owesAnything(this.looking) === true || this.sharedWatch?.owesAnything(this.looking) === true || (this.annotations?.owed.size ?? 0) > 0) return true;
    const { view } = this;
    if (view === undefined) return false;
    if (view.arrived.length > 0 || view.recent.isOwed(view.uids) || (tells === 'everything' && view.gone.size > 0) || [...view.changed].some((uid) => this.#canTell(uid))) return true;
    return [...view.followers.values()].some((follower) => !isUpToDate(follower.expected(this.#known(view))));
  }

  /** Messages that are there and that the client knows of. */
  #known(view: OpenView): ModelMessage[] {
    return view.uids.flatMap((uid) => findMessage(view.mailbox, uid) ?? []);
  }

  #canTell(uid: number): boolean {
    return this.view !== undefined && this.view.uids.includes(uid) && findMessage(this.view.mailbox, uid) !== undefined;
  }

  /** Takes responses in their order, and then that all which was owed has come. Answers those that are about no message. */
  take(responses: readonly Response[], expected: Expectation): Response[] {
    const others = responses.filter((response) => this.hear(response, expected) === 'of something else');
    this.settle(expected);
    return others;
  }

  /** Takes one response, if it is about messages or flags. */
  hear(response: Response, expected: Expectation): 'taken' | 'of something else' {
    const { view } = this;
    if (response.kind === 'flags') this.#keywords = response.flags;
    else if (response.kind === 'fetch') this.#takeFetch(response, expected);
    else if (response.kind === 'code' && response.code === 'HIGHESTMODSEQ' && response.value === String(this.#announces)) this.#announces = undefined;
    else if (response.kind === 'code' && response.code === 'HIGHESTMODSEQ' && this.qresync === 'on' && view !== undefined && view.gone.size > 0) this.#safeModseq = Number(response.value);
    else if (response.kind === 'recent' && view !== undefined) view.recent.hear(view.uids, response.number);
    else if (response.kind === 'esearch' && isUpdate(response.items)) this.#takeUpdate(response);
    else return view !== undefined && this.#takeCount(response, view, expected) ? 'taken' : 'of something else';
    return 'taken';
  }

  /** Nothing is owed any more, and what the client believes is true. */
  settle({ tells, others, fetched, own }: Expectation): void {
    const [told, news] = [this.#told, this.#news];
    this.#told = new Map();
    this.#news = new Set();
    const { view } = this;
    assert.equal(this.#announces, undefined, `${this.name}: was not told HIGHESTMODSEQ`);
    if (view === undefined) return;
    for (const [uid, items] of fetched) {
      if (!this.#canTell(uid)) continue;
      for (const item of items) assert.ok(told.get(uid)?.some((one) => one[item] !== undefined) === true, `${this.name}: no ${item} of ${String(uid)}`);
    }
    assert.ok(!view.recent.isOwed(view.uids), `${this.name}: was not told that ${String(view.recent.countIn(view.uids))} are recent`);
    if (others === 'at work') return;
    assert.deepEqual(view.arrived, [], `${this.name}: was not told of new messages`);
    if (tells === 'everything') assert.deepEqual([...view.gone], [], `${this.name}: was not told of expunges`);
    assert.deepEqual([...view.changed].filter((uid) => this.#canTell(uid)), [], `${this.name}: was not told of new flags`);
    view.changed.clear();
    view.retold.clear();
    for (const [uid, times] of told) assert.ok(times.length <= (fetched.has(uid) ? 1 : 0) + (news.has(uid) ? 1 : 0), `${this.name}: was told of ${String(uid)} again`);
    for (const [tag, follower] of view.followers) {
      const { has, ought } = follower.expected(this.#known(view));
      assert.deepEqual(has, ought, `${this.name}: results of ${tag}`);
    }
    for (const [uid, flags] of view.flags) this.#believes(view, { uid, flags, own });
    view.heardModseq = view.mailbox.highestModseq;
    if (tells === 'everything') view.syncedModseq = view.heardModseq;
  }

  /** Should the connection break now, by that mod-sequence the client hears of all expunges that wait. */
  checkSafe({ gone, mailbox, syncedModseq }: OpenView): void {
    if (this.qresync === 'off') return;
    const safe = this.#safeModseq ?? NaN;
    const waiting = mailbox.gone.filter(({ uid }) => gone.has(uid)).map(({ modseq }) => modseq);
    assert.ok(safe >= syncedModseq && waiting.every((modseq) => modseq > safe), `${this.name}: HIGHESTMODSEQ ${String(safe)} while expunges wait: ${waiting.join(' ')}; to ${String(syncedModseq)} all was told`);
  }

  #takeUpdate({ of, numbers, items }: Extract<Response, { kind: 'esearch' }>): void {
    const follower = this.view?.followers.get(/^TAG "(.*)"$/.exec(of)?.[1] ?? '');
    assert.ok(this.view !== undefined && follower !== undefined, `${this.name}: ${of} is not kept up to date`);
    follower.hear(items, { numbers, view: this.view });
  }

  #takeCount(response: Response, view: OpenView, { tells, others }: Expectation): boolean {
    if (response.kind === 'exists') {
      const all = view.uids.length + view.arrived.length;
      assert.ok(response.number === all || (others !== 'still' && response.number < all), `${this.name}: EXISTS ${String(response.number)}, there are ${String(all)}`);
      assert.ok(response.number > view.uids.length, `${this.name}: EXISTS without need`);
      view.uids.push(...view.arrived.splice(0, response.number - view.uids.length));
      view.recent.noteMessages(view.uids);
      return true;
    }
    if (response.kind === 'expunge') {
      assert.deepEqual([this.qresync, view.numbering], ['off', 'sequence and uids'], `${this.name}: EXPUNGE with QRESYNC or UIDONLY`);
      this.#forget(view, view.uids[response.number - 1], tells);
      return true;
    }
    if (response.kind !== 'vanished' || response.earlier) return false;
    assert.ok(this.qresync === 'on' || view.numbering === 'uids', `${this.name}: VANISHED without QRESYNC and UIDONLY`);
    for (const uid of response.uids) this.#forget(view, uid, tells);
    return true;
  }

  #forget(view: OpenView, uid: number | undefined, tells: Expectation['tells']): void {
    assert.equal(tells, 'everything', `${this.name}: an expunge when none may be told`);
    assert.ok(uid !== undefined && view.gone.delete(uid), `${this.name}: ${String(uid)} is told to be gone`);
    view.uids.splice(view.uids.indexOf(uid), 1);
    view.changed.delete(uid);
    view.retold.delete(uid);
    view.flags.delete(uid);
    view.modseqs.delete(uid);
  }

  #takeFetch(response: Fetched, { before, others, fetched }: Expectation): void {
    const { view } = this;
    assert.ok(view !== undefined, `${this.name}: FETCH without a mailbox`);
    assert.equal(response.sequence === undefined, view.numbering === 'uids', `${this.name}: UIDFETCH or FETCH`);
    const uid = response.sequence === undefined ? view.uids.find((one) => one === response.uid) : view.uids[response.sequence - 1];
    assert.ok(uid !== undefined, `${this.name}: FETCH of ${String(response.sequence ?? response.uid)}, there are ${String(view.uids.length)}`);
    if (response.uid !== undefined) assert.equal(response.uid, uid, `${this.name}: ${String(response.sequence)} was another message`);
    const message = findMessage(view.mailbox, uid);
    const letter = message?.letter ?? (others === 'still' ? undefined : before.get(uid)?.letter);
    assert.ok(letter !== undefined, `${this.name}: FETCH of ${String(uid)}, which is gone`);
    const wasRenewed = others === 'at work' && before.get(uid)?.renewed === 'perhaps';
    assert.ok(fetched.has(uid) || view.changed.has(uid) || view.retold.has(uid) || wasRenewed, `${this.name}: nobody asked for ${String(uid)}`);
    const { modseq } = response;
    if (response.flags !== undefined) {
      const flags = view.recent.without(uid, response.flags);
      const possible = [...(message === undefined ? [] : [message.flags]), ...(before.get(uid)?.flags ?? [])];
      assert.ok(possible.some((one) => sameFlags(flags, one)), `${this.name}: flags of ${String(uid)}: ${[...flags].join(' ')}, none of ${possible.map((one) => `(${[...one].join(' ')})`).join(' ')}`);
      for (const flag of flags) assert.ok(flag.startsWith('\\') || this.#keywords.has(flag), `${this.name}: was never told of ${flag}`);
      view.flags.set(uid, flags);
      this.#noteTold(view, uid, others !== 'at work' ? 'once for all' : sameFlags(flags, message?.flags ?? new Set(['none'])) ? 'perhaps again' : 'not yet');
      if (this.condstore === 'on' && !fetched.has(uid)) assert.ok(modseq !== undefined, `${this.name}: flags without MODSEQ`);
    }
    if (modseq !== undefined) view.modseqs.set(uid, modseq);
    checkContent(response, { letter, message, account: view.mailbox.home, name: `${this.name}: ${String(uid)}` });
    this.#told.set(uid, [...(this.#told.get(uid) ?? []), response]);
  }

  /** The client heard how the flags of a message are: as they stay, or as they were in between. */
  #noteTold(view: OpenView, uid: number, how: 'once for all' | 'perhaps again' | 'not yet'): void {
    if (how === 'not yet') return;
    const wasOwed = view.changed.delete(uid);
    if (how === 'perhaps again') view.retold.add(uid);
    else if (view.retold.delete(uid) || wasOwed) this.#news.add(uid);
  }

  /** What the client believes is so. */
  #believes(view: OpenView, { uid, flags, own }: { readonly uid: number; readonly flags: ReadonlySet<string>; readonly own: ReadonlySet<number> }): void {
    const message = findMessage(view.mailbox, uid);
    if (message === undefined) return;
    assert.ok(sameFlags(flags, message.flags), `${this.name}: believes that ${String(uid)} has ${[...flags].join(' ')}, it has ${[...message.flags].join(' ')}`);
    const modseq = view.modseqs.get(uid);
    if (this.condstore === 'on' && modseq !== undefined && !own.has(uid)) assert.equal(modseq, message.modseq, `${this.name}: mod-sequence of ${String(uid)}`);
  }
}
