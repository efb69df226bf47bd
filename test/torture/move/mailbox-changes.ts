/** The changes that a tortured mail program asks for: what it says, and what is so afterwards. */
import type { ImapSession } from '../../harness/imap-session.ts';
import { newMessage } from '../../harness/messages.ts';
import type { Dice } from '../dice.ts';
import { sortedFlags } from './look.ts';
import { emptyMailbox, withArrivals, withMailbox, withMessage } from './mailbox-model.ts';
import type { KnownMailbox, KnownMessage, Mailboxes } from './mailbox-model.ts';

export interface Change {
  readonly text: string;
  /** Answers the completion without its tag; throws when the line is cut. */
  run(session: ImapSession): Promise<string>;
  /** What is so when it has happened; `completion` undefined: not answered, so no UIDs were told. */
  apply(mailboxes: Mailboxes, completion: string | undefined): Mailboxes;
}

const mostMessages = 12;
const someFlags = ['\\Seen', '\\Flagged', '\\Answered', '$Work', '$Later'] as const;

/** Something that can be done now. */
export function pickChange(mailboxes: Mailboxes, prefix: string, dice: Dice): Change {
  const [from, to] = dice.oneIn(2) ? [`${prefix}-a`, `${prefix}-b`] : [`${prefix}-b`, `${prefix}-a`];
  const source = mailboxes.get(from) ?? emptyMailbox;
  const target = mailboxes.get(to) ?? emptyMailbox;
  const chosen = source.messages[dice.below(Math.max(1, source.messages.length))];
  if (dice.oneIn(8)) return treeChange(mailboxes, prefix, dice);
  if (chosen?.uid === undefined) return append(from, dice);
  const place: Place = { from, to, uid: chosen.uid, marked: chosen.flags.includes('\\Deleted') ? 'yes' : 'no' };
  if (source.messages.length > mostMessages) return expunge(place);
  switch (dice.below(5)) {
    case 0: return append(from, dice);
    case 1: return store(place, dice);
    case 2: return target.messages.length > mostMessages ? store(place, dice) : copy(place);
    case 3: return move(place);
    default: return dice.oneIn(2) ? expunge(place) : append(from, dice);
  }
}

interface Place {
  readonly from: string;
  readonly to: string;
  readonly uid: number;
  /** As \Deleted. */
  readonly marked: 'yes' | 'no';
}

function append(name: string, dice: Dice): Change {
  const { subject, bytes } = newMessage({ text: 'x'.repeat(dice.below(8) === 0 ? 200_000 : dice.below(3000)) });
  const flags = sortedFlags(dice.some(someFlags).join(' '));
  const date = `${String(1 + dice.below(28)).padStart(2, '0')}-Mar-2024 0${String(dice.below(10))}:11:12 +0000`;
  const message: KnownMessage = { uid: undefined, subject, flags, date, size: bytes.length, modseq: undefined, modseqFloor: 0 };
  return {
    text: `APPEND ${name}`,
    run: async (session) => `OK [APPENDUID 0 ${String(await session.append(`${name} (${flags}) "${date}"`, bytes))}]`,
    apply: (mailboxes, completion) => withMailbox(mailboxes, name, withArrivals(of(mailboxes, name), [message], uidsOf(completion, /APPENDUID \d+ (\d+)/))),
  };
}

function store({ from, uid }: Place, dice: Dice): Change {
  const flags = dice.some(someFlags);
  const mode = dice.pick(['+', '-', '']);
  const after = (before: string): string => {
    const set = new Set(before.split(' '));
    if (mode === '') return sortedFlags(flags.join(' '));
    for (const flag of flags) if (mode === '+') set.add(flag); else set.delete(flag);
    return sortedFlags([...set].join(' '));
  };
  return {
    text: `UID STORE ${String(uid)} ${mode}FLAGS in ${from}`,
    run: async (session) => inMailbox(session, from, `UID STORE ${String(uid)} ${mode}FLAGS (${flags.join(' ')})`),
    apply: (mailboxes) => withMailbox(mailboxes, from, withMessage(of(mailboxes, from), uid, (message) => ({ ...message, flags: after(message.flags) }))),
  };
}

