/** All sessions and the account between them: runs one command after the other, and holds what everybody hears against the model. */
import assert from 'node:assert/strict';
import type { AccountModel, Effect, ModelMailbox } from './mailbox-model.ts';
import type { Answer, Player } from './player.ts';
import type { Fetched, Response } from './responses.ts';
import type { Expectation, SessionModel } from './session-model.ts';

/** A command and what is predicted of it. */
export interface Command {
  readonly text: string;
  readonly status: Answer['status'];
  readonly tells?: Expectation['tells'];
  readonly effects?: readonly Effect[];
  readonly fetched?: ReadonlyMap<number, readonly (keyof Fetched)[]>;
  /** Changed by the session itself and known to it. */
  readonly own?: ReadonlySet<number>;
  /** After the effects, before the responses are looked at. */
  readonly then?: () => void;
  /** When all responses were heard: what the client concludes without being told. */
  readonly concludes?: () => void;
}

const nobody: ReadonlySet<number> = new Set();
const idling: Expectation = { tells: 'everything', fetched: new Map(), flagsBefore: new Map(), own: nobody };

export class Stage {
  readonly account: AccountModel;
  readonly players: readonly Player[];

  constructor(account: AccountModel, players: readonly Player[]) {
    this.account = account;
    this.players = players;
  }

  get #sessions(): SessionModel[] {
    return this.players.map(({ model }) => model);
  }

  /** Runs it. Answers the responses that are no news, and the code of the completion. */
  async run(player: Player, command: Command): Promise<{ readonly others: readonly Response[]; readonly code: string | undefined }> {
    const { model } = player;
    const flagsBefore = new Map(model.view?.mailbox.messages.map(({ uid, flags }) => [uid, flags]));
    const viewBefore = model.view;
    const { responses, status, code } = await player.ask(command.text);
    assert.equal(status, command.status, command.text);
    this.#happen(player, command);
    command.then?.();
    const tells = command.tells ?? 'everything';
    const expectation: Expectation = { tells, flagsBefore, fetched: command.fetched ?? new Map(), own: command.own ?? nobody };
    // What was open, and is not any more, is not told of.
    const others = model.view === viewBefore ? responses.filter((response) => model.hear(response, expectation) === 'of something else') : [...responses];
    command.concludes?.();
    if (model.view === viewBefore) model.settle(expectation);
    if (model.view === viewBefore && model.view !== undefined && status === 'OK') this.#checkIssued(model, { tells, code });
    await this.#wakeIdlers();
    return { others, code };
  }

  #happen(player: Player, { effects = [], own = nobody }: Command): void {
    for (const effect of effects) {
      const happening = this.account.apply(effect);
      for (const session of this.#sessions) session.note(happening, session === player.model ? own : nobody);
    }
  }

  /** Whoever may not be told of expunges is told that there are some (RFC 9051 section 7.1), where no other code is. */
  #checkIssued(model: SessionModel, { tells, code }: { readonly tells: Expectation['tells']; readonly code: string | undefined }): void {
    const hidden = tells === 'no-expunges' && (model.view?.gone.size ?? 0) > 0;
    if (hidden) assert.ok(code !== undefined, `${model.name}: EXPUNGEISSUED is missing`);
    else assert.notEqual(code, 'EXPUNGEISSUED', model.name);
  }

  /** Mailboxes that are no more under the number by which sessions have them open. */
  doom(gone: readonly ModelMailbox[], except?: SessionModel): void {
    for (const session of this.#sessions) if (session !== except && session.view !== undefined && gone.includes(session.view.mailbox)) session.state = 'doomed';
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
    for (const response of responses) assert.ok(isNews(player.model, response));
    player.model.settle(idling);
  }

  /** Those in IDLE hear at once, wherever their worker is. */
  async #wakeIdlers(): Promise<void> {
    for (const player of this.players) {
      if (player.model.idle === 'no') continue;
      if (player.model.state === 'doomed') {
        for (let last = await player.response(); last.kind !== 'bye'; last = await player.response()) assert.ok(isNews(player.model, last));
        await player.enter();
      } else await this.#hearNews(player);
    }
  }

  async #hearNews(player: Player): Promise<void> {
    while (player.model.owed) assert.equal(isNews(player.model, await player.response()), true);
    player.model.settle(idling);
  }
}

function isNews(model: SessionModel, response: Response): boolean {
  return model.hear(response, idling) === 'taken' || (response.kind === 'code' && response.code === 'PERMANENTFLAGS');
}
