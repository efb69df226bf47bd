/** SEARCH, SORT and THREAD: what is asked for, and what a simple mind finds (RFC 9051 section 6.4.4; results: RFC 4731, 5182, 5267, 9394). */
import assert from 'node:assert/strict';
import type { Act } from './acts.ts';
import { Follower } from './follower-model.ts';
import type { ModelMessage } from './mailbox-model.ts';
import { alive, expectKeywords, onlyKeywords, viewOf } from './message-acts.ts';
import { sorted, threaded } from './order-model.ts';
import type { Player } from './player.ts';
import { windowed } from './result-window.ts';
import { numbersOf } from './responses.ts';
import type { Response } from './responses.ts';
import type { OpenView } from './open-view.ts';
import type { Expectation } from './session-model.ts';
import type { Stage } from './stage.ts';

/** A search key, and which messages of the view it finds. */
export interface Key {
  readonly text: string;
  readonly hits: (message: ModelMessage) => boolean;
  readonly modseqs?: 'told';
}

const has = (flag: string) => ({ flags }: ModelMessage): boolean => flags.has(flag);
const unlike = (hits: Key['hits']) => (message: ModelMessage): boolean => !hits(message);

/** That mean something in the open mailbox alone. */
const recentKeys = ({ recent }: OpenView): readonly Key[] => [
  { text: 'RECENT', hits: ({ uid }) => recent.has(uid) },
  { text: 'NEW', hits: (message) => recent.has(message.uid) && !has('\\Seen')(message) },
  { text: 'OLD UNDELETED', hits: (message) => !recent.has(message.uid) && !has('\\Deleted')(message) },
];

/** That mean the same everywhere. */
export const fixedKeys: readonly Key[] = [
  { text: 'ALL', hits: () => true },
  { text: 'SEEN', hits: has('\\Seen') },
  { text: 'NOT DELETED', hits: unlike(has('\\Deleted')) },
  { text: 'OR FLAGGED KEYWORD $A', hits: (message) => has('\\Flagged')(message) || has('$A')(message) },
  { text: 'SUBJECT lunch', hits: ({ letter }) => letter.base === 'LUNCH' },
  { text: 'UNSEEN UNDELETED', hits: (message) => !has('\\Seen')(message) && !has('\\Deleted')(message) },
  { text: 'HEADER CC zed FROM ann', hits: ({ letter }) => letter.cc === 'ZED' && letter.from === 'ANN' },
  { text: 'BODY "longer longer"', hits: ({ letter }) => letter.body.includes('longer longer') },
];

function keyOf(view: OpenView, { a, b, c }: Act): Key {
  const saved = ({ uid }: ModelMessage): boolean => view.saved.includes(uid);
  const uid = 1 + (c % view.mailbox.uidNext);
  const place = 1 + (c % Math.max(1, view.uids.length));
  const size = 200 + (a % 200);
  const modseq = Math.max(1, view.mailbox.highestModseq - (c % 6));
  const midnightMs = Date.UTC(2026, 1, 1 + (c % 7)); // all came by day: seconds that pass meanwhile change nothing
  const age = String(Math.floor((Date.now() - midnightMs) / 1000));
  const keys: readonly Key[] = [
    ...fixedKeys, ...recentKeys(view),
    { text: '$', hits: saved },
    { text: 'NOT UID $', hits: unlike(saved) },
    { text: `UID ${String(uid)}:* UNSEEN`, hits: (message) => (message.uid >= uid || message.uid === view.uids.at(-1)) && !has('\\Seen')(message) },
    ...(view.uids.length === 0 || view.numbering === 'uids' ? [] : [{ text: `1:${String(place)} NOT SEEN`, hits: (message: ModelMessage) => view.uids.indexOf(message.uid) < place && !has('\\Seen')(message) }]),
    { text: `YOUNGER ${age}`, hits: ({ letter }) => letter.arrivedMs > midnightMs },
    { text: `OLDER ${age} NOT DELETED`, hits: (message) => message.letter.arrivedMs < midnightMs && !has('\\Deleted')(message) },
    { text: `LARGER ${String(size)}`, hits: ({ letter }) => letter.text.length > size },
    { text: `MODSEQ ${String(modseq)}`, hits: (message) => message.modseq >= modseq, modseqs: 'told' },
  ];
  return keys[b % keys.length] ?? fixedKeys[0] ?? assert.fail();
}

const returns = ['ALL COUNT', '', 'MIN MAX', 'SAVE', 'SAVE', 'SAVE MIN', 'SAVE MAX COUNT', 'PARTIAL 2:3', 'SAVE PARTIAL -1:-2', 'MAX PARTIAL 1:2 SAVE', 'COUNT SAVE', 'SAVE MAX MIN', 'ALL SAVE'] as const;
const sortCriteria = ['SUBJECT', 'REVERSE DATE', 'FROM REVERSE SIZE', 'ARRIVAL', 'REVERSE ARRIVAL', 'CC TO', 'DISPLAYFROM REVERSE SUBJECT', 'REVERSE FROM', 'TO DATE', 'SIZE'] as const;
const algorithms = ['ORDEREDSUBJECT', 'REFERENCES', 'REFERENCES', 'REFS'] as const;

