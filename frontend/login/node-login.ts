/** Logs in at a node of ours: over a connection that an earlier session left there, or a new one where there is none, or it proves dead. */
import { newLegTerms, parseLegTerms, ReleaseWatch } from '../../shared/legs/leg-terms.ts';
import type { AnySocket, Connection } from '../../shared/net/connection.ts';
import type { SpliceOptions } from '../../shared/net/splice.ts';
import type { KeptLegs, Leg } from './kept-legs.ts';
import { connect, converse, place } from './server-dialogue.ts';
import type { Placed, Server, ServerRoad } from './server-dialogue.ts';

export interface NodeRoad extends ServerRoad {
  readonly legs: KeptLegs;
}

/** What the dialogue has to say on a leg besides the login. */
export interface LegWords {
  /** Comes before everything else, as a line; undefined on a new connection. */
  readonly claim: string | undefined;
  /** For the end of the session; undefined where nothing is to be kept. */
  readonly terms: string | undefined;
  /** To be called when the node has greeted: from then on it is alive. */
  readonly greeted: () => void;
}

export interface AtNode {
  readonly backend: Connection;
  readonly welcome: string;
  /** How the connection outlives the session. */
  readonly release: SpliceOptions['release'];
}

type Dialogue = (backend: Connection, words: LegWords) => Promise<string>;

/** A kept connection whose node greets later than this counts as dead. It costs that login so long, where a node vanished without a word. */
const claimPatienceMs = 2000;

/** @throws Failure that says what went wrong, never because of a kept connection */
export async function logInOverLeg(road: NodeRoad, server: Server, dialogue: Dialogue): Promise<AtNode> {
  const leg = road.legs.take(server.name);
  const login = leg === undefined ? undefined : await tryKept(road, leg, dialogue);
  if (login !== undefined) return login;
  const placed = await connect(road, server);
  return logInOn(road, { ...placed, node: server.name, openedMs: performance.now() }, dialogue);
}

/** Undefined when the connection was of no use. */
async function tryKept(road: NodeRoad, leg: Leg, dialogue: Dialogue): Promise<AtNode | undefined> {
  let state: 'silent' | 'greeted' | 'late' = 'silent';
  const { socket, leave } = place(road, leg.node, leg.socket);
  const patience = setTimeout(() => {
    state = 'late';
    socket.destroy();
  }, Math.min(claimPatienceMs, road.answerTimeoutMs));
  const hear = (): void => {
    clearTimeout(patience);
    state = 'greeted';
  };
  try {
    return await logInOn(road, { ...leg, leave, claim: leg.terms.claim, hear }, dialogue);
  } catch (error) {
    const ended = (): typeof state => state; // the compiler does not see that callbacks assign
    if (ended() === 'greeted') throw error;
    if (ended() === 'late') road.legs.dropAll(leg.node);
    return undefined;
  } finally {
    clearTimeout(patience);
  }
}

interface Use extends Placed {
  readonly node: string;
  readonly openedMs: number;
  readonly claim?: string;
  readonly hear?: () => void;
}

async function logInOn(road: NodeRoad, { socket, leave, node, openedMs, claim, hear = nothing }: Use, dialogue: Dialogue): Promise<AtNode> {
  const text = road.legs.open ? newLegTerms() : undefined;
  const { backend, said: welcome } = await converse(road, socket, async (connection) => dialogue(connection, { claim, terms: text, greeted: hear }));
  const terms = parseLegTerms(text);
  if (terms === undefined) return { backend, welcome, release: undefined };
  const keep = (left: AnySocket): void => {
    leave();
    road.legs.keep({ node, socket: left, terms, openedMs });
  };
  return { backend, welcome, release: { watch: new ReleaseWatch(terms), keep } };
}

function nothing(): void {
  // Nobody waits for the greeting of a new connection but the dialogue.
}
