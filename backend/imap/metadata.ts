/** GETMETADATA and SETMETADATA (RFC 5464), with the special uses of mailboxes as an annotation (RFC 6154 section 4). */
import { definite } from '../../shared/base/definite.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { isWithin, parseGetMetadata, parseSetMetadata } from '../../shared/imap/metadata-arguments.ts';
import type { GetMetadata, SetMetadata } from '../../shared/imap/metadata-arguments.ts';
import { formatAstring, formatValue } from '../../shared/imap/strings.ts';
import { longestAnnotationBytes } from '../storage/storage.ts';
import type { AnnotationPlace } from '../storage/storage.ts';
import { namedCommand } from './command.ts';
import { formatMailbox } from './mailbox-lines.ts';
import { demand, mailboxAt } from './place.ts';
import type { HerePlace } from './place.ts';
import { Refusal, no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

export const specialUseEntry = '/private/specialuse';
/** Entries of the server that only its configuration sets (RFC 5464 section 3.2.1.1). */
const serverOwn = '/shared/';

/** Values by the names of their entries, as one place has them. */
type Values = ReadonlyMap<string, Buffer>;

export const getMetadata = namedCommand({
  verb: 'GETMETADATA',
  parse: (scanner, session) => parseGetMetadata(scanner, session.names),
  run: async ({ session, place }, given) => {
    demandAnnotations(place);
    const longest = tellAnnotations(session, given, valuesAt(session, place));
    return ok('GETMETADATA completed', longest > 0 ? `METADATA LONGENTRIES ${String(longest)}` : undefined);
  },
});

/**
 * The METADATA response with values; answers the length of the longest value that was left out, 0 for none. An entry that was asked
 * for and is not there is told as NIL, unless something below it is told.
 */
export function tellAnnotations(session: Session, given: GetMetadata, values: Values): number {
  const told = new Map<string, Buffer | undefined>();
  let longest = 0;
  for (const asked of given.entries) {
    const found = [...values].filter(([entry]) => isWithin(entry, asked, given.depth));
    if (found.length === 0) told.set(asked, undefined);
    for (const [entry, value] of found) {
      if (given.maxSize === undefined || value.length <= given.maxSize) told.set(entry, value);
      else longest = Math.max(longest, value.length);
    }
  }
  const items = Array.from(told, ([entry, value]) => `${formatAstring(entry)} ${formatValue(value?.toString('latin1'))}`);
  if (items.length > 0) session.output.line(`* METADATA ${formatMailbox(session, given.name)} (${items.join(' ')})`);
  return longest;
}

/** All that the session may see there. @throws mailbox-missing */
export function valuesAt(session: Session, place: HerePlace): Values {
  const { account, name, whose } = place;
  if (name === '' && whose === 'own') {
    const own = account.annotations.of({ mailbox: 'account' }).map(({ entry, value }) => [entry, value] as const);
    const server = Object.entries(definite(session.options.serverAnnotations ?? {})).map(([name, text]) => [`${serverOwn}${name}`, Buffer.from(text)] as const);
    return new Map([...own, ...server]);
  }
  const state = mailboxAt(place).state();
  const values = new Map(account.annotations.of({ mailbox: state.id, guest: guestAt(session, place) }).map(({ entry, value }) => [entry, value]));
  if (whose === 'own' && state.specialUses.length > 0) values.set(specialUseEntry, Buffer.from(state.specialUses.join(' ')));
  return values;
}

export const setMetadata = namedCommand({
  verb: 'SETMETADATA',
  parse: (scanner, session) => parseSetMetadata(scanner, session.names),
  run: async ({ session, place }, given) => {
    demandAnnotations(place);
    for (const value of given.values.values()) if ((value?.length ?? 0) > longestAnnotationBytes) return valueTooLong();
    const target = targetOf(session, place, given);
    const values = new Map(Array.from(given.values, ([entry, value]) => [entry, value === undefined ? undefined : Buffer.from(value, 'latin1')]));
    const uses = values.get(specialUseEntry);
    const specialUses = values.delete(specialUseEntry) ? usesIn(uses) : undefined;
    try {
      const { version, modseq } = await place.account.annotations.set(target, { values, specialUses });
      session.accountNews.noteOwnAnnotations({ place: target.mailbox, entries: [...given.values.keys()], version, modseq }, place);
    } catch (error) {
      if (isFailure(error, 'limit')) return no(error.message, 'METADATA TOOMANY');
      throw error;
    }
    return ok('SETMETADATA completed');
  },
});

/** Also for a value so long that the command was not read. */
export function valueTooLong(): Completion {
  return no('the value is too long', `METADATA MAXSIZE ${String(longestAnnotationBytes)}`);
}

/** Whether the user may read and set annotations there (RFC 5464 section 3.3). */
export function mayAnnotate({ rights }: Pick<HerePlace, 'rights'>): boolean {
  return rights.includes('l') && /[rswip]/.test(rights);
}

function demandAnnotations(place: HerePlace): void {
  demand(place, 'l');
  if (!mayAnnotate(place)) throw new Failure('forbidden', 'you have not got the rights for annotations of that folder');
}

function guestAt(session: Session, { whose }: HerePlace): string | undefined {
  return whose === 'own' ? undefined : session.visitor;
}

function targetOf(session: Session, place: HerePlace, { values }: SetMetadata): AnnotationPlace {
  if (place.whose === 'others' && values.has(specialUseEntry)) throw new Refusal(no('only an own mailbox has a special use', 'USEATTR'));
  if (place.name !== '' || place.whose === 'others') return { mailbox: mailboxAt(place).id, guest: guestAt(session, place) };
  const shared = [...values.keys()].find((entry) => entry.startsWith(serverOwn));
  if (shared !== undefined) throw new Failure('forbidden', 'what all users share of the server is set by its administrators');
  if (values.has(specialUseEntry)) throw new Refusal(no('the server has no special use', 'USEATTR'));
  return { mailbox: 'account' };
}

function usesIn(value: Buffer | undefined): readonly string[] {
  return (value?.toString('latin1') ?? '').split(' ').filter((use) => use !== '');
}
