/**
 * What NOTIFY (RFC 5465) asks for of folders that other nodes keep: their nodes are asked for the same, and say by themselves what happens there.
 * A node that goes away is asked again from time to time; once it is back it tells how its folders are then.
 */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { notifyEvents } from '../../shared/imap/notify-arguments.ts';
import type { EventGroup } from '../../shared/imap/notify-arguments.ts';
import { tellLoss } from './away-news.ts';
import { isOnItsWay } from './leg-opening.ts';
import type { GoneLeg } from './legs.ts';
import { formatMailbox } from './mailbox-lines.ts';
import { namedFilters, placesNamed, withOwners } from './named-places.ts';
import type { AwayPlace } from './place.ts';
import { Registration } from './registration.ts';
import { formatCompletion } from './replies.ts';
import type { Session } from './session.ts';

/** Each is a connection that stays. */
const mostOwners = 8;
/** Of names in what one node is asked: they stand in one command. */
const mostNameBytes = 40_000;
/** So often it is looked whether the nodes are still there. */
const usualCheckMs = 60_000;
const longestCheckMs = 600_000;
/** So long, and so often, an account is looked for that is between two nodes, before the client hears of it: as front-ends wait at a login. */
const longestWayMs = 10_000;
const wayCheckMs = 250;

/** What a node is to be asked. */
export interface Wishes {
  /** Groups of events, or NONE. */
  readonly groups: string;
  /** Whether it is to tell how the folders are now. */
  readonly status: 'wanted' | 'known';
}

interface Watched {
  readonly place: AwayPlace;
  readonly groups: readonly string[];
}

/** Why nodes are looked after: it is time to, or what is to be watched may have changed. */
type Reason = 'time' | 'change';

interface AtNode {
  readonly node: string;
  readonly places: readonly AwayPlace[];
  readonly reason: Reason;
}

export class AwayWatch {
  readonly #registration: Registration;
  #owners: ReadonlyMap<string, Watched> = new Map();
  /** Whose folders' state the client was not told, or not since their node was away. */
  readonly #owing = new Set<string>();
  readonly #lost = new Set<string>();
  /** Since when an owner's account is between two nodes. */
  readonly #onTheirWayMs = new Map<string, number>();
  /** Nodes to which a connection is being tried while nobody waits for it. */
  readonly #tried = new Set<string>();
  /** Nodes that had gone away and answer again. */
  readonly #back = new Set<string>();
  #checkAtMs = 0;
  #failures = 0;
  #mustLookUp = false;

  private constructor(registration: Registration) {
    this.#registration = registration;
  }