interface Manner {
  readonly verb: 'SEARCH' | 'SORT';
  readonly numbers: 'uid' | 'sequence';
  /** Undefined: the old response. */
  readonly returned: string | undefined;
}

function numbersFor(view: OpenView, { a }: Act): Manner['numbers'] {
  return view.numbering === 'uids' || a % 2 === 1 ? 'uid' : 'sequence';
}

/** Nothing is told to be gone while sequence numbers may be under way, be it in the keys (RFC 7162 section 3.2.10.2). */
function tellsAfter(numbers: Manner['numbers'], { text }: Key): Expectation['tells'] {
  return numbers === 'sequence' || /^\d/.test(text) ? 'no-expunges' : 'everything';
}

/** SEARCH, or SORT. */
export async function search(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const view = viewOf(model);
  if (act.kind === 'search' && act.b % 25 === 24) return searchInVain(stage, player);
  const key = keyOf(view, act);
  if (key.modseqs === 'told') model.enableCondstore();
  const manner: Manner = {
    verb: act.kind === 'sort' ? 'SORT' : 'SEARCH', numbers: numbersFor(view, act),
    returned: act.c % 3 === 0 ? undefined : returns[act.c % returns.length],
  };
  const criteria = sortCriteria[act.a % sortCriteria.length] ?? 'SUBJECT';
  const matching = alive(view, view.uids).filter(key.hits);
  const found = manner.verb === 'SORT' ? sorted(matching, criteria) : matching;
  const { others } = await stage.run(player, { text: commandOf(manner, { key, criteria }), status: 'OK', tells: tellsAfter(manner.numbers, key) });
  const answers = others.filter(({ kind }) => kind === 'search' || kind === 'sort' || kind === 'esearch');
  onlyKeywords(others.filter((one) => !answers.includes(one)));
  checkAnswers(answers, { manner, found, view, modseqs: key.modseqs });
  if (manner.returned?.includes('SAVE') === true) view.saved = meant(found, manner.returned).map(({ uid }) => uid).toSorted((one, other) => one - other);
}

function commandOf({ verb, numbers, returned }: Manner, { key, criteria }: { readonly key: Key; readonly criteria: string }): string {
  const asked = returned === undefined ? '' : ` RETURN (${returned})`;
  return `${numbers === 'uid' ? 'UID ' : ''}${verb}${asked}${verb === 'SORT' ? ` (${criteria}) UTF-8` : ''} ${key.text}`;
}

/** A search that fails leaves `$` empty (RFC 5182 section 2.1). */
async function searchInVain(stage: Stage, player: Player): Promise<void> {
  const byUid = player.model.numbering === 'uids' ? 'UID ' : '';
  await expectKeywords(stage, player, { text: `${byUid}SEARCH RETURN (SAVE) CHARSET KOI8-R ALL`, status: 'NO', tells: byUid === '' ? 'no-expunges' : 'everything' });
  viewOf(player.model).saved = [];
}

interface Outcome {
  readonly manner: Manner;
  readonly found: readonly ModelMessage[];
  readonly view: OpenView;
  readonly modseqs: 'told' | undefined;
}

function checkAnswers(answers: readonly Response[], { manner: { verb, numbers, returned }, found, view, modseqs }: Outcome): void {
  const numberOf = ({ uid }: ModelMessage): number => (numbers === 'uid' ? uid : view.uids.indexOf(uid) + 1);
  const highest = (of: readonly ModelMessage[]): number | undefined => (modseqs === undefined || of.length === 0 ? undefined : Math.max(...of.map(({ modseq }) => modseq)));
  const [answer] = answers;
  if (returned === undefined) {
    assert.deepEqual(answers, [{ kind: verb === 'SORT' ? 'sort' : 'search', found: found.map(numberOf), modseq: highest(found) }]);
    return;
  }
  const expected = itemsOf(found, returned, numberOf);
  assert.equal(answers.length, expected === undefined ? 0 : 1, returned);
  if (expected === undefined) return;
  assert.ok(answer?.kind === 'esearch' && answer.of.startsWith('TAG ') && answer.numbers === numbers);
  const modseq = highest(meant(found, returned));
  if (modseq !== undefined) expected.set('MODSEQ', String(modseq));
  assert.deepEqual(Object.fromEntries([...answer.items].map(([name, value]) => [name, readable(value)])), Object.fromEntries([...expected].map(([name, value]) => [name, readable(value)])), returned);
}

/** Sets that are written otherwise may be the same. */
export function readable(value: string): string {
  return value.replace(/\d+(?:[:,]\d+)*\)?$/, (set) => numbersOf(set.replace(')', '')).join(','));
}

