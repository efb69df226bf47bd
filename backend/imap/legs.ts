/**
 * The legs of one session, one for each owner whose folders are on another node, kept for the next command there: at most a few, and those on which
 * NOTIFY waits for news.
 */
import { isOpen } from '../sharing/sharing.ts';
import { AwayNames } from './away-names.ts';
import type { AwayWatch } from './away-watch.ts';
import type { Leg } from './leg.ts';
import { openLeg } from './leg-opening.ts';
import { withSubscription } from './mailbox-lines.ts';
import type { NotifiedName } from './notified-names.ts';
import type { AwayPlace } from './place.ts';
import type { Session } from './session.ts';

/** Beside those on which something is watched. */
const mostLegs = 4;

/** One that is there no more. */
export interface GoneLeg {
  readonly owner: string;
  /** Whether the node said so. */
  readonly end: 'goodbye' | 'cut';
}

export class Legs {
  readonly #session: Session;
  /** By owner, the one that was used last at the end. */
  readonly #open = new Map<string, Leg>();
  /** Owners on whose legs work goes on beside that of others. */
  readonly #busy = new Set<string>();
  /** By owner of whose folders NOTIFY tells: what it has told of names, whichever leg it came by. */
  readonly #names = new Map<string, AwayNames>();
  #passing: Promise<void> | undefined;
  #isClosed = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** @throws Failure */
  async to(place: AwayPlace): Promise<Leg> {
    const known = this.#open.get(place.owner);
    await known?.passUnasked().catch(() => undefined); // goodbye may be among it
    this.#open.delete(place.owner);
    if (known?.isOpen !== true) this.#lose(place.owner, known);
    const leg = this.#keep(known?.isOpen === true ? known : await openLeg(this.#session, place));
    await leg.keepUp();
    await this.#wish(leg);
    return leg;
  }

  /** Work on one that stays open until it is done, whatever else is opened meanwhile. One at a time for each owner. @throws Failure */
  async during<Result>(place: AwayPlace, work: (leg: Leg) => Promise<Result>): Promise<Result> {
    this.#busy.add(place.owner);
    try {
      return await work(await this.to(place));
    } finally {
      this.#busy.delete(place.owner);
    }
  }

  /** What NOTIFY asks for holds on those that are open. Never rejects: the next question finds out. */
  async wishAll(): Promise<void> {
    await Promise.all(Array.from(this.#open.values(), async (leg) => {
      if (!leg.isOpen || leg.isReading) return;
      await this.#wish(leg).catch((error: unknown) => this.#session.log.warn({ err: error, owner: leg.owner }, 'a node was not told what NOTIFY asks for'));
    }));
  }

  /** Connects for the next who asks. @throws Failure */
  async openAhead(place: AwayPlace): Promise<void> {
    const leg = await openLeg(this.#session, place);
    if (this.#isClosed || this.#open.has(place.owner)) leg.close();
    else this.#keep(leg);
  }

  /** Tells whoever waits once one of them says something unasked. */
  listen(heard: () => void): void {
    for (const leg of this.#open.values()) leg.listen(heard);
  }

  /** Passes on what was said unasked. Answers which are gone. */
  async passUnasked(): Promise<readonly GoneLeg[]> {
    const gone: GoneLeg[] = [];
    for (const [owner, leg] of this.#open) {
      try {
        await leg.passUnasked();
      } catch (error) {
        this.#session.log.warn({ err: error, owner }, 'a node that tells what happens there went away');
        this.#open.delete(owner);
        this.#lose(owner, leg);
        gone.push({ owner, end: leg.goodbye === undefined ? 'cut' : 'goodbye' });
      }
    }
    return gone;
  }

  /** There is no such owner any more: the client hears that the folders are gone. */
  async tellGone(owner: string): Promise<void> {
    const lines = this.#names.get(owner)?.loseAll() ?? [];
    this.#names.delete(owner);
    await this.tellNames(lines);
  }

  /** What was told of folders on other nodes whose owners live on this node now. */
  get arrived(): ReadonlyMap<string, AwayNames> {
    return new Map([...this.#names].filter(([owner]) => this.#isHere(owner)));
  }

  /** This node tells of them. */
  letGo(owners: Iterable<string>): void {
    for (const owner of owners) this.#names.delete(owner);
  }

  /** Of whose folders on other nodes something was told, and not that it is gone. */
  get toldOwners(): readonly string[] {
    return [...this.#names].flatMap(([owner, names]) => (names.isEmpty ? [] : [owner]));
  }

  /** Whose folders on other nodes are told of. */
  get owners(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** What was told of folders that were here, and whose owner lives on another node now. */
  expect(owner: string, names: readonly NotifiedName[]): void {
    this.#names.set(owner, AwayNames.of(names));
  }

  /** The client uses NOTIFY anew. */
  forgetNames(): void {
    for (const names of this.#names.values()) names.forget();
  }

  /** LIST responses that no node has said. */
  async tellNames(lines: readonly string[]): Promise<void> {
    const { output } = this.#session;
    for (const line of lines) await this.alone(async () => output.line(withSubscription(this.#session, line)));
  }

  /** While a response of one leg is passed on by halves; undefined at once when it is whole: then others may say something, too, before the next await. */
  get passing(): Promise<void> | undefined {
    return this.#passing;
  }

  /** Passes on one response of one leg, or says something between them; until it is whole no other is begun. */
  async alone<Result>(pass: () => Promise<Result>): Promise<Result> {
    while (this.#passing !== undefined) await this.#passing;
    const passed = pass();
    this.#passing = passed.then(() => undefined, () => undefined);
    try {
      return await passed;
    } finally {
      this.#passing = undefined;
    }
  }

  /** Whether somebody waits for what that owner's node says: nothing else can be said there now. */
  isReading(owner: string): boolean {
    return this.#open.get(owner)?.isReading === true;
  }

  close(): void {
    this.#isClosed = true;
    for (const leg of this.#open.values()) leg.close();
    this.#open.clear();
  }

  get #watch(): AwayWatch | undefined {
    return this.#session.accountNews.away;
  }

  #isHere(owner: string): boolean {
    const record = this.#session.options.storage.find(owner);
    return record.at === 'live' && isOpen(record.account);
  }

  async #wish(leg: Leg): Promise<void> {
    const wishes = this.#watch?.wishesOf(leg.owner);
    if (wishes === undefined) return;
    const names = this.#names.get(leg.owner) ?? new AwayNames();
    if (this.#watch?.watches(leg.owner) === true) this.#names.set(leg.owner, names);
    else if (!this.#isHere(leg.owner)) this.#names.delete(leg.owner);
    if ((await leg.wish(wishes, names)) === 'granted') this.#watch?.grant(leg.owner);
  }

  /** What happens there from now on is not told: once somebody listens there again, how it is then has to be. */
  #lose(owner: string, leg: Leg | undefined): void {
    leg?.close();
    if (leg !== undefined) this.#watch?.lose(owner);
  }

  #keep(leg: Leg): Leg {
    const former = this.#open.get(leg.owner);
    if (former !== leg) former?.close(); // opened ahead meanwhile
    this.#open.set(leg.owner, leg);
    const { state } = this.#session;
    let few = 1;
    for (const [owner, other] of [...this.#open].reverse()) {
      if (other === leg || this.#watch?.watches(owner) === true) continue;
      few += 1;
      if (few <= mostLegs || this.#busy.has(owner) || (state.at === 'away' && state.leg === other)) continue;
      other.close();
      this.#open.delete(owner);
    }
    return leg;
  }
}
