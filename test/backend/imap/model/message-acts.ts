/** Acts on messages: the command, and what the model says must come of it. */
import assert from 'node:assert/strict';
import { choose, flagsOf, verbOf } from './acts.ts';
import type { Act, Chosen } from './acts.ts';
import { arrivalOf, letterOf } from './letters.ts';
import type { Letter } from './letters.ts';
import { findMessage } from './mailbox-model.ts';
import type { Effect, ModelMailbox, ModelMessage } from './mailbox-model.ts';
import { windowed } from './result-window.ts';
import type { Player } from './player.ts';
import type { Fetched, Response } from './responses.ts';
import { numbersOf } from './responses.ts';
import { mayFlag, refusal } from './rights-model.ts';
import type { Spot } from './rights-model.ts';
import type { OpenView } from './open-view.ts';
import type { SessionModel } from './session-model.ts';
import type { Command, Stage } from './stage.ts';

const silent: readonly string[] = ['FLAGS', 'PERMANENTFLAGS'];

/** Nothing else came than what goes along with new keywords. */
export function onlyKeywords(others: readonly Response[]): void {
  assert.deepEqual(others.filter((one) => !(one.kind === 'code' && silent.includes(one.code))), []);
}

export async function append(stage: Stage, player: Player, act: Act): Promise<void> {
  const spot = stage.spot(player, act.a);
  const { mailbox } = spot;
  const flags = flagsOf(act.b);
  const letters = Array.from({ length: 1 + (act.c % 4) }, (_, index) => letterOf(act.c + index));
  const literals = letters.map((letter) => `(${flags.join(' ')}) ${arrivalOf(letter)} ${act.c % 3 === 0 ? '~' : ''}{${String(letter.text.length)}+}\r\n${letter.text}`);
  const why = whyNotInto(spot, letters);
  const { code } = await expectKeywords(stage, player, {
    text: `APPEND ${spot.text} ${literals.join(' ')}`,
    status: why === undefined ? 'OK' : 'NO',
    effects: mailbox === undefined || why !== undefined ? [] : [{ mailbox, added: letters.map((letter) => ({ letter, flags: borne(spot, flags) })) }],
  });
  if (mailbox === undefined || why !== undefined) assert.equal(code, why);
  else if (spot.rights.includes('r')) checkUids(code, 'APPENDUID', { mailbox, count: letters.length });
  else assert.equal(code, undefined, 'who may not read learns no uids');
}

/** Why these can't come in there. */
export function whyNotInto(spot: Spot, letters: readonly Letter[]): string | undefined {
  if (spot.mailbox === undefined && spot.whose === 'own') return 'TRYCREATE';
  return refusal(spot, 'i') ?? (spot.account.hasRoomFor(letters) ? undefined : 'OVERQUOTA');
}

/** What a message that comes there bears of these flags (RFC 4314 section 4). */
export function borne({ rights }: Spot, flags: Iterable<string>): ReadonlySet<string> {
  return new Set([...flags].filter((flag) => mayFlag(rights, flag)));
}

/** The last uids of the mailbox are those that the code names. */
export function checkUids(code: string | undefined, word: string, { mailbox: { uidValidity, messages }, count }: { readonly mailbox: ModelMailbox; readonly count: number }): void {
  const [, name, validity, uids = ''] = /^(\S+) (\d+) (?:[\d:,]+ )?([\d:,]+)$/.exec(code ?? '') ?? [];
  assert.deepEqual([name, Number(validity)], [word, uidValidity], code);
  assert.deepEqual(numbersOf(uids), messages.slice(-count).map(({ uid }) => uid), code);
}

export async function expectKeywords(stage: Stage, player: Player, command: Command): Promise<{ readonly code: string | undefined; readonly others: readonly Response[] }> {
  const { others, code } = await stage.run(player, command);
  onlyKeywords(others);
  return { others, code };
}

export function alive(view: OpenView, uids: readonly number[]): ModelMessage[] {
  return uids.flatMap((uid) => findMessage(view.mailbox, uid) ?? []);
}

