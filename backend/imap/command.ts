/** How a command is written down: in which states it may come, how its arguments are read, what it does. `commands.ts` is the table of all. */
import { Failure } from '../../shared/base/failure.ts';
import type { Scanner } from '../../shared/imap/scanner.ts';
import type { Account } from '../storage/storage.ts';
import { hasOthersOpen, ownPlace, placeOf, refreshRights } from './place.ts';
import type { HerePlace } from './place.ts';
import { relaySelected, relayTo } from './relay.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';
import type { StateName } from './session-state.ts';
import type { View } from './view.ts';

/**
 * What of the mailbox may be told after a command: never EXPUNGE while the client may have commands with sequence numbers
 * under way, after FETCH, STORE and SEARCH (RFC 9051 section 7.5.1), nor after a UID SEARCH that names some (RFC 7162 section 3.2.10.2). `removals`: the command removes messages, which is told even to
 * a client that wants no news (NOTIFY, RFC 5465).
 */
export type Telling = 'everything' | 'no-expunges' | 'removals';

export interface Command {
  /** In capitals. */
  readonly verb: string;
  readonly allowedIn: readonly StateName[];
  /** Reads the arguments (throws bad-input) and gives the work to be done. */
  readonly prepare: (scanner: Scanner, session: Session) => Prepared;
}

/** A command with its arguments. */
export interface Prepared {
  readonly tells: Telling;
  readonly work: () => Promise<Completion>;
}

/** A session with a mailbox open. */
export interface Selected {
  readonly session: Session;
  /** The one that was logged in to; the mailbox may be another's. */
  readonly account: Account;
  readonly view: View;
}

interface Specification<Arguments, Context> {
  readonly verb: string;
  /** `everything` when absent. */
  readonly tells?: Telling | ((given: Arguments) => Telling);
  /** Reads what stands behind `verb SP`. */
  readonly parse: (scanner: Scanner, session: Session) => Arguments;
  readonly run: (context: Context, given: Arguments) => Promise<Completion>;
}

/** For commands without arguments. */
export const nothing = (): undefined => undefined;

function define<Arguments, Context>(
  specification: Specification<Arguments, Context>,
  allowedIn: readonly StateName[],
  contextOf: (session: Session) => Context,
): Command {
  return {
    verb: specification.verb,
    allowedIn,
    prepare: (scanner, session) => {
      if (!scanner.atEnd) scanner.space();
      const given = specification.parse(scanner, session);
      scanner.end();
      const { tells = 'everything' } = specification;
      return { tells: typeof tells === 'function' ? tells(given) : tells, work: () => specification.run(contextOf(session), given) };
    },
  };
}

/** A command of the given states that asks for nothing but the session. */
export function sessionCommand<Arguments>(allowedIn: readonly StateName[], specification: Specification<Arguments, Session>): Command {
  return define(specification, allowedIn, (session) => session);
}

/** A command of a logged-in client. */
export function accountCommand<Arguments>(specification: Specification<Arguments, { readonly session: Session; readonly account: Account }>): Command {
  return define(specification, ['authenticated', 'selected'], (session) => ({ session, account: session.account }));
}

/** A command of a logged-in client on a mailbox that it names, its own or somebody else's; what it needs of rights it demands itself. */
export function namedCommand<Arguments extends { readonly name: string }>(specification: Specification<Arguments, { readonly session: Session; readonly place: HerePlace }>): Command {
  return accountCommand({
    ...specification,
    run: async ({ session }, given) => atPlace(session, given.name, async (place) => specification.run({ session, place }, given)),
  });
}

/** Does the work at the place where the name leads; on another node that node does. @throws as `placeOf` */
export async function atPlace(session: Session, name: string, work: (place: HerePlace) => Promise<Completion>): Promise<Completion> {
  const place = ownPlace(session, name) ?? await placeOf(session, name);
  return place.at === 'away' ? relayTo(session, place) : work(place);
}

/**
 * A command on the open mailbox. What is on another node is done there, as the client said it.
 * @param away what is done then instead, if there is more to it
 */
export function mailboxCommand<Arguments>(specification: Specification<Arguments, Selected>, away?: (session: Session, given: Arguments) => Promise<Completion>): Command {
  const { run } = specification;
  const looked: Specification<Arguments, Session> = {
    ...specification,
    run: async (session, given) => {
      if (session.state.at === 'away' && away !== undefined) return away(session, given);
      if (hasOthersOpen(session)) await refreshRights(session);
      if (session.state.at !== 'selected') throw new Failure('mailbox-missing', 'no mailbox is open any more');
      return await run(session.selected, given);
    },
  };
  const command = define(looked, ['selected'], (session) => session);
  return {
    ...command,
    prepare: (scanner, session) => (session.state.at === 'away' && away === undefined ? { tells: 'everything', work: async () => relaySelected(session) } : command.prepare(scanner, session)),
  };
}
