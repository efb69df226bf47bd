/** Commands that are given while those of other sessions run: how each reads, and what it does, whatever came before it. */
import { choose, flagsOf, nameOf, verbOf } from './acts.ts';
import type { Act, Chosen } from './acts.ts';
import { arrivalOf, letterOf } from './letters.ts';
import type { Letter } from './letters.ts';
import { sameFlags } from './mailbox-model.ts';
import type { AccountModel, ModelMailbox } from './mailbox-model.ts';
import { changedFlags, viewOf } from './message-acts.ts';
import { select } from './mailbox-acts.ts';
import type { Player } from './player.ts';
import type { Fetched } from './responses.ts';
import { boxOf, withBox } from './rush-model.ts';
import type { Box, Outcome, Paper, Perform, World } from './rush-model.ts';
import type { OpenView } from './open-view.ts';
import type { Rush, Stage } from './stage.ts';

interface Scene {
  readonly account: AccountModel;
  readonly player: Player;
  readonly view: OpenView;
}

const kinds = ['append', 'store', 'store', 'compare and set', 'copy', 'move', 'move', 'expunge', 'uid expunge', 'fetch', 'mark', 'replace', 'noop'] as const;
const most = 4;

/** Two to four sessions at the same time. */
export async function rush(stage: Stage, act: Act): Promise<void> {
  const ready = [...stage.players.slice(act.who), ...stage.players.slice(0, act.who)].filter(({ home, model }) => home === 'owner' && model.state === 'alive' && model.watch === undefined).slice(0, 2 + (act.a % (most - 1)));
  const acts = ready.map((player, index) => ({ player, own: varied(act, index) }));
  for (const { player, own } of acts) {
    if (player.model.idle === 'yes') await stage.endIdle(player);
    // Most of them meet in one mailbox.
    if (player.model.view === undefined) await select(stage, player, { ...own, kind: 'select', a: own.c % 4 === 0 ? own.a : 0, b: own.b | 1 });
  }
  await stage.settleAll(); // what is still to be told of before would be hard to tell from what is new
  await stage.runAtOnce(acts.flatMap(({ player, own }) => (player.model.view === undefined ? [] : [rushOf({ account: stage.account, player, view: viewOf(player.model) }, own)])));
}

function varied(act: Act, index: number): Act {
  const number = (wanted: number): number => (wanted * (index + 1) * 7919 + index * 104_729) % 10_000;
  return { ...act, a: number(act.a), b: number(act.b), c: number(act.c) };
}

function rushOf(scene: Scene, act: Act): Rush {
  switch (kinds[act.b % kinds.length]) {
    case 'append': return append(scene, act);
    case 'store': return store(scene, act, 'always');
    case 'compare and set': return store(scene, act, scene.player.model.condstore === 'on' ? 'if unchanged' : 'always');
    case 'copy': return transfer(scene, act, 'COPY');
    case 'move': return transfer(scene, act, 'MOVE');
    case 'expunge': return expunge(scene, undefined);
    case 'uid expunge': return expunge(scene, choose(scene.view, { ...act, a: act.a | 1 }));
    case 'fetch': return fetch(scene, act, 'reads');
    case 'mark': return fetch(scene, act, 'marks');
    case 'replace': return replace(scene, act);
    case 'noop': default: return { player: scene.player, text: 'NOOP', perform: (world) => [{ world, status: 'OK' }] };
  }
}

const saysOf = (letter: Letter, flags: readonly string[]): string => `(${flags.join(' ')}) ${arrivalOf(letter)} {${String(letter.text.length)}+}\r\n${letter.text}`;
const only = (world: World, status: 'OK' | 'NO', code?: string): readonly Outcome[] => [{ world, status, code }];
const listed = (numbers: readonly number[]): string => numbers.join(',');

/** Those of them that are there. */
function there(world: World, mailbox: ModelMailbox, uids: readonly number[]): readonly Paper[] {
  return boxOf(world, mailbox).papers.filter(({ uid }) => uids.includes(uid));
}

function withMore({ papers, uidNext }: Box, more: readonly Pick<Paper, 'letter' | 'flags'>[]): Box {
  return { uidNext: uidNext + more.length, papers: [...papers, ...more.map(({ letter, flags }, index): Paper => ({ uid: uidNext + index, letter, flags, renewed: 'yes' }))] };
}

function without({ papers, uidNext }: Box, gone: readonly Paper[]): Box {
  return { uidNext, papers: papers.filter((paper) => !gone.includes(paper)) };
}

