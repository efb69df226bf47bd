/** What the mailboxes of one lane must hold after each of its actions: a model of IMAP mailboxes in a few maps (pure). */
import { bytesOfMade, digestOf } from './actions.ts';
import type { Action, FlagAction } from './actions.ts';

interface ModelMessage {
  readonly digest: string;
  readonly flags: number;
  /** Ascending. */
  readonly keywords: readonly string[];
  /** Undefined: of a change that was not answered. */
  readonly modseq: number | undefined;
}

interface ModelMailbox {
  readonly uidNext: number;
  readonly messages: ReadonlyMap<number, ModelMessage>;
}

export interface LaneModel {
  readonly mailboxes: ReadonlyMap<string, ModelMailbox>;
  /** How far the last mailbox of a name that is free now had counted. */
  readonly retired: ReadonlyMap<string, number>;
}

export const emptyLane: LaneModel = { mailboxes: new Map(), retired: new Map() };

/** The lane after the action, and the uids that the answer must name. @param modseq of what the action changed, as far as it is known */
export function applied(lane: LaneModel, action: Action, modseq?: number): { readonly lane: LaneModel; readonly uids: readonly number[] } {
  const now = (messages: readonly ModelMessage[]): ModelMessage[] => messages.map((one) => ({ ...one, modseq }));
  switch (action.kind) {
    case 'append': return added(lane, action.box, action.messages.map((one) => ({ digest: digestOf(bytesOfMade(one)), flags: action.flags, keywords: [], modseq })));
    case 'flag': return flagged(lane, action, modseq);
    case 'expunge': return { lane: without(lane, action), uids: action.uids };
    case 'copy': return added(lane, action.to, now(chosen(lane, action)));
    case 'move': return added(without(lane, action), action.to, now(chosen(lane, action)));
    case 'create': return { lane: created(lane, action.box), uids: [] };
    case 'delete': return { lane: retired(lane, action.box), uids: [] };
    case 'rename': return { lane: withMailbox(retired(lane, action.box), action.to, mailboxIn(lane, action.box)), uids: [] };
    case 'deliver': case 'discard': case 'mark': case 'tidy': return { lane, uids: [] };
  }
}

/** One line for each mailbox, to be compared with what is found. */
export function described(lane: LaneModel): string[] {
  return [...lane.mailboxes].map(([name, { uidNext, messages }]) => describedMailbox(name, uidNext, [...messages].map(([uid, one]) => ({ uid, ...one })))).sort();
}

export function describedMailbox(name: string, uidNext: number, messages: readonly (ModelMessage & { readonly uid: number })[]): string {
  const rows = messages.toSorted((one, other) => one.uid - other.uid)
    .map(({ uid, flags, keywords, modseq, digest }) => `${uid}:${flags}${keywords.map((word) => `+${word}`).join('')}:${String(modseq)}:${digest.slice(0, 12)}`);
  return `${name} next ${uidNext} ${rows.join(' ')}`;
}

/** The lane with those mod-sequences that it does not know. @param modseqOf what was found */
export function completed(lane: LaneModel, modseqOf: (box: string, uid: number) => number | undefined): LaneModel {
  const mailboxes = [...lane.mailboxes].map(([name, mailbox]): [string, ModelMailbox] => {
    const messages = [...mailbox.messages].map(([uid, one]): [number, ModelMessage] => [uid, one.modseq === undefined ? { ...one, modseq: modseqOf(name, uid) } : one]);
    return [name, { ...mailbox, messages: new Map(messages) }];
  });
  return { ...lane, mailboxes: new Map(mailboxes) };
}

/** The digest of a message of the lane. */
export function digestIn(lane: LaneModel, box: string, uid: number): string | undefined {
  return lane.mailboxes.get(box)?.messages.get(uid)?.digest;
}

function mailboxIn(lane: LaneModel, name: string): ModelMailbox {
  const mailbox = lane.mailboxes.get(name);
  if (mailbox === undefined) throw new Error(`the model has no mailbox ${name}`);
  return mailbox;
}

function withMailbox(lane: LaneModel, name: string, mailbox: ModelMailbox): LaneModel {
  return { ...lane, mailboxes: new Map([...lane.mailboxes, [name, mailbox]]) };
}

function created(lane: LaneModel, name: string): LaneModel {
  return withMailbox(lane, name, { uidNext: lane.retired.get(name) ?? 1, messages: new Map() });
}

function retired(lane: LaneModel, name: string): LaneModel {
  const { uidNext } = mailboxIn(lane, name);
  return { mailboxes: new Map([...lane.mailboxes].filter(([other]) => other !== name)), retired: new Map([...lane.retired, [name, uidNext]]) };
}

function added(lane: LaneModel, name: string, messages: readonly ModelMessage[]): { readonly lane: LaneModel; readonly uids: readonly number[] } {
  const mailbox = mailboxIn(lane, name);
  const entries = messages.map((message, index): [number, ModelMessage] => [mailbox.uidNext + index, message]);
  const after = { uidNext: mailbox.uidNext + messages.length, messages: new Map([...mailbox.messages, ...entries]) };
  return { lane: withMailbox(lane, name, after), uids: entries.map(([uid]) => uid) };
}

interface Choice {
  readonly box: string;
  readonly uids: readonly number[];
}

function chosen(lane: LaneModel, { box, uids }: Choice): ModelMessage[] {
  const { messages } = mailboxIn(lane, box);
  return uids.flatMap((uid) => messages.get(uid) ?? []);
}

function without(lane: LaneModel, { box, uids }: Choice): LaneModel {
  const mailbox = mailboxIn(lane, box);
  return withMailbox(lane, box, { ...mailbox, messages: new Map([...mailbox.messages].filter(([uid]) => !uids.includes(uid))) });
}

/** A message that is as wished keeps its mod-sequence. */
function flagged(lane: LaneModel, action: FlagAction, modseq: number | undefined): { readonly lane: LaneModel; readonly uids: readonly number[] } {
  const mailbox = mailboxIn(lane, action.box);
  const messages = new Map(mailbox.messages);
  const uids: number[] = [];
  for (const uid of action.uids) {
    const old = messages.get(uid);
    if (old === undefined || (old.modseq ?? 0) > (action.unchangedSince ?? Infinity)) continue;
    uids.push(uid);
    const [flags, keywords] = [flagsAfter(old.flags, action), keywordsAfter(old.keywords, action)];
    if (flags !== old.flags || keywords.join() !== old.keywords.join()) messages.set(uid, { ...old, flags, keywords, modseq });
  }
  return { lane: withMailbox(lane, action.box, { ...mailbox, messages }), uids };
}

function flagsAfter(old: number, { mode, flags }: FlagAction): number {
  if (mode === 'replace') return flags;
  return mode === 'add' ? old | flags : old & ~flags;
}

function keywordsAfter(old: readonly string[], { mode, keywords }: FlagAction): readonly string[] {
  if (mode === 'remove') return old.filter((word) => !keywords.includes(word));
  return [...new Set([...(mode === 'add' ? old : []), ...keywords])].sort();
}