/** In two steps, as a mail program does it: marked, and removed at another turn. */
function expunge({ from, uid, marked }: Place): Change {
  if (marked === 'no') {
    return {
      text: `UID STORE ${String(uid)} +FLAGS \\Deleted in ${from}`,
      run: async (session) => inMailbox(session, from, `UID STORE ${String(uid)} +FLAGS (\\Deleted)`),
      apply: (mailboxes) => withMailbox(mailboxes, from, withMessage(of(mailboxes, from), uid, (message) => ({ ...message, flags: sortedFlags(`${message.flags} \\Deleted`) }))),
    };
  }
  return {
    text: `UID EXPUNGE ${String(uid)} in ${from}`,
    run: async (session) => inMailbox(session, from, `UID EXPUNGE ${String(uid)}`),
    apply: (mailboxes) => withMailbox(mailboxes, from, withMessage(of(mailboxes, from), uid, () => undefined)),
  };
}

function copy({ from, to, uid }: Place): Change {
  return {
    text: `UID COPY ${String(uid)} from ${from} to ${to}`,
    run: async (session) => inMailbox(session, from, `UID COPY ${String(uid)} ${to}`),
    apply: (mailboxes, completion) => arrived(mailboxes, { from, to, uid }, completion),
  };
}

function move({ from, to, uid }: Place): Change {
  return {
    text: `UID MOVE ${String(uid)} from ${from} to ${to}`,
    run: async (session) => {
      const selected = await session.run(`SELECT ${from}`);
      if (!selected.completion.startsWith('OK')) return selected.completion;
      const { untagged, completion } = await session.run(`UID MOVE ${String(uid)} ${to}`);
      return `${completion} ${untagged.map(({ text }) => text).find((text) => text.includes('COPYUID')) ?? ''}`;
    },
    apply: (mailboxes, completion) => {
      const there = arrived(mailboxes, { from, to, uid }, completion);
      return withMailbox(there, from, withMessage(of(there, from), uid, () => undefined));
    },
  };
}

function arrived(mailboxes: Mailboxes, { from, to, uid }: Pick<Place, 'from' | 'to' | 'uid'>, completion: string | undefined): Mailboxes {
  const messages = of(mailboxes, from).messages.filter((message) => message.uid === uid);
  return withMailbox(mailboxes, to, withArrivals(of(mailboxes, to), messages, uidsOf(completion, /COPYUID \d+ \S+ (\d+)/)));
}

/** CREATE, RENAME or DELETE of a third mailbox, which has a message now and then. */
function treeChange(mailboxes: Mailboxes, prefix: string, dice: Dice): Change {
  const extra = [...mailboxes.keys()].find((name) => name.startsWith(`${prefix}-x`));
  const fresh = `${prefix}-x${String(dice.below(1000))}`;
  if (extra === undefined || extra === fresh) return command(`CREATE ${fresh}`, (known) => withMailbox(known, fresh, known.get(fresh) ?? emptyMailbox));
  if (of(mailboxes, extra).messages.length < 2) return append(extra, dice);
  if (dice.oneIn(2)) return command(`DELETE ${extra}`, (known) => withMailbox(known, extra, undefined));
  return command(`RENAME ${extra} ${fresh}`, (known) => withMailbox(withMailbox(known, fresh, of(known, extra)), extra, undefined));
}

function command(text: string, apply: (known: Mailboxes) => Mailboxes): Change {
  return { text, apply, run: async (session) => (await session.run(text)).completion };
}

function of(mailboxes: Mailboxes, name: string): KnownMailbox {
  return mailboxes.get(name) ?? emptyMailbox;
}

function uidsOf(completion: string | undefined, pattern: RegExp): readonly number[] | undefined {
  const uid = completion === undefined ? undefined : pattern.exec(completion)?.[1];
  return uid === undefined ? undefined : [Number(uid)];
}

async function inMailbox(session: ImapSession, name: string, text: string): Promise<string> {
  const selected = await session.run(`SELECT ${name}`);
  return selected.completion.startsWith('OK') ? (await session.run(text)).completion : selected.completion;
}
