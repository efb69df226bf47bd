/** APPEND with one or several messages (RFC 9051 section 6.3.12, RFC 3502, RFC 4469). */
import { takeAppendArguments } from '../../shared/imap/append-arguments.ts';
import type { AppendArguments } from '../../shared/imap/append-arguments.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import type { AppendResult, Mailbox } from '../storage/storage.ts';
import { accountCommand } from './command.ts';
import { Entering } from './entering.ts';
import { marksWithin } from './flag-rights.ts';
import { takeMessages, withMessages } from './incoming-messages.ts';
import { demand, placeOf } from './place.ts';
import type { HerePlace } from './place.ts';
import { untilWritten } from './progress.ts';
import { relayMessages } from './relay-append.ts';
import { Refusal, no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

export const append = accountCommand({
  verb: 'APPEND',
  parse: (scanner, session) => takeAppendArguments(scanner, 'APPEND', { names: session.names, end: session.rest.end }),
  run: async ({ session }, given) => {
    const place = await placeOf(session, given.head.mailbox);
    return place.at === 'away' ? relayMessages(session, await session.legs.to(place), { text: session.commandText, given }) : appendHere(session, place, given);
  },
});

async function appendHere(session: Session, place: HerePlace, given: AppendArguments): Promise<Completion> {
  const { account, rights } = place;
  const mailbox = targetAt(session, place);
  const result = session.guest === undefined
    ? await withMessages({ session, account, most: 'many', freedBytes: 0 }, given, async (messages) => untilWritten(session, mailbox.append(messages.map(({ staged, marks }) => ({ staged, marks: marksWithin(rights, marks) })))))
    : await takeMany(session, place, given);
  session.noteOwnMessages({ account, mailbox }, result.uids);
  return ok('APPEND completed', appendUid(place, result));
}

/** What another node copies here comes in one command, however many messages that are; copies do without keywords that find no room. */
async function takeMany(session: Session, place: HerePlace, given: AppendArguments): Promise<AppendResult> {
  const entering = new Entering(targetAt(session, place));
  return entering.whole(session.log, async () => {
    await takeMessages({ session, account: place.account, freedBytes: 0 }, given, async ({ staged, marks }) => entering.add({ staged, marks: { ...marksWithin(place.rights, marks), keywordsBeyond: 'left-out' } }));
  });
}

/** The mailbox there, if the user may put messages into it; what its account may hold is kept up with. @throws Failure, Refusal */
export function targetAt({ options: { accounts } }: Session, place: HerePlace): Mailbox {
  accounts.keepUp(place.account.address);
  demand(place, 'i');
  const mailbox = place.account.mailbox(place.name);
  if (mailbox === undefined) throw new Refusal(no('no such mailbox', place.whose === 'own' ? 'TRYCREATE' : 'NONEXISTENT'));
  return mailbox;
}

/** Where the messages are; undefined for who may not read there and so must not learn it (RFC 9051 section 6.3.12). */
export function appendUid({ rights }: Pick<HerePlace, 'rights'>, { uidValidity, uids }: AppendResult): string | undefined {
  return !rights.includes('r') ? undefined : `APPENDUID ${String(uidValidity)} ${formatSet(uids)}`;
}
