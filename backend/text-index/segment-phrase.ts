/**
 * Of a needle of several tokens: the messages of a segment in which they follow each other as in the needle, by the places of words. Where a token may be in a run
 * that the index has in pieces only, or reading the places of one would cost more than a look into the few messages that are left, these are candidates.
 */
import { beforeIn, eachPlace, indexIn } from './place-list.ts';
import { addRank, decodeList, emptySet, intersect, isEmpty } from './posting-list.ts';
import type { RankSet } from './posting-list.ts';
import type { SegmentAnswer } from './segment-answer.ts';
import { anyRunInPieces } from './segment-format.ts';
import type { Field } from './segment-format.ts';
import type { ListPlace, Segment } from './segment-file.ts';
import type { Before, NeedleLink } from './tokens.ts';
import { matches, placesIn } from './vocabulary.ts';

/** A look into a message takes about as long as reading so many bytes of places. */
const lookBytes = 32 * 1024;

/** Where a phrase is looked for. */
export interface PhraseGround {
  readonly segment: Segment;
  readonly field: Field;
  /** The messages in whose runs in pieces a text may be. */
  readonly inPieces: (text: string) => Promise<RankSet>;
}

const inPieces = 1;
const asWord = 2;

/** A link with what it costs. */
interface Cost {
  readonly link: NeedleLink;
  readonly at: number;
  readonly tokens: readonly PlacedToken[];
  readonly bytes: number;
}

interface PlacedToken {
  readonly list: ListPlace;
  readonly places: ListPlace;
}

/** Where the whole needle may begin, as keys, ascending, and how sure that is: 0 for no more, `inPieces`, `asWord`. */
interface Chains {
  readonly keys: Float64Array;
  readonly sure: Uint8Array;
}

/** Throws DamagedIndex. */
export async function messagesWithPhrase(ground: PhraseGround, links: readonly NeedleLink[]): Promise<SegmentAnswer> {
  const { segment } = ground;
  const [first, ...others] = links.map((link, at) => costOf(ground, link, at)).sort((one, other) => one.bytes - other.bytes);
  const answer: SegmentAnswer = { proven: emptySet(segment.uids.length), candidates: emptySet(segment.uids.length) };
  if (first === undefined) return answer;
  let chains = await begin(segment, first, await anyRuns(ground, first));
  let proves = true;
  for (const next of others) {
    if (chains.keys.length === 0) return answer;
    if (next.bytes > chains.keys.length * lookBytes) proves = false;
    else chains = await narrowed(segment, { chains, next, runs: async () => anyRuns(ground, next) });
  }
  for (let at = 0; at < chains.keys.length; at += 1) {
    addRank(proves && chains.sure[at] === asWord ? answer.proven : answer.candidates, rankOf(chains.keys[at] ?? 0));
  }
  return answer;
}

function costOf(ground: PhraseGround, link: NeedleLink, at: number): Cost {
  const tokens = tokensOf(ground, { text: link.text, match: matches[link.open] });
  const runs = link.inPieces === 'possible' && link.text.length < 4 ? tokensOf(ground, { text: anyRunInPieces, match: 'is' }) : [];
  return { link, at, tokens, bytes: [...tokens, ...runs].reduce((sum, { list, places }) => sum + list.to - list.from + places.to - places.from, 0) };
}

function tokensOf({ segment, field }: PhraseGround, wanted: Parameters<typeof placesIn>[1]): PlacedToken[] {
  return segment.tablesOf(field, 'word').flatMap(({ width, vocabulary }) => placesIn({ width, vocabulary }, wanted).map((index) => ({ list: vocabulary.list(index), places: vocabulary.places(index) })));
}

/** The runs in pieces in which the link may be: all such runs, and the messages that count. */
interface AnyRuns {
  readonly tokens: readonly PlacedToken[];
  readonly messages: RankSet;
}

async function anyRuns(ground: PhraseGround, { link }: Cost): Promise<AnyRuns | undefined> {
  if (link.inPieces === 'impossible') return undefined;
  const messages = await ground.inPieces(link.text);
  return isEmpty(messages) ? undefined : { messages, tokens: tokensOf(ground, { text: anyRunInPieces, match: 'is' }) };
}

/** More than a message has tokens. A key is a rank times this, and where in the message the first link would be. */
const indexes = 2 ** 26;