export async function store(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const view = viewOf(model);
  const chosen = choose(view, act);
  const mode = (['+', '-', ''] as const)[act.b % 3] ?? '';
  const given = flagsOf(act.c);
  const isSilent = act.c % 3 === 0;
  const since = act.b % 5 === 0 ? Math.max(1, view.mailbox.highestModseq - (act.c % 3)) : undefined;
  const tells = chosen.by === 'uid' ? 'everything' : 'no-expunges';
  const text = `${verbOf(chosen, 'STORE')} ${chosen.set} ${since === undefined ? '' : `(UNCHANGEDSINCE ${String(since)}) `}${mode}FLAGS${isSilent ? '.SILENT' : ''} (${given.join(' ')})`;
  const rights = stage.rightsIn(player);
  const may = (flag: string): boolean => mayFlag(rights, flag);
  if (view.access === 'read-only' || !(mode === '' ? /[swt]/.test(rights) : given.length === 0 || given.some(may))) {
    await expectKeywords(stage, player, { text, status: 'NO', tells });
    return;
  }
  if (since !== undefined) model.enableCondstore();
  const there = alive(view, chosen.uids);
  const refused = there.filter(({ modseq }) => modseq > (since ?? Infinity));
  const changed = there.filter((message) => !refused.includes(message));
  const flagged = new Map(changed.map(({ uid, flags }) => [uid, new Set([...[...flags].filter((flag) => !may(flag)), ...[...changedFlags(flags, mode, given)].filter(may)])]));
  const items: readonly (keyof Fetched)[] = [...(isSilent ? [] : ['flags'] as const), ...(model.condstore === 'on' ? ['modseq'] as const : [])];
  const { code } = await expectKeywords(stage, player, {
    text, status: 'OK', tells,
    effects: [{ mailbox: view.mailbox, flagged }],
    fetched: new Map(items.length === 0 ? [] : changed.map(({ uid }) => [uid, items])),
    own: new Set(flagged.keys()),
    concludes: () => {
      if (!isSilent) return;
      for (const [uid, flags] of flagged) if (view.flags.has(uid)) view.flags.set(uid, flags);
    },
  });
  checkModified(code, view, { refused, by: chosen.by });
}

export function changedFlags(flags: ReadonlySet<string>, mode: '+' | '-' | '', given: readonly string[]): ReadonlySet<string> {
  if (mode === '') return new Set(given);
  return new Set(mode === '+' ? [...flags, ...given] : [...flags].filter((flag) => !given.includes(flag)));
}

function checkModified(code: string | undefined, view: OpenView, { refused, by }: { readonly refused: readonly ModelMessage[]; readonly by: Chosen['by'] }): void {
  const numbers = refused.map(({ uid }) => (by === 'uid' ? uid : view.uids.indexOf(uid) + 1));
  const [, modified] = /^MODIFIED ([\d:,]+)$/.exec(code ?? '') ?? [];
  assert.deepEqual(modified === undefined ? [] : numbersOf(modified), numbers, code);
}

