/** SELECT, EXAMINE, CLOSE, UNSELECT, CHECK (RFC 9051 sections 6.3.2, 6.4), with CONDSTORE and QRESYNC (RFC 7162). */
import { Failure } from '../../shared/base/failure.ts';
import { parseSelect } from '../../shared/imap/mailbox-arguments.ts';
import type { KnownState, SelectArguments } from '../../shared/imap/mailbox-arguments.ts';
import { formatSet, inRanges, numbersWithin, resolveRanges } from '../../shared/imap/sequence-set.ts';
import { Flag } from '../storage/storage.ts';
import type { Account } from '../storage/storage.ts';
import { accountCommand, mailboxCommand, nothing } from './command.ts';
import { expungeDeleted } from './expunge.ts';
import { accessBy } from './flag-rights.ts';
import { oldNameLine } from './list.ts';
import { flagsResponse } from './news.ts';
import { demand, mailboxAt, ownPlace, placeOf } from './place.ts';
import type { AwayPlace, HerePlace } from './place.ts';
import { closeAway, relaySelected } from './relay.ts';
import { tellRecent } from './recent.ts';
import { ok, uidRequired } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';
import { urlMechanisms } from './url-auth.ts';
import { View } from './view.ts';

export const select = accountCommand({
  verb: 'SELECT',
  parse: (scanner, session) => parseSelect(scanner, session.names),
  run: async ({ session, account }, given) => open({ session, account, access: 'read-write' }, given),
});

export const examine = accountCommand({
  verb: 'EXAMINE',
  parse: (scanner, session) => parseSelect(scanner, session.names),
  run: async ({ session, account }, given) => open({ session, account, access: 'read-only' }, given),
});

interface Opening {
  readonly session: Session;
  readonly account: Account;
  readonly access: 'read-write' | 'read-only';
}

async function open(opening: Opening, given: SelectArguments): Promise<Completion> {
  const { session, account } = opening;
  if (given.known !== undefined && !session.isEnabled('QRESYNC')) throw new Failure('bad-input', 'QRESYNC was not enabled');
  if (given.known?.pairs === 'given' && session.isEnabled('UIDONLY')) throw uidRequired();
  if (session.state.at === 'selected' || session.state.at === 'away') {
    await closeAway(session);
    // Also when the new one can't be opened (RFC 9051 section 6.3.2).
    session.output.line('* OK [CLOSED] previous mailbox is now closed');
    session.enter({ at: 'authenticated', account });
  }
  if (given.condstore === 'yes') session.enable('CONDSTORE'); // also when it is refused: the client has issued it (RFC 7162 section 3.1)
  const place = ownPlace(session, given.mailbox) ?? await placeOf(session, given.mailbox);
  return place.at === 'away' ? openAway(opening, given, place) : openHere(opening, given, place);
}

async function openAway({ session, account }: Opening, given: SelectArguments, place: AwayPlace): Promise<Completion> {
  const leg = await session.legs.to(place);
  const end = await leg.relay('command');
  if (end.status === 'OK') session.enter({ at: 'away', account, leg, place, name: given.mailbox, access: end.code === 'READ-ONLY' ? 'read-only' : 'read-write', loss: 'untold' });
  return end;
}

async function openHere({ session, account, access }: Opening, given: SelectArguments, place: HerePlace): Promise<Completion> {
  demand(place, 'r');
  const mailbox = mailboxAt(place);
  const view = new View(mailbox, access === 'read-write' ? accessBy(place.rights) : access, place.rights);
  session.suit(view);
  announce({ session, place }, view, { name: given.mailbox, oldName: given.spelled });
  if (given.known?.uidValidity === view.uidValidity) resynchronise(session, view, given.known);
  session.enter({ at: 'selected', account, view, place });
  session.wantedAddress = account.address;
  return ok(`${access === 'read-write' ? 'SELECT' : 'EXAMINE'} completed`, view.access === 'read-write' ? 'READ-WRITE' : 'READ-ONLY');
}

