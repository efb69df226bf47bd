/**
 * What a lane does whose messages lie far apart, over many blocks of rows (pure). A mailbox keeps a change of many blocks' flags beside its rows,
 * and writes such changes into them now and then: only mailboxes like these show whether that is right.
 */
import type { Action, MadeMessage } from './actions.ts';
import type { Dice } from './dice.ts';

export interface FarBox {
  readonly name: string;
  readonly rows: readonly { readonly uid: number; readonly modseq: number; readonly flags: number }[];
}

interface FarSight {
  readonly far: FarBox;
  /** Whither messages go from there, and come back. */
  readonly aside: FarBox;
  /** Uids in the INBOX, whose rows other processes change at the same time. */
  readonly inbox: readonly number[];
  readonly make: (count: number) => MadeMessage[];
}

const fewestBlocks = 7;
const mostMessages = 40;
const leftMessages = 20;
const firstMessages = 8;
/** Small: each comparison reads all copies. */
const messageBytes = 500;
const words = ['one', 'two', 'three'];

/** The names of the lane's two mailboxes. */
export function farBoxes(lane: string): readonly [far: string, aside: string] {
  return [`${lane}-far`, `${lane}-aside`];
}

export function chooseFar(dice: Dice, sight: FarSight): Action {
  const { far, aside, inbox } = sight;
  const crowded = [aside, far].find((box) => box.rows.length > mostMessages && (box === aside || isSpread(box)));
  if (crowded !== undefined) return thinned(crowded);
  if (!isSpread(far)) return spread(sight);
  if (far.rows.every(({ flags }) => flags === 0)) return firstFlagged(dice, far);
  const chance = dice.below(100);
  if (chance < 70) return flagged(dice, far);
  if (chance < 82 && inbox.length > 0) return { kind: 'mark', uids: chosen(dice, inbox), mode: dice.oneIn(3) ? 'remove' : 'add' };
  if (chance < 88) return { kind: 'expunge', box: far.name, uids: few(dice, far) };
  if (chance < 94) return { kind: chance < 91 ? 'copy' : 'move', box: far.name, uids: few(dice, far), to: dice.pick([far, aside]).name };
  if (aside.rows.length === 0) return { kind: 'copy', box: far.name, uids: uidsOf(far), to: aside.name };
  return chance < 97 ? { kind: 'move', box: aside.name, uids: few(dice, aside), to: far.name } : flagged(dice, aside);
}

function isSpread({ rows }: FarBox): boolean {
  return new Set(rows.map(({ uid }) => uid >> 6)).size >= fewestBlocks;
}

/** Copies into the same mailbox take uids, and little else: each doubles what there is. */
function spread({ far, make }: FarSight): Action {
  if (far.rows.length === 0) return { kind: 'append', box: far.name, messages: make(firstMessages).map((one) => ({ ...one, bytes: messageBytes })), flags: 0 };
  return { kind: 'copy', box: far.name, uids: uidsOf(far), to: far.name };
}

function thinned(box: FarBox): Action {
  const every = Math.ceil(box.rows.length / leftMessages);
  return { kind: 'expunge', box: box.name, uids: uidsOf(box).filter((_, index) => index % every !== 0) };
}

/** All of them at once, of which none has a flag yet: however the dice fall, one change at least is kept beside the rows. */
function firstFlagged(dice: Dice, box: FarBox): Action {
  return { kind: 'flag', box: box.name, uids: uidsOf(box), mode: 'add', flags: 1 + dice.below(31), keywords: [] };
}

function flagged(dice: Dice, box: FarBox): Action {
  const uids = dice.oneIn(5) ? lastChanged(box) : chosen(dice, uidsOf(box));
  const change = { kind: 'flag', box: box.name, uids, mode: dice.pick(['add', 'remove', 'replace'] as const), flags: dice.below(32), keywords: dice.oneIn(2) ? [] : dice.some(words) } as const;
  return dice.oneIn(4) ? { ...change, unchangedSince: dice.pick(box.rows).modseq } : change;
}

/** All, every second or some, of the whole or of a half: what that leaves out may lie in blocks for which something is kept already. */
function chosen(dice: Dice, uids: readonly number[]): readonly number[] {
  const from = dice.below(uids.length);
  const within = dice.oneIn(2) ? uids : uids.slice(from >> 1, (from >> 1) + Math.ceil(uids.length / 2));
  switch (dice.below(5)) {
    case 0: return within;
    case 1: return dice.some(within);
    default: return within.filter((_, index) => index % 2 === 0);
  }
}

/** Those that the last change was made to: what is done to the very same rows again is kept as one change. */
function lastChanged({ rows }: FarBox): readonly number[] {
  const last = Math.max(...rows.map(({ modseq }) => modseq));
  return rows.filter(({ modseq }) => modseq === last).map(({ uid }) => uid);
}

function few(dice: Dice, box: FarBox): readonly number[] {
  return dice.some(uidsOf(box)).slice(0, 4);
}

function uidsOf({ rows }: FarBox): readonly number[] {
  return rows.map(({ uid }) => uid);
}