/** Whether the account may come to hold so much; what makes nothing more is never refused. */
function fits({ limits }: AccountModel, before: World, after: World): boolean {
  const [old, now] = [useOf(before), useOf(after)];
  return (now.messages <= old.messages || now.messages <= (limits.messages ?? Infinity)) && (now.bytes <= old.bytes || now.bytes <= (limits.bytes ?? Infinity));
}

function useOf(world: World): { readonly messages: number; readonly bytes: number } {
  const papers = [...world.values()].flatMap((box) => box.papers);
  return { messages: papers.length, bytes: papers.reduce((sum, { letter }) => sum + letter.text.length, 0) };
}

function append({ account, player }: Scene, act: Act): Rush {
  const name = nameOf(act.a);
  const mailbox = account.mailbox(name);
  const flags = flagsOf(act.c);
  const letters = act.c % 3 === 0 ? [letterOf(act.c), letterOf(act.c + 1)] : [letterOf(act.c)];
  return {
    player, text: `APPEND ${name} ${letters.map((letter) => saysOf(letter, flags)).join(' ')}`,
    perform: (world) => {
      if (mailbox === undefined) return only(world, 'NO', 'TRYCREATE');
      const box = boxOf(world, mailbox);
      const next = withBox(world, mailbox, withMore(box, letters.map((letter) => ({ letter, flags: new Set(flags) }))));
      if (!fits(account, world, next)) return only(world, 'NO', 'OVERQUOTA');
      return only(next, 'OK', `APPENDUID ${String(mailbox.uidValidity)} ${listed(letters.map((_, index) => box.uidNext + index))}`);
    },
  };
}

/** With UNCHANGEDSINCE (RFC 7162 section 3.1.3) nothing is changed that others changed before. */
function store({ player, view }: Scene, act: Act, when: 'always' | 'if unchanged'): Rush {
  const chosen = choose(view, act);
  const mode = (['+', '-', ''] as const)[act.c % 3] ?? '';
  const given = flagsOf(act.c);
  const { mailbox } = view;
  const condition = when === 'always' ? '' : `(UNCHANGEDSINCE ${String(mailbox.highestModseq)}) `;
  const perform: Perform = (world) => {
    if (view.access === 'read-only') return only(world, 'NO');
    const papers = there(world, mailbox, chosen.uids);
    const outcomeOf = (refused: readonly Paper[]): Outcome => {
      const box = boxOf(world, mailbox);
      const changed = box.papers.map((paper): Paper => {
        if (!papers.includes(paper) || refused.includes(paper)) return paper;
        const flags = changedFlags(paper.flags, mode, given);
        return { ...paper, flags, renewed: sameFlags(flags, paper.flags) && paper.renewed !== 'yes' ? 'perhaps' : 'yes' };
      });
      const numbers = refused.map(({ uid }) => numberOf(view, chosen, uid));
      return { world: withBox(world, mailbox, { ...box, papers: changed }), status: 'OK', code: numbers.length === 0 ? undefined : `MODIFIED ${listed(numbers)}` };
    };
    if (when === 'always') return [outcomeOf([])];
    const renewed = papers.filter((paper) => paper.renewed === 'yes');
    return subsets(papers.filter((paper) => paper.renewed === 'perhaps')).map((some) => outcomeOf(papers.filter((paper) => renewed.includes(paper) || some.includes(paper))));
  };
  return {
    player, text: `${verbOf(chosen, 'STORE')} ${chosen.set} ${condition}${mode}FLAGS (${given.join(' ')})`, tells: tellsOf(chosen),
    // Of what others changed before, nothing need be told.
    perform, fetched: fetchedOf(chosen, view.access === 'read-only' || when === 'if unchanged' ? [] : ['flags']),
  };
}

/** None and all; with more than two each alone is left out, which would be much. */
function subsets(papers: readonly Paper[]): readonly (readonly Paper[])[] {
  return papers.length === 0 ? [[]] : [[], papers, ...(papers.length === 2 ? papers.map((one) => [one]) : [])];
}

function numberOf(view: OpenView, { by }: Chosen, uid: number): number {
  return by === 'uid' ? uid : view.uids.indexOf(uid) + 1;
}

function tellsOf({ by }: Chosen): 'everything' | 'no-expunges' {
  return by === 'uid' ? 'everything' : 'no-expunges';
}