/** @param names as the client calls the mailbox, and as it wrote that */
function announce({ session, place }: { readonly session: Session; readonly place: HerePlace }, view: View, names: { readonly name: string; readonly oldName: string | undefined }): void {
  const state = view.opened;
  const { output } = session;
  for (const line of view.flagTexts.announcement(view.flagRights)) output.line(line);
  output.line(`* ${String(view.count)} EXISTS`);
  tellRecent(session, view);
  if (session.isEnabled('IMAP4REV2')) output.line(oldNameLine(session, place, names));
  else if (state.unseen > 0 && !session.isEnabled('UIDONLY')) output.line(firstUnseen(view));
  output.line(`* OK [UIDVALIDITY ${String(view.uidValidity)}] UIDs valid`);
  output.line(`* OK [UIDNEXT ${String(state.uidNext)}] predicted next UID`);
  output.line(`* OK [HIGHESTMODSEQ ${String(view.highestModseq)}] highest`);
  output.line(`* OK [MAILBOXID (${state.mailboxId})] id of the mailbox`);
  if (place.whose === 'own') output.line(`* OK [${urlMechanisms}] how URLs may be authorised`);
}

/** By the list of messages, which those who open an unchanged mailbox share. */
const firstUnseenOf = new WeakMap<View['uids'], { readonly modseq: number; readonly line: string }>();

/** In what was opened as of the same mod-sequence it is the same message. */
function firstUnseen(view: View): string {
  const { uids, highestModseq: modseq } = view;
  const known = firstUnseenOf.get(uids);
  if (known?.modseq === modseq) return known.line;
  const line = lookForUnseen(view);
  firstUnseenOf.set(uids, { modseq, line });
  return line;
}

/** Of the first look, and of later ones: mostly it is among the first messages, or near the end of many. */
const firstLook = 64;
const largestLook = 4096;

function lookForUnseen(view: View): string {
  for (let from = 0, size = firstLook; from < view.count; from += size, size = Math.min(4 * size, largestLook)) {
    for (const batch of view.looks([{ from, to: Math.min(from + size, view.count) - 1 }], size)) {
      for (let index = 0; index < batch.length; index += 1) {
        const { sequence, row } = batch.look(index);
        if ((row.flags & Flag.Seen) === 0) return `* OK [UNSEEN ${String(sequence)}] first unseen message`;
      }
    }
  }
  return '* OK no message is unseen';
}

/** What a client missed since it was last here (RFC 7162 section 3.2.5.1). */
function resynchronise(session: Session, view: View, known: KnownState): void {
  const { changed, vanished } = view.mailbox.changesSince(known.modseq);
  const knownUids = known.knownUids === undefined ? undefined : resolveRanges(known.knownUids, 0);
  const isKnown = (uid: number): boolean => knownUids === undefined || inRanges(knownUids, uid);
  const gone = knownUids === undefined ? vanished : numbersWithin(knownUids, vanished);
  if (gone.length > 0) session.output.line(`* VANISHED (EARLIER) ${formatSet(gone)}`);
  for (const row of changed) {
    const sequence = view.sequenceOf(row.uid);
    if (sequence !== undefined && isKnown(row.uid)) session.output.line(flagsResponse(session, view, { sequence, row }));
  }
}

export const close = mailboxCommand({
  verb: 'CLOSE',
  parse: nothing,
  run: async ({ session, account, view }) => {
    const where = { account: session.state.at === 'selected' ? session.state.place.account : account, mailbox: view.mailbox };
    const isToldAll = !view.hidesExpunges;
    session.enter({ at: 'authenticated', account });
    if (view.access !== 'read-write' || !view.rights.includes('e')) return ok('CLOSE completed'); // nothing goes, and no word of it (RFC 4314 section 4)
    const removed = await expungeDeleted({ session, view }, undefined);
    // What goes by the client itself is no news to it (RFC 5465 section 5), also now that the mailbox is not open any more.
    if (removed !== undefined) session.accountNews.noteOwnRemoval(session, where, { count: removed.uids.length, modseq: removed.modseq, before: isToldAll && view.knowsUpTo(removed.modseq - 1) ? 'known' : 'news' });
    return ok('CLOSE completed');
  },
}, leaveAway);

export const unselect = mailboxCommand({
  verb: 'UNSELECT',
  parse: nothing,
  run: async ({ session, account }) => {
    session.enter({ at: 'authenticated', account });
    return ok('UNSELECT completed');
  },
}, leaveAway);

/** Whatever the other node says, or if it says nothing: the mailbox is not open any more. */
async function leaveAway(session: Session): Promise<Completion> {
  try {
    return await relaySelected(session);
  } finally {
    session.leaveAway();
  }
}

export const check = mailboxCommand({ verb: 'CHECK', parse: nothing, run: async () => ok('CHECK completed') });
