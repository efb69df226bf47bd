/** All sessions and the account between them: runs one command after the other, and holds what everybody hears against the model. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountModel, Effect, ModelMailbox } from './mailbox-model.ts';
import { nameOf } from './acts.ts';
import type { Answer, Player } from './player.ts';
import type { Fetched, Response } from './responses.ts';
import { allRights, rightsOf } from './rights-model.ts';
import type { Remembered, Spot } from './rights-model.ts';
import { effectsOf, histories, momentsOf } from './rush-model.ts';
import type { Moments, Perform } from './rush-model.ts';
import type { Expectation, SessionModel } from './session-model.ts';
import { changesRights, hearAnnotations, isNews, withoutLateNews } from './unasked.ts';
import { Urls } from './url-model.ts';
import { onlyTheOpenOne, Watch } from './watch-model.ts';

/** A command and what is predicted of it. */
export interface Command {
  readonly text: string;
  readonly status: Answer['status'];
  readonly tells?: Expectation['tells'];
  readonly effects?: readonly Effect[];
  readonly fetched?: ReadonlyMap<number, readonly (keyof Fetched)[]>;
  /** Changed by the session itself and known to it. */
  readonly own?: ReadonlySet<number>;
  /** Mailboxes that it makes or removes; with the old name, one that it renames. */
  readonly names?: readonly string[];
  readonly oldName?: string;
  /** The levels above, where it makes them for what it renames (RFC 9051 section 6.3.6). */
  readonly madeAbove?: readonly string[];
  /** After the effects, before the responses are looked at. */
  readonly then?: () => void;
  /** When all responses were heard: what the client concludes without being told. */
  readonly concludes?: () => void;
}

/** A command that runs while others do. */
export interface Rush extends Pick<Command, 'text' | 'tells' | 'fetched'> {
  readonly player: Player;
  readonly perform: Perform;
}

/** What NOTIFY makes come of mailboxes that are not open. */
const ofWatches: ReadonlySet<string> = new Set(['list', 'status', 'metadata']);
const nobody: ReadonlySet<number> = new Set();
/** What comes unasked. */
const unasked = (tells: Expectation['tells'], others: Expectation['others'] = 'still', before: Moments = new Map()): Expectation => ({ tells, others, before, fetched: new Map(), own: nobody });

export class Stage {
  readonly account: AccountModel;
  readonly players: readonly Player[];
  /** By user, whichever session it was that asked. */
  readonly remembered = new Map<string, Remembered>();
  readonly urls = new Urls();
  readonly #setLimits: (limits: AccountModel['limits']) => Promise<void>;

  constructor(account: AccountModel, players: readonly Player[], setLimits: (limits: AccountModel['limits']) => Promise<void>) {
    this.#setLimits = setLimits;
    this.account = account;
    this.players = players;
  }

