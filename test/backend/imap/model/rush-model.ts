/**
 * Commands of several sessions that run at the same time: what each does to plain lists of messages, and in which orders, one after the other,
 * they would have answered as they did and left what is there now. One such order there must be.
 */
import assert from 'node:assert/strict';
import type { Letter } from './letters.ts';
import { sameFlags } from './mailbox-model.ts';
import type { AccountModel, Effect, ModelMailbox } from './mailbox-model.ts';
import { numbersOf } from './responses.ts';

/** A message between two of the commands. */
export interface Paper {
  readonly uid: number;
  readonly letter: Letter;
  readonly flags: ReadonlySet<string>;
  /** Whether it got a new mod-sequence since they began; `perhaps` where flags were set that it had. */
  readonly renewed: 'no' | 'perhaps' | 'yes';
}

export interface Box {
  readonly uidNext: number;
  readonly papers: readonly Paper[];
}

export type World = ReadonlyMap<ModelMailbox, Box>;

/** What a command leaves behind, and what it answers. */
export interface Outcome {
  readonly world: World;
  readonly status: 'OK' | 'NO';
  /** APPENDUID, COPYUID, MODIFIED or why not; undefined: none of these. */
  readonly code?: string | undefined;
}

/** One of the commands; several outcomes where the RFC leaves it open. */
export type Perform = (world: World) => readonly Outcome[];

/** What was answered. */
export interface Told {
  readonly text: string;
  readonly status: string;
  readonly codes: readonly string[];
}

/** Messages by uid, with flags that they had at one moment or the other. */
export type Moments = ReadonlyMap<number, { readonly letter: Letter; readonly flags: readonly ReadonlySet<string>[]; readonly renewed: 'no' | 'perhaps' }>;

type Stored = ReadonlyMap<ModelMailbox, readonly Pick<Paper, 'uid' | 'flags'>[]>;

/** The mailboxes as they were before the first command, and after each. */
type History = readonly World[];

export function worldOf(account: AccountModel): World {
  return new Map([...account.mailboxes.values()].map((mailbox) => [mailbox, {
    uidNext: mailbox.uidNext, papers: mailbox.messages.map(({ uid, letter, flags }): Paper => ({ uid, letter, flags, renewed: 'no' })),
  }]));
}

export function boxOf(world: World, mailbox: ModelMailbox): Box {
  return world.get(mailbox) ?? assert.fail(mailbox.name);
}

export function withBox(world: World, mailbox: ModelMailbox, box: Box): World {
  return new Map([...world, [mailbox, box]]);
}

/** All orders that explain what was told and what there is. */
export function histories(account: AccountModel, commands: readonly { readonly perform: Perform; readonly told: Told }[]): readonly History[] {
  const found: History[] = [];
  const stored: Stored = new Map([...account.mailboxes.values()].map((mailbox) => [mailbox, account.storedMessages(mailbox)]));
  const goOn = (history: readonly [World, ...World[]], left: typeof commands): void => {
    const now = history.at(-1) ?? history[0];
    if (left.length === 0 && isStored(stored, now)) found.push(history);
    for (const command of left) {
      for (const outcome of command.perform(now)) if (answersSo(outcome, command.told)) goOn([...history, outcome.world], left.filter((one) => one !== command));
    }
  };
  goOn([worldOf(account)], commands);
  assert.ok(found.length > 0, `no order explains ${JSON.stringify(commands.map(({ told }) => told), undefined, 1)}`);
  return found;
}

function answersSo({ status, code }: Outcome, told: Told): boolean {
  if (status !== told.status) return false;
  const codes = told.codes.filter((one) => /^(?:APPENDUID|COPYUID|MODIFIED|OVERQUOTA|EXPUNGEISSUED|TRYCREATE) /.test(`${one} `)).map(spelledOut);
  // That others expunged something is told with a command that did all it should, too (RFC 9051 section 7.1).
  return code === undefined ? codes.every((one) => one === 'EXPUNGEISSUED') : codes.includes(spelledOut(code));
}

/** Sets that are written otherwise may be the same. */
function spelledOut(code: string): string {
  return code.split(' ').map((word) => (/^[\d:,]+$/.test(word) ? numbersOf(word).join(',') : word)).join(' ');
}

function isStored(stored: Stored, world: World): boolean {
  return [...world].every(([mailbox, { papers }]) => {
    const there = stored.get(mailbox) ?? [];
    return there.length === papers.length && papers.every(({ uid, flags }, index) => there[index]?.uid === uid && sameFlags(flags, there[index].flags));
  });
}

/** What all of the commands together did to each mailbox. */
export function effectsOf(history: History): Effect[] {
  const [before, after] = [history[0] ?? new Map<ModelMailbox, Box>(), history.at(-1) ?? new Map<ModelMailbox, Box>()];
  return [...after].flatMap(([mailbox, { papers }]): Effect[] => {
    const known = boxOf(before, mailbox);
    const added = papers.filter(({ uid }) => uid >= known.uidNext);
    const gone = new Set(known.papers.flatMap(({ uid }) => (papers.some((one) => one.uid === uid) ? [] : [uid])));
    const flagged = new Map(papers.filter(({ uid, renewed }) => uid < known.uidNext && renewed !== 'no').map(({ uid, flags }) => [uid, flags]));
    return added.length + gone.size + flagged.size === 0 ? [] : [{ mailbox, added, gone, flagged }];
  });
}

/** Each message of a mailbox as it was at some moment of some order. */
export function momentsOf(all: readonly History[], mailbox: ModelMailbox): Moments {
  const moments = new Map<number, { readonly letter: Letter; readonly flags: ReadonlySet<string>[]; renewed: 'no' | 'perhaps' }>();
  for (const history of all) {
    for (const world of history) {
      for (const { uid, letter, flags, renewed } of boxOf(world, mailbox).papers) {
        const moment = moments.get(uid) ?? { letter, flags: [], renewed: 'no' };
        if (renewed !== 'no') moment.renewed = 'perhaps';
        moment.flags.push(flags);
        moments.set(uid, moment);
      }
    }
  }
  return moments;
}