function fetchedOf({ uids }: Chosen, items: readonly (keyof Fetched)[]): ReadonlyMap<number, readonly (keyof Fetched)[]> {
  return new Map(uids.map((uid) => [uid, items]));
}

function transfer({ account, player, view }: Scene, act: Act, verb: 'COPY' | 'MOVE'): Rush {
  const chosen = choose(view, act);
  const name = nameOf(act.c >> 2);
  const target = account.mailbox(name);
  return {
    player, text: `${verbOf(chosen, verb)} ${chosen.set} ${name}`,
    perform: (world) => {
      if (verb === 'MOVE' && view.access === 'read-only') return only(world, 'NO');
      if (target === undefined) return only(world, 'NO', 'TRYCREATE');
      const papers = there(world, view.mailbox, chosen.uids);
      if (papers.length === 0) return only(world, 'OK');
      const left = verb === 'MOVE' ? withBox(world, view.mailbox, without(boxOf(world, view.mailbox), papers)) : world;
      const box = boxOf(left, target);
      const next = withBox(left, target, withMore(box, papers));
      if (verb === 'COPY' && !fits(account, world, next)) return only(world, 'NO', 'OVERQUOTA');
      return only(next, 'OK', `COPYUID ${String(target.uidValidity)} ${listed(papers.map(({ uid }) => uid))} ${listed(papers.map((_, index) => box.uidNext + index))}`);
    },
  };
}

/** @param chosen undefined: all that are deleted */
function expunge({ player, view }: Scene, chosen: Chosen | undefined): Rush {
  const uids = chosen?.uids ?? [...view.uids];
  return {
    player, text: chosen === undefined ? 'EXPUNGE' : `UID EXPUNGE ${chosen.set}`,
    perform: (world) => {
      if (view.access === 'read-only') return only(world, 'NO');
      const gone = there(world, view.mailbox, uids).filter(({ flags }) => flags.has('\\Deleted'));
      return only(withBox(world, view.mailbox, without(boxOf(world, view.mailbox), gone)), 'OK');
    },
  };
}

/** What is fetched may be of any moment; bodies are marked as seen. */
function fetch({ player, view }: Scene, act: Act, does: 'reads' | 'marks'): Rush {
  const chosen = choose(view, act);
  const { mailbox } = view;
  return {
    player, text: `${verbOf(chosen, 'FETCH')} ${chosen.set} ${does === 'marks' ? '(BODY[])' : '(UID FLAGS)'}`, tells: tellsOf(chosen),
    fetched: fetchedOf(chosen, does === 'marks' ? ['body'] : ['uid', 'flags']),
    perform: (world) => {
      if (does === 'reads' || view.access === 'read-only') return only(world, 'OK');
      const box = boxOf(world, mailbox);
      const marked = there(world, mailbox, chosen.uids).filter(({ flags }) => !flags.has('\\Seen'));
      return only(withBox(world, mailbox, { ...box, papers: box.papers.map((paper) => (marked.includes(paper) ? { ...paper, flags: new Set([...paper.flags, '\\Seen']), renewed: 'yes' } : paper)) }), 'OK');
    },
  };
}

/** RFC 8508: of two who replace the same message one is refused. */
function replace({ account, player, view }: Scene, act: Act): Rush {
  const uid = view.uids[act.a % Math.max(1, view.uids.length)];
  if (uid === undefined) return expunge({ account, player, view }, undefined);
  const name = nameOf(act.c >> 2);
  const target = account.mailbox(name);
  const letter = letterOf(act.c);
  const flags = flagsOf(act.c);
  return {
    player, text: `UID REPLACE ${String(uid)} ${name} ${saysOf(letter, flags)}`,
    perform: (world) => {
      if (view.access === 'read-only') return only(world, 'NO');
      if (target === undefined) return only(world, 'NO', 'TRYCREATE');
      const [old] = there(world, view.mailbox, [uid]);
      if (old === undefined) return only(world, 'NO', 'EXPUNGEISSUED');
      const left = withBox(world, view.mailbox, without(boxOf(world, view.mailbox), [old]));
      const box = boxOf(left, target);
      const next = withBox(left, target, withMore(box, [{ letter, flags: new Set(flags) }]));
      if (!fits(account, world, next)) return only(world, 'NO', 'OVERQUOTA');
      return only(next, 'OK', `APPENDUID ${String(target.uidValidity)} ${String(box.uidNext)}`);
    },
  };
}