function rankOf(key: number): number {
  return Math.floor(key / indexes);
}

function messagesOf(segment: Segment, { keys }: Chains): RankSet {
  const messages = emptySet(segment.uids.length);
  for (const key of keys) addRank(messages, rankOf(key));
  return messages;
}

async function begin(segment: Segment, { link, at, tokens }: Cost, runs: AnyRuns | undefined): Promise<Chains> {
  const words: number[] = [];
  const among: number[] = [];
  const from = at === 0 ? undefined : link.before;
  await hearPlaces(segment, { tokens, at, before: from, among: undefined }, (key) => words.push(key));
  if (runs !== undefined) await hearPlaces(segment, { tokens: runs.tokens, at, before: from, among: runs.messages }, (key) => among.push(key));
  const keys = Float64Array.from([words, among].flat());
  if (tokens.length > 1 || among.length > 0) keys.sort();
  const sure = new Uint8Array(keys.length).fill(asWord);
  const chains = { keys, sure };
  if (among.length > 0) {
    sure.fill(inPieces);
    const raiser = new Raiser(chains);
    for (const key of words) raiser.raise(key, asWord);
  }
  return chains;
}

/** The chains that go on with that link. */
async function narrowed(segment: Segment, { chains, next: { link, at, tokens }, runs }: { readonly chains: Chains; readonly next: Cost; readonly runs: () => Promise<AnyRuns | undefined> }): Promise<Chains> {
  const found: Chains = { keys: chains.keys, sure: new Uint8Array(chains.keys.length) };
  const before = at === 0 ? undefined : link.before;
  const [named, among] = [new Raiser(found), new Raiser(found)];
  const messages = messagesOf(segment, chains);
  await hearPlaces(segment, { tokens, at, before, among: messages }, (key) => named.raise(key, asWord));
  const open = found.sure.includes(0) ? await runs() : undefined;
  if (open !== undefined) {
    intersect(messages, open.messages);
    await hearPlaces(segment, { tokens: open.tokens, at, before, among: messages }, (key) => among.raise(key, inPieces));
  }
  const kept: number[] = [];
  for (let index = 0; index < found.sure.length; index += 1) if ((found.sure[index] ?? 0) > 0) kept.push(index);
  return { keys: Float64Array.from(kept, (index) => chains.keys[index] ?? 0), sure: Uint8Array.from(kept, (index) => Math.min(chains.sure[index] ?? 0, found.sure[index] ?? 0)) };
}

/** Finds chains by keys that mostly ascend: each search begins where the last one ended. */
class Raiser {
  readonly #chains: Chains;
  #at = 0;

  constructor(chains: Chains) {
    this.#chains = chains;
  }

  /** Notes that the chain with that key is so sure, if there is one. */
  raise(key: number, how: number): void {
    const { keys, sure } = this.#chains;
    if (this.#at > 0 && (keys[this.#at - 1] ?? 0) >= key) this.#at = 0; // another token's places begin
    let step = 1;
    while (this.#at + step < keys.length && (keys[this.#at + step] ?? 0) < key) step *= 2;
    let low = this.#at + (step >>> 1);
    let high = Math.min(this.#at + step, keys.length);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] ?? 0) < key) low = middle + 1;
      else high = middle;
    }
    this.#at = low;
    if (keys[low] === key && (sure[low] ?? 0) < how) sure[low] = how;
  }
}

interface Heard {
  readonly tokens: readonly PlacedToken[];
  readonly at: number;
  readonly before: Before | undefined;
  /** Only in these messages; in all when undefined. */
  readonly among: RankSet | undefined;
}

/** Hears of each place of the tokens with that before it, and the key of a chain that has its link of that number there. */
async function hearPlaces(segment: Segment, { tokens, at, before, among }: Heard, hear: (key: number) => void): Promise<void> {
  const ranks: number[][] = [];
  await segment.hearLists(tokens.map(({ list }) => list), (list) => ranks.push(decodeList(list)));
  await segment.hearLists(tokens.map(({ places }) => places), (places, token) => {
    eachPlace({ ranks: ranks[token] ?? [], bytes: places }, among, (rank, place) => {
      const index = indexIn(place) - at;
      if (index >= 0 && (before === undefined || beforeIn(place) === before)) hear(rank * indexes + index);
    });
  });
}
