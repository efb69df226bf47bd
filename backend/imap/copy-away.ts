/** COPY and MOVE between nodes: out of a mailbox that another node keeps, or into one. */
import { Failure } from '../../shared/base/failure.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import type { SequenceSet } from '../../shared/imap/sequence-set.ts';
import type { CopyResult } from '../storage/storage.ts';
import { carriedFromAway, carryAway } from './carry-away.ts';
import { carryInto, reported } from './carry.ts';
import type { CarriedMessage } from './carry.ts';
import { removal } from './expunge.ts';
import { passOn } from './leg.ts';
import type { Leg } from './leg.ts';
import { formatMailbox } from './mailbox-lines.ts';
import { demand, placeOf } from './place.ts';
import type { Place } from './place.ts';
import { Progress } from './progress.ts';
import { openLeg, relaySelected } from './relay.ts';
import { Refusal, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';
import type { Numbers } from './view.ts';

/** UIDs in one command to another node. */
const mostNamed = 1000;

/** What COPY and MOVE name. */
export interface Copying {
  readonly set: SequenceSet;
  readonly mailbox: string;
}

/** Puts messages where the name leads. @throws Failure, Refusal */
export async function carryTo(session: Session, { place, mailbox }: { readonly place: Place; readonly mailbox: string }, messages: AsyncIterable<CarriedMessage>): Promise<CopyResult> {
  return place.at === 'here' ? carryInto(session, place, messages) : carryAway(session, { leg: await session.legs.to(place), mailbox }, messages);
}

/** What the client put there is no news to it. Answers COPYUID: undefined for nothing, and for who may not read there and so must not learn what became of the messages (RFC 9051 section 6.4.7). */
export function settleCopy(session: Session, place: Place, result: CopyResult): string | undefined {
  if (place.at === 'away') return copyUid(result);
  const mailbox = place.account.mailbox(place.name);
  if (mailbox !== undefined) session.noteOwnMessages({ account: place.account, mailbox }, result.uids);
  return place.rights.includes('r') ? copyUid(result) : undefined;
}

/** Of what came where (RFC 4315 section 3); undefined for nothing. */
function copyUid({ uidValidity, uids, sourceUids }: CopyResult): string | undefined {
  return uids.length === 0 ? undefined : `COPYUID ${String(uidValidity)} ${formatSet(sourceUids)} ${formatSet(uids)}`;
}

/** With the open mailbox on another node. @throws Failure, Refusal */
export async function copyFromAway(session: Session, given: Copying, numbers: Numbers): Promise<Completion> {
  const leg = openLeg(session);
  const place = await placeOf(session, given.mailbox);
  if (isOnNodeOfOpen(session, place)) return relaySelected(session);
  const result = await carryFrom(session, carriedFromAway(leg, fetchOf(session, numbers)), { ...given, place });
  return ok('COPY completed', settleCopy(session, place, result));
}

/** The same; they are removed there when they are here: what fails in between leaves them in both. @throws Failure, Refusal */
export async function moveFromAway(session: Session, given: Copying, numbers: Numbers): Promise<Completion> {
  const leg = openLeg(session);
  const place = await placeOf(session, given.mailbox);
  if (isOnNodeOfOpen(session, place)) return relaySelected(session);
  const messages = thenDemanded(carriedFromAway(leg, fetchOf(session, numbers)), async () => demandMoving(session, leg));
  const result = await carryFrom(session, messages, { ...given, place });
  if (result.sourceUids.length === 0) return ok('nothing to move');
  const code = settleCopy(session, place, result);
  if (code !== undefined) session.output.line(`* OK [${code}] moved`);
  let end: Completion = ok('');
  for (let from = 0; from < result.sourceUids.length; from += mostNamed) end = await removeAway(leg, result.sourceUids.slice(from, from + mostNamed));
  return ok('MOVE completed', end.code);
}

/** In the mailbox that is open on the leg. A node of an older version knows no way but the mark, of which clients are told. @throws Failure, Refusal */
async function removeAway(leg: Leg, uids: readonly number[]): Promise<Completion> {
  const set = formatSet(uids);
  // They wait for whoever writes there: no question that is answered at once.
  const carryOut = async (command: string): Promise<Completion> => leg.ask(command, passOn, 'command');
  let end = await carryOut(`${removal} ${set}`);
  if (end.status === 'BAD') {
    end = await carryOut(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`);
    if (end.status === 'OK') end = await carryOut(`UID EXPUNGE ${set}`);
  }
  if (end.status !== 'OK') throw new Refusal({ ...end, text: `copied, but not all removed: ${end.text}` });
  return end;
}

async function carryFrom(session: Session, messages: AsyncIterable<CarriedMessage>, to: { readonly place: Place; readonly mailbox: string }): Promise<CopyResult> {
  const progress = new Progress(session, 0);
  return progress.during(carryTo(session, to, reported(messages, progress)));
}

/** Behind the last of the messages, which enter together: in front of the first the answer would bring news, and their numbers might mean others then. */
async function* thenDemanded(messages: AsyncIterable<CarriedMessage>, demanded: () => Promise<void>): AsyncGenerator<CarriedMessage, void, void> {
  yield* messages;
  await demanded();
}

/** The rights to mark and expunge them, before anything enters elsewhere (RFC 6851 section 4.2). */
async function demandMoving(session: Session, leg: Leg): Promise<void> {
  const { state } = session;
  if (state.at !== 'away') return;
  if (state.access === 'read-only') throw new Failure('forbidden', 'the mailbox is open for reading only');
  let rights = '';
  await leg.ask(`MYRIGHTS ${formatMailbox(session, state.name)}`, (line) => {
    const told = /^\* MYRIGHTS .* ([a-z]*)$/.exec(line)?.[1];
    rights = told ?? rights;
    return told === undefined ? 'pass on' : 'taken';
  });
  for (const right of ['t', 'e']) demand({ rights }, right);
}

/** Both are accounts of one node, which does it all. */
function isOnNodeOfOpen({ state }: Session, place: Place): boolean {
  return state.at === 'away' && place.at === 'away' && state.place.node === place.node;
}

/** The set as the client wrote it: the other node counts as the client does. */
function fetchOf({ commandText }: Session, numbers: Numbers): string {
  const set = /^\S+ (?:UID )?(?:COPY|MOVE) (\S+) /i.exec(commandText)?.[1] ?? '';
  return `${numbers === 'uid' ? 'UID ' : ''}FETCH ${set}`;
}