/** Undefined where nothing is asked for that would be told. */
export function itemsOf(found: readonly ModelMessage[], returned: string, numberOf: (message: ModelMessage) => number): Map<string, string> | undefined {
  const words = returned.split(' ');
  const shown = returned === '' ? ['ALL'] : words.filter((word) => ['ALL', 'COUNT', 'MIN', 'MAX', 'PARTIAL'].includes(word));
  if (shown.length === 0) return undefined;
  const [first, last] = [found[0], found.at(-1)];
  const listed = (of: readonly ModelMessage[]): string => of.map(numberOf).join(',');
  const items = new Map<string, string>();
  if (shown.includes('MIN') && first !== undefined) items.set('MIN', listed([first]));
  if (shown.includes('MAX') && last !== undefined) items.set('MAX', listed([last]));
  if (shown.includes('ALL') && found.length > 0) items.set('ALL', listed(found));
  if (shown.includes('COUNT')) items.set('COUNT', String(found.length));
  const window = windowOf(returned);
  if (window !== undefined) items.set('PARTIAL', `(${window} ${windowed(found, window).length === 0 ? 'NIL' : listed(windowed(found, window))})`);
  return items;
}

function windowOf(returned: string): string | undefined {
  return /PARTIAL (\S+)/.exec(returned)?.[1];
}

/** What `$` and MODSEQ stand for (RFC 5182 section 2.4, RFC 7162 section 3.1.5, RFC 9394 section 3.2). */
export function meant(found: readonly ModelMessage[], returned: string): readonly ModelMessage[] {
  const words = returned.split(' ');
  const window = windowOf(returned);
  if (words.includes('ALL') || words.includes('COUNT') || (window === undefined && !words.includes('MIN') && !words.includes('MAX'))) return found;
  const inWindow = window === undefined ? [] : windowed(found, window);
  return found.filter((one) => inWindow.includes(one) || (words.includes('MIN') && one === found[0]) || (words.includes('MAX') && one === found.at(-1)));
}

const mostFollowers = 4;

/** A search or SORT whose results are kept up to date, or an end of it. */
export async function follow(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const view = viewOf(model);
  const { followers } = view;
  const [oldest] = followers.keys();
  if (oldest !== undefined && (followers.size >= mostFollowers || act.b % 5 === 0)) {
    await expectKeywords(stage, player, { text: `CANCELUPDATE "${oldest}"`, status: 'OK', then: () => { followers.delete(oldest); } });
    return;
  }
  const keys = [...fixedKeys, ...recentKeys(view)];
  const key = keys[act.b % keys.length] ?? assert.fail();
  const sorts = act.c % 2 === 1;
  const criteria = sortCriteria[act.a % sortCriteria.length] ?? 'SUBJECT';
  const returned = ['UPDATE', 'UPDATE ALL', 'UPDATE COUNT', 'UPDATE MIN'][act.c % 4] ?? 'UPDATE';
  const manner: Manner = { verb: sorts ? 'SORT' : 'SEARCH', numbers: numbersFor(view, act), returned };
  const order = sorts ? (messages: readonly ModelMessage[]) => sorted(messages, criteria) : undefined;
  const matching = alive(view, view.uids).filter(key.hits);
  const found = order?.(matching) ?? matching;
  const tag = player.nextTag;
  const { others } = await stage.run(player, {
    text: commandOf(manner, { key, criteria }), status: 'OK', tells: tellsAfter(manner.numbers, key),
    then: () => { followers.set(tag, new Follower({ numbers: manner.numbers, order, hits: key.hits }, found)); },
  });
  const answers = others.filter(({ kind }) => kind === 'esearch');
  onlyKeywords(others.filter((one) => !answers.includes(one)));
  checkAnswers(answers, { manner, found, view, modseqs: undefined });
}

export async function thread(stage: Stage, player: Player, act: Act): Promise<void> {
  const view = viewOf(player.model);
  const key = keyOf(view, { ...act, b: act.b % (fixedKeys.length * 2) < fixedKeys.length ? 0 : act.b });
  if (key.modseqs === 'told') player.model.enableCondstore();
  const byUid = numbersFor(view, act) === 'uid';
  const algorithm = algorithms[act.c % algorithms.length] ?? 'REFERENCES';
  const threads = threaded(alive(view, view.uids).filter(key.hits), algorithm, ({ uid }) => (byUid ? uid : view.uids.indexOf(uid) + 1));
  const { others } = await stage.run(player, { text: `${byUid ? 'UID ' : ''}THREAD ${algorithm} UTF-8 ${key.text}`, status: 'OK', tells: tellsAfter(byUid ? 'uid' : 'sequence', key) });
  const answers = others.filter(({ kind }) => kind === 'thread');
  onlyKeywords(others.filter((one) => !answers.includes(one)));
  assert.deepEqual(answers, [{ kind: 'thread', threads }]);
}