export async function copyOrMove(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const view = viewOf(model);
  const chosen = choose(view, act);
  const spot = stage.spot(player, act.c >> 2);
  const target = spot.mailbox;
  const there = alive(view, chosen.uids);
  const changesAccount = spot.account !== view.mailbox.home;
  if (changesAccount && there.length === 0) return; // of nothing another node is not asked
  const rights = stage.rightsIn(player);
  const verb = act.kind === 'copy' ? 'COPY' : 'MOVE';
  const forbidden = verb === 'MOVE' && (view.access === 'read-only' || !rights.includes('t') || !rights.includes('e'));
  const why = whyNotInto(spot, verb === 'MOVE' && !changesAccount ? [] : there.map(({ letter }) => letter));
  const done = !forbidden && target !== undefined && why === undefined;
  const effects: Effect[] = done && there.length > 0 ? transfer({ source: view.mailbox, target, messages: there.map(({ uid, letter, flags }) => ({ uid, letter: changesAccount ? { ...letter } : letter, flags: borne(spot, flags) })), verb }) : [];
  const { others, code } = await stage.run(player, { text: `${verbOf(chosen, verb)} ${chosen.set} ${spot.text}`, status: done ? 'OK' : 'NO', effects });
  const moved = others.find((one) => one.kind === 'code' && one.code === 'COPYUID');
  onlyKeywords(others.filter((one) => one !== moved));
  if (!forbidden && why !== undefined) assert.equal(code, why);
  if (!done || there.length === 0) return;
  const copied = verb === 'MOVE' && moved?.kind === 'code' ? `COPYUID ${moved.value}` : code;
  if (spot.rights.includes('r')) checkUids(copied, 'COPYUID', { mailbox: target, count: there.length });
  else assert.deepEqual([verb === 'COPY' ? code : undefined, moved], [undefined, undefined], 'who may not read learns no uids');
  if (spot.rights.includes('r')) assert.deepEqual(numbersOf(/^COPYUID \d+ ([\d:,]+) /.exec(copied ?? '')?.[1] ?? ''), there.map(({ uid }) => uid));
  if (verb === 'MOVE' && model.qresync === 'on') assert.equal(code, `HIGHESTMODSEQ ${String(view.mailbox.highestModseq)}`);
}

function transfer({ source, target, messages, verb }: { readonly source: ModelMailbox; readonly target: ModelMailbox; readonly messages: readonly Pick<ModelMessage, 'uid' | 'letter' | 'flags'>[]; readonly verb: 'COPY' | 'MOVE' }): Effect[] {
  const added = messages.map(({ letter, flags }) => ({ letter, flags }));
  const gone = new Set(messages.map(({ uid }) => uid));
  if (verb === 'COPY') return [{ mailbox: target, added }];
  return source === target ? [{ mailbox: target, added, gone }] : [{ mailbox: source, gone }, { mailbox: target, added }];
}

export async function expunge(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const view = viewOf(model);
  const chosen = act.kind === 'uid expunge' ? choose(view, { ...act, a: act.a | 1 }) : undefined;
  const text = chosen === undefined ? 'EXPUNGE' : `UID EXPUNGE ${chosen.set}`;
  if (view.access === 'read-only' || !stage.rightsIn(player).includes('e')) {
    await expectKeywords(stage, player, { text, status: 'NO' });
    return;
  }
  const gone = deletedIn(view, chosen?.uids ?? view.uids);
  const { code } = await expectKeywords(stage, player, { text, status: 'OK', effects: gone.size === 0 ? [] : [{ mailbox: view.mailbox, gone }] });
  assert.equal(code, gone.size > 0 && model.qresync === 'on' ? `HIGHESTMODSEQ ${String(view.mailbox.highestModseq)}` : undefined);
}

/** Those of the session's messages that EXPUNGE and CLOSE remove. */
export function deletedIn(view: OpenView, uids: readonly number[]): ReadonlySet<number> {
  return new Set(alive(view, uids).filter(({ flags }) => flags.has('\\Deleted')).map(({ uid }) => uid));
}

const fetches: readonly { readonly items: string; readonly fields: readonly (keyof Fetched)[]; readonly does?: 'marks' | 'condstore' }[] = [
  { items: '(FLAGS)', fields: ['flags'] },
  { items: '(UID FLAGS)', fields: ['uid', 'flags'] },
  { items: '(RFC822.SIZE)', fields: ['size'] },
  { items: '(FLAGS MODSEQ)', fields: ['flags', 'modseq'], does: 'condstore' },
  { items: '(BODY.PEEK[])', fields: ['body'] },
  { items: '(BODY[])', fields: ['body'], does: 'marks' },
  { items: '(BINARY.PEEK[1])', fields: ['binary'] },
  { items: '(BINARY[1])', fields: ['binary'], does: 'marks' },
  { items: '(FLAGS BINARY.SIZE[1] RFC822.SIZE)', fields: ['flags', 'binarySize', 'size'] },
  { items: '(PREVIEW)', fields: ['preview'] },
  { items: '(EMAILID THREADID SAVEDATE)', fields: ['emailId', 'threadId', 'savedMs'] },
  { items: '(UID FLAGS RFC822.SIZE BINARY.SIZE[1] PREVIEW EMAILID THREADID SAVEDATE)', fields: ['uid', 'flags', 'size', 'binarySize', 'preview', 'emailId', 'threadId', 'savedMs'] },
];
/** What `fetch` makes of this number shows most of all messages. */
export const fetchOfAll = { a: 5, b: 0, c: fetches.length - 1 };

