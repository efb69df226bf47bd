/**
 * IDLE on the mailbox of another node: its news go to the client as they come, until the client says DONE. There it is ended and begun anew now and
 * then, unseen by the client: a node that is there no more says nothing either.
 */
import type { RelayedEnd } from '../../shared/imap/relayed-text.ts';
import { tellLoss } from './away-news.ts';
import { endOfInput } from './command-input.ts';
import type { Leg } from './leg.ts';
import { openLeg } from './relay.ts';
import { bad } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

const usualCheckMs = 60_000;

/** @param clientLine waits for DONE; meanwhile it may tell what happens here. @throws Failure('backend-unavailable') */
export async function relayIdle(session: Session, clientLine: () => Promise<string | undefined>): Promise<Completion> {
  const leg = openLeg(session);
  leg.begin('question');
  return leg.whileReading(async () => {
    const there = new IdleThere(session, leg);
    const refused = await there.begin();
    if (refused !== undefined) return refused;
    await session.invite('idling');
    return session.whileWaiting(async () => idle(session, there, clientLine));
  });
}

async function idle(session: Session, there: IdleThere, clientLine: () => Promise<string | undefined>): Promise<Completion> {
  const checking = setInterval(() => there.check(), session.options.limits.idleRecheckMs ?? usualCheckMs);
  let line: string | undefined;
  try {
    line = await clientLine();
  } catch (error) {
    there.leave();
    endOfInput(session, error);
    return bad('reading failed');
  } finally {
    clearInterval(checking);
  }
  if (line === undefined || session.abandoned) {
    session.enter({ at: 'logout', then: 'close' });
    there.leave();
    return bad('connection closed');
  }
  return there.end(line);
}

class IdleThere {
  readonly #session: Session;
  readonly #leg: Leg;
  /** How IDLE ends there, or that it can't be known. */
  #ended: Promise<RelayedEnd | Error> = Promise.resolve(new Error('not begun'));
  #state: 'idling' | 'over' = 'over';
  #checked: Promise<void> = Promise.resolve();

  constructor(session: Session, leg: Leg) {
    this.#session = session;
    this.#leg = leg;
  }

  /** Answers what the node says against it. @throws Failure('backend-unavailable') */
  async begin(): Promise<RelayedEnd | undefined> {
    const { tag } = this.#session;
    await this.#leg.say(`${tag} IDLE`);
    const began = await this.#leg.next(tag);
    if (typeof began !== 'string') return began;
    this.#leg.setPatience('endless');
    this.#state = 'idling';
    this.#ended = this.#leg.end(tag).catch(async (error: unknown) => this.#failed(error));
    return undefined;
  }

  /** Whether the node is still there: the client hears so if not. */
  check(): void {
    this.#checked = this.#checked.then(async () => this.#beginAnew());
  }

  /** The client's line goes there. @throws Failure('backend-unavailable') */
  async end(line: string): Promise<RelayedEnd> {
    await this.#checked;
    if (this.#state === 'idling') {
      this.#leg.setPatience('command');
      await this.#leg.say(line);
    }
    const end = await this.#ended;
    if (end instanceof Error) throw end;
    return end;
  }

  leave(): void {
    this.#state = 'over';
    this.#leg.close();
  }

  async #beginAnew(): Promise<void> {
    if (this.#state === 'over') return;
    this.#leg.setPatience('question');
    await this.#leg.say('DONE');
    const end = await this.#ended;
    this.#state = 'over';
    if (end instanceof Error || end.status !== 'OK') return;
    try {
      const refused = await this.begin();
      if (refused !== undefined) this.#ended = Promise.resolve(refused);
    } catch (error) {
      this.#ended = Promise.resolve(await this.#failed(error));
    }
  }

  /** The client goes on waiting for news that won't come: it is told at once. */
  async #failed(error: unknown): Promise<Error> {
    this.#state = 'over';
    if (!this.#session.abandoned) {
      await tellLoss(this.#session);
      await this.#session.output.flush();
    }
    return error instanceof Error ? error : new Error(String(error));
  }
}
