/** COPY and MOVE, also by uid (RFC 9051 sections 6.4.7 and 6.4.8, RFC 6851; COPYUID: RFC 4315). */
import { parseCopy } from '../../shared/imap/store-arguments.ts';
import type { CopyResult, FlagMask } from '../storage/storage.ts';
import { targetAt } from './append.ts';
import { carriedFrom, reported } from './carry.ts';
import { mailboxCommand } from './command.ts';
import type { Command, Selected } from './command.ts';
import { requireWriteAccess } from './expunge.ts';
import { flagsWithin } from './flag-rights.ts';
import { carryTo, copyFromAway, moveFromAway, settleCopy } from './copy-away.ts';
import type { Copying } from './copy-away.ts';
import { demand, isOfOpenAccount, placeOf } from './place.ts';
import type { Place } from './place.ts';
import { Progress } from './progress.ts';
import { ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';
import type { Numbers } from './view.ts';

const mostMovedAtOnce = 1000;

export const copy = define('COPY', 'sequence');
export const uidCopy = define('UID COPY', 'uid');
export const move = define('MOVE', 'sequence');
export const uidMove = define('UID MOVE', 'uid');

function define(verb: string, numbers: Numbers): Command {
  const run = verb.endsWith('MOVE') ? runMove : runCopy;
  const runAway = verb.endsWith('MOVE') ? moveFromAway : copyFromAway;
  return mailboxCommand({
    verb,
    tells: verb.endsWith('MOVE') ? 'removals' : 'everything',
    parse: (scanner, session) => parseCopy(scanner, session.names),
    run: async (selected, given) => run(selected, given, numbers),
  }, async (session, given) => runAway(session, given, numbers));
}

async function runCopy(selected: Selected, given: Copying, numbers: Numbers): Promise<Completion> {
  const { session, view } = selected;
  const uids = view.uidsIn(view.spans(given.set, numbers));
  const place = await placeOf(session, given.mailbox);
  const target = place.at === 'here' ? targetAt(session, place) : undefined;
  if (uids.length === 0) return ok('nothing to copy');
  const isSame = target !== undefined && place.at === 'here' && isOfOpenAccount(session, place);
  const result = isSame ? await new Progress(session, 0).during(view.mailbox.copyTo(uids, target, withinOf(place))) : await carry(selected, { ...given, place }, { uids, progress: new Progress(session, uids.length) });
  return ok('COPY completed', settleCopy(session, place, result));
}

async function runMove(selected: Selected, given: Copying, numbers: Numbers): Promise<Completion> {
  const { session, view } = selected;
  requireWriteAccess(view);
  for (const right of ['t', 'e']) demand(view, right); // as for marking and expunging them (RFC 6851 section 4.2)
  const uids = view.uidsIn(view.spans(given.set, numbers));
  const place = await placeOf(session, given.mailbox);
  const target = place.at === 'here' ? targetAt(session, place) : undefined;
  if (uids.length === 0) return ok('nothing to move');
  if (target !== undefined && place.at === 'here' && isOfOpenAccount(session, place)) {
    tellMoved(session, place, await new Progress(session, 0).during(view.mailbox.moveTo(uids, target, withinOf(place))));
  } else await moveElsewhere(selected, { ...given, place }, uids);
  return ok('MOVE completed', session.isEnabled('QRESYNC') ? `HIGHESTMODSEQ ${String(view.mailbox.state().highestModseq)}` : undefined);
}

/** To another account some at a time: what breaks in between leaves those that were told as moved, and at most one lot in both (RFC 6851 section 3.3). */
async function moveElsewhere(selected: Selected, to: Target, uids: readonly number[]): Promise<void> {
  const { session, view } = selected;
  const progress = new Progress(session, uids.length);
  for (let from = 0; from < uids.length; from += mostMovedAtOnce) {
    const result = await carry(selected, to, { uids: uids.slice(from, from + mostMovedAtOnce), progress });
    await progress.during(view.mailbox.expunge(result.sourceUids)); // a crash in between leaves them in both, never in none
    tellMoved(session, to.place, result);
    progress.pass(mostMovedAtOnce);
  }
}

/** Before the EXPUNGEs, which the refresh after this command tells (RFC 6851 section 4.3). */
function tellMoved(session: Session, place: Place, result: CopyResult): void {
  const code = settleCopy(session, place, result);
  if (code !== undefined) session.output.line(`* OK [${code}] moved`);
}

function withinOf(place: Place): FlagMask | undefined {
  return place.at === 'here' ? flagsWithin(place.rights) : undefined;
}

interface Target {
  readonly place: Place;
  readonly mailbox: string;
}

async function carry({ session, view }: Selected, to: Target, { uids, progress }: { readonly uids: readonly number[]; readonly progress: Progress }): Promise<CopyResult> {
  return progress.during(carryTo(session, to, reported(carriedFrom(view, uids), progress)));
}