  /** @param status whether the client wants to hear how all are now. @throws Failure `limit` for more than is watched, `directory-unavailable` */
  static async of(session: Session, registration: Registration, status: 'yes' | 'no'): Promise<AwayWatch> {
    const watch = new AwayWatch(registration);
    await watch.#lookUp(session);
    if (status === 'yes') for (const owner of watch.#owners.keys()) watch.#owing.add(owner);
    return watch;
  }

  /** Nothing is to be told any more, by nobody. */
  static none(): AwayWatch {
    return new AwayWatch(new Registration([]));
  }

  watches(owner: string): boolean {
    return this.#owners.has(owner);
  }

  /** That owner's account came to another node from here. */
  expect(owner: string): void {
    this.#owing.add(owner);
    this.#mustLookUp = true;
  }

  /** Subscriptions, or what the client has enabled, may have changed. */
  lookAgain(): void {
    this.#mustLookUp = true;
  }

  /** Also of an owner of whom nothing is watched: what the client hears of the open mailbox is decided there, too. */
  wishesOf(owner: string): Wishes {
    const groups = [...(this.#registration.selectedText === undefined ? [] : [this.#registration.selectedText]), ...(this.#owners.get(owner)?.groups ?? [])];
    return { groups: groups.length === 0 ? 'NONE' : groups.join(' '), status: this.#owing.has(owner) ? 'wanted' : 'known' };
  }

  /** That owner's node tells from now on. */
  grant(owner: string): void {
    this.#owing.delete(owner);
    this.#lost.delete(owner);
    this.#onTheirWayMs.delete(owner);
  }

  /** That owner's node tells no more. */
  lose(owner: string): void {
    if (this.watches(owner)) this.#owing.add(owner);
  }

  /** Once a while: whether all nodes are there, and tell what is to be told. The client hears of those that are not. Never rejects for their sake. @throws Failure('limit') */
  async keepUp(session: Session): Promise<void> {
    const nowMs = performance.now();
    const reason = nowMs >= this.#checkAtMs ? 'time' : 'change';
    if (reason === 'change' && !this.#mustLookUp) return;
    const mustLookUp = this.#mustLookUp;
    this.#mustLookUp = false; // where it fails it is tried again when there is a further reason
    if (mustLookUp) await this.#lookUpAnew(session);
    await session.legs.wishAll();
    const nodes = Map.groupBy(this.#owners.values(), ({ place }) => place.node);
    const answers = await Promise.all(Array.from(nodes, async ([node, watched]) => this.#keepUpAt(session, { node, places: watched.map(({ place }) => place), reason })));
    if (reason === 'change') return;
    this.#failures = answers.includes('silent') ? this.#failures + 1 : 0;
    const checkMs = session.options.limits.idleRecheckMs ?? usualCheckMs;
    this.#checkAtMs = nowMs + Math.min(longestCheckMs, checkMs * 2 ** Math.max(0, this.#failures - 1));
  }

  /** These legs are gone. Whose account moved is looked for where it is now, also by asking the node that said goodbye; of the others the client hears, and that its open mailbox is gone. @throws Failure `limit`, `directory-unavailable` */
  async missAll(session: Session, gone: readonly GoneLeg[]): Promise<void> {
    if (gone.length === 0) return;
    const { state } = session;
    if (state.at === 'away' && gone.some(({ owner }) => owner === state.leg.owner) && !state.leg.isUsable) await tellLoss(session);
    const nodes = new Map(gone.map(({ owner }) => [owner, this.#owners.get(owner)?.place.node]));
    for (const { owner } of gone) this.lose(owner);
    await this.#lookUpAnew(session);
    for (const { owner, end } of gone) if (end === 'cut' && this.watches(owner) && this.#owners.get(owner)?.place.node === nodes.get(owner)) await this.miss(session, owner);
    this.#mustLookUp = true; // at their new nodes it is to be asked now
  }

  /** The client hears once that news of that owner's folders are missing. */
  async miss(session: Session, owner: string): Promise<void> {
    this.lose(owner);
    if (this.#lost.has(owner)) return;
    this.#lost.add(owner);
    const text = `nothing is told of the folders of ${owner} until there is a connection to their server again`;
    await session.legs.alone(async () => session.output.line(formatCompletion('*', { status: 'NO', code: 'UNAVAILABLE', text })));
  }

  /** A node that was found silent is tried behind the client's back, and only when it is time: nobody waits for it a second time. */
  async #keepUpAt(session: Session, { node, places, reason }: AtNode): Promise<'there' | 'silent'> {
    const isBack = this.#back.delete(node);
    const lost = isBack ? undefined : places.find(({ owner }) => this.#lost.has(owner));
    if (lost !== undefined) {
      if (reason === 'time') this.#tryAgain(session, lost);
      return 'silent';
    }
    let answer: 'there' | 'silent' = 'there';
    for (const place of places) {
      if (answer === 'there' && !(await this.#keepUpWith(session, place, isBack ? 'time' : reason))) answer = 'silent';
      if (answer === 'silent') await this.miss(session, place.owner);
    }
    return answer;
  }

  #tryAgain(session: Session, place: AwayPlace): void {
    const { node } = place;
    if (this.#tried.has(node)) return;
    this.#tried.add(node);
    const back = (): void => {
      this.#tried.delete(node);
      this.#back.add(node);
      this.#failures = 0;
      this.#checkAtMs = Math.min(this.#checkAtMs, performance.now() + (session.options.limits.idleRecheckMs ?? usualCheckMs));
      this.lookAgain();
      session.bell.ring();
    };
    session.legs.openAhead(place).then(back, (error: unknown) => {
      if (isFailure(error, 'mailbox-missing')) return back(); // the node says so
      this.#tried.delete(node);
      session.log.warn({ err: error, node }, 'a node that went away is still not there');
    });
  }

  async #keepUpWith(session: Session, place: AwayPlace, reason: Reason): Promise<boolean> {
    if (session.legs.isReading(place.owner)) return true;
    try {
      const leg = await session.legs.to(place);
      if (reason === 'time') await leg.ask('ID NIL', (line) => (line.startsWith('* ID ') ? 'taken' : 'pass on'));
      return !this.#owing.has(place.owner) && leg.isWatching;
    } catch (error) {
      if (isFailure(error, 'mailbox-missing')) {
        await session.legs.tellGone(place.owner); // there is no such account any more
        return true;
      }
      if (isOnItsWay(error) && this.#waitsFor(session, place.owner)) return true;
      session.log.warn({ err: error, owner: place.owner }, 'another node could not be asked for what happens there');
      return false;
    }
  }

  /** Looks again soon; `false` once that went on for too long. */
  #waitsFor(session: Session, owner: string): boolean {
    const nowMs = performance.now();
    const sinceMs = this.#onTheirWayMs.get(owner) ?? nowMs;
    this.#onTheirWayMs.set(owner, sinceMs);
    if (nowMs - sinceMs > longestWayMs) return false;
    setTimeout(() => {
      session.accountNews.lookAgain(); // it may come hither
      session.bell.ring();
    }, wayCheckMs).unref();
    return true;
  }

  /** Who is gone has no folders any more; of who is meant no longer nothing is told. */
  async #lookUpAnew(session: Session): Promise<void> {
    const before = [...this.#owners.keys()];
    await this.#lookUp(session);
    for (const owner of before) {
      if (!this.watches(owner) && (await session.options.sharing.ownerOf(owner)).at === 'none') await session.legs.tellGone(owner);
    }
  }

  async #lookUp(session: Session): Promise<void> {
    const owners = new Map<string, Watched>();
    let bytes = 0;
    for (const group of this.#registration.groupsForOthers) {
      const { filters, silent } = await withOwners(session, namedFilters(group.filter, session.guest === undefined ? session.account.subscriptions() : []), session.legs.toldOwners);
      if (silent.length > 0) session.log.warn({ nodes: silent }, 'these nodes do not say what they share');
      const { away } = await placesNamed(session, filters);
      for (const { place, named } of away) {
        const text = groupText(session, group, named);
        bytes += text.length;
        const known = owners.get(place.owner) ?? { place, groups: [] };
        owners.set(place.owner, { place, groups: [...known.groups, text] });
      }
    }
    if (owners.size > mostOwners || bytes > mostNameBytes) throw new Failure('limit', 'too many folders on other servers to be watched');
    this.#owners = owners;
    for (const owner of this.#onTheirWayMs.keys()) if (!owners.has(owner)) this.#onTheirWayMs.delete(owner);
  }
}

function groupText(session: Session, { events }: EventGroup, named: Readonly<Record<string, ReadonlySet<string>>>): string {
  const wanted = notifyEvents.filter((event) => event !== 'ServerMetadataChange' && events.has(event)).join(' '); // of what the owner's account has as a whole nothing is others'
  const texts = Object.entries(named).flatMap(([kind, names]) => (names.size === 0 ? [] : [`(${kind} (${Array.from(names, (name) => formatMailbox(session, name)).join(' ')}) (${wanted}))`]));
  return texts.join(' ');
}
