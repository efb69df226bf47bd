/** REPLACE and UID REPLACE (RFC 8508): one message in the place of another. */
import { takeAppendArguments } from '../../shared/imap/append-arguments.ts';
import type { AppendArguments } from '../../shared/imap/append-arguments.ts';
import type { AppendedMessage, AppendResult } from '../storage/storage.ts';
import { appendUid, targetAt } from './append.ts';
import { mailboxCommand } from './command.ts';
import type { Command, Selected } from './command.ts';
import { requireWriteAccess } from './expunge.ts';
import { marksWithin } from './flag-rights.ts';
import { withMessages } from './incoming-messages.ts';
import { demand, isOfOpenAccount, placeOf } from './place.ts';
import type { AwayPlace, HerePlace } from './place.ts';
import { untilWritten } from './progress.ts';
import { openLeg } from './relay.ts';
import { relayMessages } from './relay-append.ts';
import { no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Numbers } from './view.ts';

export const replace = define('REPLACE', 'sequence');
export const uidReplace = define('UID REPLACE', 'uid');

function define(verb: 'REPLACE' | 'UID REPLACE', numbers: Numbers): Command {
  return mailboxCommand({
    verb,
    tells: 'removals',
    parse: (scanner, session) => takeAppendArguments(scanner, verb, { names: session.names, end: session.rest.end }),
    run: async (selected, given) => run(selected, given, numbers),
  }, async (session, given) => relayMessages(session, openLeg(session), { text: session.commandText, given }));
}

const gone = no('the message to be replaced is gone', 'EXPUNGEISSUED');

async function run(selected: Selected, given: AppendArguments, numbers: Numbers): Promise<Completion> {
  const { session, view } = selected;
  const { mailbox, replaced } = given.head;
  requireWriteAccess(view);
  for (const right of ['t', 'e']) demand(view, right); // as for marking and expunging it (RFC 8508 section 4.1)
  const [uid] = replaced === undefined ? [] : view.uidsIn(view.spans([replaced], numbers));
  const place = await placeOf(session, mailbox);
  const old = uid === undefined ? undefined : view.mailbox.row(uid);
  const code = place.at === 'away' ? await replaceAway(selected, { place, given, uid: old?.uid }) : await replaceHere(selected, { place, given, old });
  if (typeof code !== 'string') return code;
  // Before the EXPUNGE, which the refresh after this command tells (RFC 8508 section 4.3).
  if (code !== '') session.output.line(`* OK [${code}] replacement is there`);
  return ok('REPLACE completed', session.isEnabled('QRESYNC') ? `HIGHESTMODSEQ ${String(view.mailbox.state().highestModseq)}` : undefined);
}

interface Replacing {
  readonly place: HerePlace;
  readonly given: AppendArguments;
  readonly old: { readonly uid: number; readonly size: number } | undefined;
}

interface ReplacingAway {
  readonly place: AwayPlace;
  readonly given: AppendArguments;
  /** Of the message that is to go, if it is there. */
  readonly uid: number | undefined;
}

/** Answers what is told of the new message (nothing to who may not read it), or why there is none. */
async function replaceHere({ session, view }: Selected, { place, given, old }: Replacing): Promise<string | Completion> {
  const { account, rights } = place;
  const target = targetAt(session, place);
  if (old === undefined) return gone;
  const isSame = isOfOpenAccount(session, place);
  const enter = async (message: AppendedMessage): Promise<AppendResult | undefined> => {
    if (isSame) return view.mailbox.replace(old.uid, message, target);
    const result = await target.append([message]);
    await view.mailbox.expunge([old.uid]); // a crash in between leaves both, never none
    return result;
  };
  const result = await withMessages({ session, account, most: 'one', freedBytes: isSame ? old.size : 0 }, given, async ([message]) => {
    if (message === undefined) throw new Error('a command without a message');
    return untilWritten(session, enter({ staged: message.staged, marks: { ...marksWithin(rights, message.marks), keywordsBeyond: 'left-out' } }));
  });
  if (result === undefined) return gone;
  session.noteOwnMessages({ account, mailbox: target }, result.uids);
  return appendUid(place, result) ?? '';
}

/** The new message goes to another node, as by APPEND; then the old one goes. */
async function replaceAway({ session, view }: Selected, { place, given, uid }: ReplacingAway): Promise<string | Completion> {
  if (uid === undefined) return gone;
  const text = session.commandText.replace(/^(\S+) (?:UID )?REPLACE \S+ /i, '$1 APPEND ');
  const end = await relayMessages(session, await session.legs.to(place), { text, given });
  if (end.status !== 'OK') return end;
  await untilWritten(session, view.mailbox.expunge([uid]));
  return end.code ?? '';
}
