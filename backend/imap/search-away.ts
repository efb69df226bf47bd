/**
 * ESEARCH in folders that other nodes keep (RFC 7377): each owner's node searches them as a guest's command under the client's tag, and its answers
 * go to the client as they come. What could not be searched is told, so that a hit never misses silently.
 */
import { isFailure } from '../../shared/base/failure.ts';
import { Turns } from '../../shared/base/turns.ts';
import { isMeant } from '../../shared/imap/mailbox-filter.ts';
import { withoutWaiting } from '../../shared/imap/relayed-text.ts';
import type { Leg } from './leg.ts';
import { formatMailbox } from './mailbox-lines.ts';
import type { NamedKind } from './named-places.ts';
import type { Progress } from './progress.ts';
import { openLeg } from './relay.ts';
import { Refusal, formatCompletion, no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { AwaySource } from './search-sources.ts';
import type { Session } from './session.ts';

/** Each is a login on another node. */
const mostOwners = 100;
/** Searched at the same time: so many connections a session keeps. */
const sideBySide = 4;
/** Of names in one command to another node: subscriptions may be more than a command may hold. */
const mostNameBytes = 16_000;
const mostNames = 500;

interface Wanted {
  /** What is searched for, as the client said it. */
  readonly text: string;
  readonly progress: Progress;
}

interface Round {
  readonly session: Session;
  readonly wanted: Wanted;
  readonly turns: Turns;
  /** Nodes that did not answer: nobody waits for them again. */
  readonly unreachable: Set<string>;
  missing: 'nothing' | 'something';
  isCut: boolean;
  /** What ends the command: no further search is begun. */
  failure: Error | undefined;
}

/**
 * Several owners are searched at the same time, and what is found is told as it comes. Of each node one is asked first: so one that is away is
 * waited for once. Answers how the whole search ended; an untagged NO names whose folders are missing. @throws Refusal for what is no search
 */
export async function searchAway(session: Session, { away, silent }: { readonly away: readonly AwaySource[]; readonly silent: readonly string[] }, wanted: Wanted): Promise<Completion> {
  const round: Round = {
    session, wanted, turns: new Turns(sideBySide), unreachable: new Set(),
    missing: silent.length > 0 ? 'something' : 'nothing', isCut: away.length > mostOwners, failure: undefined,
  };
  if (silent.length > 0) await warn(session, 'some folders that others share were not searched: a server does not answer');
  const nodes = Map.groupBy(away.slice(0, mostOwners), ({ place }) => place.node);
  await Promise.all(Array.from(nodes.values(), async ([first, ...rest]) => {
    if (first !== undefined) await searchInTurn(round, first);
    await Promise.all(rest.map(async (source) => searchInTurn(round, source)));
  }));
  if (round.failure !== undefined) throw round.failure;
  if (round.missing === 'something') return no('not everything was searched: see the warnings', 'UNAVAILABLE');
  return ok('ESEARCH completed', round.isCut ? 'LIMIT' : undefined);
}

/** Never rejects: the others are to have ended, too, before the command does. */
async function searchInTurn(round: Round, source: AwaySource): Promise<void> {
  const { session, unreachable } = round;
  const { node, owner } = source.place;
  try {
    const outcome = await round.turns.run(async () => {
      if (session.abandoned || round.failure !== undefined) return 'done';
      return unreachable.has(node) ? 'unreachable' : searchOwner(session, source, round.wanted);
    });
    if (outcome === 'unreachable') unreachable.add(node);
    if (outcome === 'cut') round.isCut = true;
    if (outcome === 'done' || outcome === 'cut') return;
    round.missing = 'something';
    await warn(session, `the folders of ${owner} were not searched, or not all of them`);
    await session.output.flush();
  } catch (error) {
    round.failure ??= error instanceof Error ? error : new Error(String(error));
  }
}

/** Not into the middle of what another node tells. */
async function warn(session: Session, text: string): Promise<void> {
  await session.legs.alone(async () => session.output.line(formatCompletion('*', { status: 'NO', code: 'UNAVAILABLE', text })));
}

async function searchOwner(session: Session, source: AwaySource, wanted: Wanted): Promise<'done' | 'cut' | 'unreachable' | 'refused'> {
  try {
    if (source.selected === 'yes') return await searchOn(session, openLeg(session), { ...wanted, source });
    return await session.legs.during(source.place, async (leg) => searchOn(session, leg, { ...wanted, source }));
  } catch (error) {
    if (isFailure(error, 'mailbox-missing')) return 'done'; // there is no such account, and names of nothing are passed over
    if (error instanceof Refusal && error.completion.status === 'BAD') throw error; // what is wrong with the command is wrong everywhere
    session.log.warn({ err: error, owner: source.place.owner }, 'another node could not be searched');
    if (error instanceof Refusal) return 'refused';
    if (isFailure(error)) return 'unreachable';
    throw error;
  }
}

async function searchOn(session: Session, leg: Leg, { source, ...wanted }: Wanted & { readonly source: AwaySource }): Promise<'done' | 'cut'> {
  let isCut = false;
  for (const sources of lists(session, source)) {
    const end = await searchAt(session, leg, { ...wanted, sources });
    if (end.status !== 'OK') throw new Refusal(end);
    isCut ||= end.code === 'LIMIT';
  }
  return isCut ? 'cut' : 'done';
}

/** A node that searches says at least every few seconds that it goes on: its count is not ours, so the client hears of it in our words. When nobody is there to hear it the search is given up. */
async function searchAt(session: Session, leg: Leg, { sources, text, progress }: Wanted & { readonly sources: string }): Promise<Completion> {
  leg.begin('command');
  await leg.say(withoutWaiting(`${session.tag} ESEARCH IN (${sources}) ${text}`));
  return leg.end(session.tag, (line) => {
    if (session.abandoned) leg.close();
    if (!line.startsWith('* OK [INPROGRESS')) return 'pass on';
    void progress.report(0);
    return 'taken';
  });
}

/** What stands behind IN, in one command or several; no mailbox is meant by two of them. */
function lists(session: Session, { selected, named }: AwaySource): string[] {
  const subtrees = (['subtree', 'subtree-one'] as const).map((kind) => ({ kind, names: named[kind] }));
  const single = [...named.mailboxes].filter((name) => !subtrees.some((filter) => isMeant(filter, { name, subscribed: false, whose: 'others' })));
  const first = [...(selected === 'yes' ? ['selected'] : []), ...subtrees.flatMap(({ kind, names }) => words(session, kind, [...names]))];
  const [some, ...more] = inPieces(session, single);
  return [[...first, ...words(session, 'mailboxes', some ?? [])].join(' '), ...more.map((names) => words(session, 'mailboxes', names).join(' '))];
}

function words(session: Session, kind: NamedKind, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${kind} (${names.map((name) => formatMailbox(session, name)).join(' ')})`];
}

function inPieces(session: Session, names: readonly string[]): readonly (readonly string[])[] {
  const pieces: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const name of names) {
    bytes += formatMailbox(session, name).length;
    if (bytes > mostNameBytes || (pieces.at(-1)?.length ?? 0) >= mostNames) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)?.push(name);
  }
  return pieces;
}