export async function fetch(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const view = viewOf(model);
  const chosen = choose(view, act);
  if (act.c % 5 === 0 && chosen.by === 'uid') return fetchChanged(stage, player, act);
  if (act.c % 7 === 0 && chosen.by === 'uid') return fetchWindow(stage, player, { chosen, window: windows[act.b % windows.length] ?? '1:2' });
  const kind = fetches[act.c % fetches.length] ?? fetches[0];
  assert.ok(kind !== undefined);
  if (kind.does === 'condstore') model.enableCondstore();
  const there = alive(view, chosen.uids);
  const marked = kind.does === 'marks' && view.access === 'read-write' && stage.rightsIn(player).includes('s') ? there.filter(({ flags }) => !flags.has('\\Seen')) : [];
  const fields = new Map(there.map((message) => [message.uid, [...kind.fields, ...(marked.includes(message) ? ['flags'] as const : [])]]));
  await expectKeywords(stage, player, {
    text: `${verbOf(chosen, 'FETCH')} ${chosen.set} ${kind.items}`, status: 'OK', tells: chosen.by === 'uid' ? 'everything' : 'no-expunges',
    effects: marked.length === 0 ? [] : [{ mailbox: view.mailbox, flagged: new Map(marked.map(({ uid, flags }) => [uid, new Set([...flags, '\\Seen'])])) }],
    fetched: fields, own: new Set(marked.map(({ uid }) => uid)),
  });
}

const windows = ['1:2', '-1:-2', '2:1', '-3:-2', '9:12'] as const;

/** Some of what the set means, counted from either end (RFC 9394 section 3.3). */
async function fetchWindow(stage: Stage, player: Player, { chosen, window }: { readonly chosen: Chosen; readonly window: string }): Promise<void> {
  const view = viewOf(player.model);
  await expectKeywords(stage, player, {
    text: `UID FETCH ${chosen.set} (UID FLAGS) (PARTIAL ${window})`, status: 'OK',
    fetched: new Map(alive(view, windowed(chosen.uids, window)).map(({ uid }) => [uid, ['uid', 'flags']])),
  });
}

/** What changed since some moment (RFC 7162 section 3.1.4.1), and what vanished (section 3.2.6). */
async function fetchChanged(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const { mailbox, uids } = viewOf(model);
  const since = Math.max(1, mailbox.highestModseq - (act.b % 6));
  const asksForGone = model.qresync === 'on';
  model.enableCondstore();
  const changed = mailbox.messages.filter(({ uid, modseq }) => uids.includes(uid) && modseq > since);
  const { others } = await stage.run(player, {
    text: `UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${String(since)}${asksForGone ? ' VANISHED' : ''})`, status: 'OK',
    fetched: new Map(changed.map(({ uid }) => [uid, ['uid', 'flags', 'modseq']])),
  });
  const vanished = others.find((one) => one.kind === 'vanished');
  onlyKeywords(others.filter((one) => one !== vanished));
  assert.deepEqual(vanished?.kind === 'vanished' ? vanished.uids : [], asksForGone ? goneSince(mailbox, since) : []);
}

/** Ascending. */
export function goneSince({ gone }: ModelMailbox, since: number): number[] {
  return gone.filter(({ modseq }) => modseq > since).map(({ uid }) => uid).toSorted((one, other) => one - other);
}

export function viewOf(model: SessionModel): OpenView {
  assert.ok(model.view !== undefined);
  return model.view;
}