  get #sessions(): SessionModel[] {
    return this.players.map(({ model }) => model);
  }

  /** Of those to whom the owner gives rights. */
  get identifiers(): readonly string[] {
    return [...new Set(this.players.flatMap(({ home, address }) => (home === 'owner' ? [] : [address]))), 'anyone'];
  }

  /** What that number names for whom: of guests mostly something of the owner's. */
  spot({ own, address }: Player, number: number): Spot {
    if (own === this.account || number % 5 === 0) {
      const name = own === this.account ? nameOf(number) : 'INBOX';
      return { text: name, name, account: own, mailbox: own.mailbox(name), whose: 'own', rights: allRights };
    }
    const name = nameOf(number);
    const mailbox = this.account.mailbox(name);
    return { text: `"Other Users/${this.account.address}/${name}"`, name, account: this.account, mailbox, whose: 'others', rights: mailbox === undefined ? '' : rightsOf(mailbox, address) };
  }

  /** What the client may do with the open mailbox. */
  rightsIn({ own, address, model: { view } }: Player): string {
    return view === undefined || view.mailbox.home === own ? allRights : rightsOf(view.mailbox, address);
  }

  /** Whether nothing of the open mailbox may be told any more: it is gone, or may not be read now (RFC 4314 section 5.1.1). */
  isDoomed(player: Player): boolean {
    return player.model.state === 'doomed' || !this.rightsIn(player).includes('r');
  }

  /** The server says so with the next command: it sends away who has the mailbox open there; with one on another node the session goes on. */
  async hearLoss(player: Player): Promise<void> {
    const { responses, status } = await player.ask('NOOP');
    if (!player.isFromOutside) {
      assert.equal(status, 'BYE');
      return player.enter();
    }
    const isWatching = player.model.sharedWatch !== undefined;
    assert.deepEqual([isWatching ? [...new Set(responses.map(({ kind }) => kind))].filter((kind) => !ofWatches.has(kind)) : responses.map(({ kind }) => kind), status], [['lost'], 'OK']);
    await this.#leaveLost(player);
  }

  /** Nothing of it is told, whatever is asked, until it is left. */
  async #leaveLost(player: Player): Promise<void> {
    await this.#watchLess(player);
    const fetch = player.model.numbering === 'uids' ? 'UID FETCH' : 'FETCH';
    for (const command of [`${fetch} 1:* (FLAGS)`, 'UID SEARCH ALL', 'UNSELECT']) assert.deepEqual(await player.ask(command), { responses: [], status: 'NO', code: 'UNAVAILABLE' }, command);
    player.model.leave();
    player.model.state = 'alive';
  }

  /** The connection by which folders there are watched is made anew; when, and what is told by then, nobody can foresee: the client gives it up. */
  async #watchLess(player: Player): Promise<void> {
    const { model } = player;
    if (model.sharedWatch === undefined) return;
    model.sharedWatch = undefined;
    const { responses, status } = await player.ask(`NOTIFY SET ${onlyTheOpenOne.text}`);
    assert.equal(status, 'OK');
    assert.deepEqual(responses.filter(({ kind }) => !ofWatches.has(kind) && kind !== 'lost'), []);
    model.watch = new Watch(onlyTheOpenOne, player.own);
  }

  /** Runs it. Answers the responses that are no news, and the code of the completion. */
  async run(player: Player, command: Command): Promise<{ readonly others: readonly Response[]; readonly code: string | undefined }> {
    const { model } = player;
    const before: Moments = new Map(model.view?.mailbox.messages.map(({ uid, letter, flags }) => [uid, { letter, flags: [flags], renewed: 'no' }]));
    const viewBefore = model.view;
    this.#begin();
    const { responses: all, status, code } = await player.ask(command.text);
    assert.equal(status, command.status, command.text);
    this.#happen(player, command);
    command.then?.();
    this.#tellNames(command, model);
    model.watch?.settleOwn(); // its own doing is no news
    for (const session of this.#sessions) session.watch?.lookAtSubscriptions(session === model ? 'self' : 'others');
    for (const session of this.#sessions) session.sharedWatch?.look(session === model && !changesRights(command) ? 'self' : 'others', session.looking);
    const responses = hearAnnotations(model, all);
    const tells = command.tells ?? 'everything';
    const expectation: Expectation = { tells, before, others: player.isFromOutside ? 'told first' : 'still', fetched: command.fetched ?? new Map(), own: command.own ?? nobody };
    // What was open, and is not any more, is not told of.
    let beyondNews = model.view === viewBefore ? responses.filter((response) => model.hear(response, expectation) === 'of something else') : [...responses];
    if (changesRights(command)) beyondNews = beyondNews.filter((one) => model.sharedWatch?.hear(one, { ...model.looking, others: 'still' }) !== 'taken');
    command.concludes?.();
    if (model.view === viewBefore) model.settle(expectation);
    if (model.view === viewBefore && model.view !== undefined && status === 'OK') this.#checkIssued(model, { tells, code });
    await this.#wakeIdlers();
    const others = withoutLateNews(model, command, beyondNews);
    // A connection to another node that is refused in the midst of a message's bytes is given up, and a watch that went over it is told to be interrupted.
    return { others: status === 'NO' && model.watch !== undefined ? others.filter(({ kind }) => kind !== 'lost') : others, code };
  }

  /** All at the same time. What came of it is as if they had run one after the other; who heard of whom meanwhile is open, but in the end all know all. */
  async runAtOnce(rushes: readonly Rush[]): Promise<void> {
    this.#begin();
    for (const { player, text } of rushes) player.say(text);
    const answers = await Promise.all(rushes.map(async (rush) => ({ ...rush, answer: await rush.player.answer() })));
    await nextTurn(); // what this process has looked at in this turn may be older than the last answer
    const all = histories(this.account, answers.map(({ text, perform, answer: { responses, status, code } }) => ({
      perform, told: { text, status, codes: [code ?? '', ...responses.flatMap((one) => (one.kind === 'code' ? [`${one.code} ${one.value}`] : []))] },
    })));
    const moments = (mailbox: ModelMailbox | undefined): Moments => (mailbox?.home !== this.account ? new Map() : momentsOf(all, mailbox));
    const effects = effectsOf(all[0] ?? []);
    this.account.identities.threads.enterAtOnce(effects.flatMap(({ added = [] }) => added.map(({ letter }) => letter)));
    for (const effect of effects) {
      const happening = this.account.apply(effect);
      for (const session of this.#sessions) session.note(happening, nobody);
    }
    for (const session of this.#sessions) session.sharedWatch?.look('others', session.looking);
    for (const { player: { model }, tells = 'everything', fetched = new Map<number, never>(), answer } of answers) {
      const expectation: Expectation = { tells, fetched, others: 'at work', before: moments(model.view?.mailbox), own: nobody };
      const others = model.take(hearAnnotations(model, answer.responses), expectation);
      assert.deepEqual(others.filter((one) => one.kind !== 'code' || !['FLAGS', 'PERMANENTFLAGS', 'APPENDUID', 'COPYUID'].includes(one.code)), []);
    }
    for (const player of this.players) if (!this.isDoomed(player)) await this.#catchUp(player, moments(player.model.view?.mailbox));
  }

  /** Nothing is left to be told. */
  async settleAll(): Promise<void> {
    for (const player of this.players) if (!this.isDoomed(player)) await this.#catchUp(player, new Map());
  }

  /** Up to the end of a command that begins after all that others did. */
  async #catchUp(player: Player, before: Moments): Promise<void> {
    const { model } = player;
    const tells = model.hearsAtOnce ?? 'everything';
    if (model.watch !== undefined) model.annotations?.settle();
    if (model.hearsAtOnce !== undefined) while (model.owes(tells)) assert.ok(isNews(model, await player.response(), unasked(tells, 'at work', before)));
    if (model.idle === 'yes') {
      player.sayLine('DONE');
      for (const response of (await player.answer()).responses) assert.ok(isNews(model, response, unasked(tells, 'at work', before)));
      model.idle = 'no';
    }
    model.settle(unasked(tells, 'at work', before));
    const { responses, status } = await player.ask('NOOP');
    assert.equal(status, 'OK');
    // What came at once while others were at work, and was not waited for, stands before.
    const heard = model.hearsAtOnce === undefined ? unasked('everything') : unasked('everything', 'at work', before);
    for (const response of responses) assert.ok(isNews(model, response, heard));
    model.settle(unasked('everything'));
    model.watch?.settle();
  }

  #begin(): void {
    for (const account of new Set(this.players.map(({ own }) => own))) account.begin();
  }

  #happen(player: Player, { effects = [], own = nobody }: Command): void {
    for (const effect of effects) {
      const happening = effect.mailbox.home.apply(effect);
      const isWritten = happening.changed.length + happening.gone.length + happening.added.length > 0;
      if (isWritten) for (const { recent } of effect.mailbox.home.mailboxes.values()) recent.noteWrite(player.model.worker);
      for (const session of this.#sessions) session.note(happening, session === player.model ? own : nobody);
    }
  }

  /** Who asked for it hears what others do with names. */
  #tellNames({ names = [], oldName, madeAbove = [] }: Command, actor: SessionModel): void {
    for (const { watch } of this.#sessions.filter((session) => session !== actor && session.watch?.account === this.account)) {
      if (oldName === undefined) watch?.noteNames(names);
      else watch?.noteRename(oldName, names[0] ?? '');
      watch?.noteNames(madeAbove);
    }
  }

  /** Whoever may not be told of expunges is told that there are some (RFC 9051 section 7.1), where no other code is. */
  #checkIssued(model: SessionModel, { tells, code }: { readonly tells: Expectation['tells']; readonly code: string | undefined }): void {
    const hidden = tells === 'no-expunges' && (model.view?.gone.size ?? 0) > 0;
    if (hidden && model.view !== undefined) {
      assert.ok(code !== undefined, `${model.name}: EXPUNGEISSUED is missing`);
      model.checkSafe(model.view);
    } else assert.notEqual(code, 'EXPUNGEISSUED', model.name);
  }

  /** Mailboxes that are no more under the number by which sessions have them open. */
  doom(gone: readonly ModelMailbox[], except?: SessionModel): void {
    for (const session of this.#sessions) if (session !== except && session.view !== undefined && gone.includes(session.view.mailbox)) session.state = 'doomed';
  }

  /** What an administrator sets counts at once. */
  async setLimits(limits: AccountModel['limits']): Promise<void> {
    await this.#setLimits(limits);
    this.account.limits = limits;
  }

  async beginIdle(player: Player): Promise<void> {
    player.say('IDLE');
    await player.invited();
    player.model.idle = 'yes';
    await this.#hearNews(player);
  }

  async endIdle(player: Player): Promise<void> {
    player.sayLine('DONE');
    const { responses, status } = await player.answer();
    assert.equal(status, 'OK', 'DONE');
    player.model.idle = 'no';
    for (const response of responses) assert.ok(isNews(player.model, response, unasked('everything')));
    player.model.settle(unasked('everything'));
  }

  /** Those in IDLE, and those with NOTIFY, hear at once, wherever their worker is. */
  async #wakeIdlers(): Promise<void> {
    for (const player of this.players) {
      if (player.model.hearsAtOnce === undefined) continue;
      if (this.isDoomed(player)) await this.#hearLossAtOnce(player, player.model.hearsAtOnce);
      else await this.#hearNews(player);
    }
  }

  async #hearLossAtOnce(player: Player, tells: Expectation['tells']): Promise<void> {
    const last = player.isFromOutside ? 'lost' : 'bye';
    for (let response = await player.response(); response.kind !== last; response = await player.response()) assert.ok(isNews(player.model, response, unasked(tells)));
    if (!player.isFromOutside) return player.enter();
    if (player.model.idle === 'yes') {
      player.sayLine('DONE');
      const { responses, ...end } = await player.answer();
      assert.deepEqual(end, { status: 'NO', code: 'UNAVAILABLE' }, 'DONE');
      // What NOTIFY watches there is missed by itself.
      assert.ok(responses.every(({ kind }) => kind === 'lost' && player.model.watch !== undefined), 'DONE');
    }
    player.model.idle = 'no';
    await this.#leaveLost(player);
  }

  async #hearNews(player: Player): Promise<void> {
    const { model } = player;
    const tells = model.hearsAtOnce ?? 'everything';
    if (model.watch !== undefined) model.annotations?.settle(); // who uses NOTIFY hears what he asked for there
    while (model.owes(tells)) assert.ok(isNews(model, await player.response(), unasked(tells)));
    model.settle(unasked(tells));
    model.watch?.settle();
  }
}
