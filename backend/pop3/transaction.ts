/** Commands on the maildrop that send no message: STAT, LIST, UIDL, DELE, RSET, NOOP (RFC 1939 sections 5 and 7). */
import { parseNumbers } from '../../shared/pop3/command.ts';
import { Refusal } from '../../shared/pop3/texts.ts';
import type { Entry, Maildrop } from './maildrop.ts';
import type { Answer, Session } from './session.ts';

export function stat(session: Session): Answer {
  const { messages, octets } = session.maildrop.sum;
  return `${String(messages)} ${String(octets)}`;
}

export function list(session: Session, argument: string): Answer {
  return listOneOrAll(session, argument, { form: 'LIST [number]', value: (_, entry) => String(entry.size) });
}

export function uidl(session: Session, argument: string): Answer {
  return listOneOrAll(session, argument, { form: 'UIDL [number]', value: (maildrop, entry) => maildrop.uniqueId(entry) });
}

export function dele(session: Session, argument: string): Answer {
  const entry = numbered(session, argument, 'DELE number');
  session.maildrop.delete(entry);
  return session.texts.deleted(entry.number);
}

export function rset(session: Session): Answer {
  session.maildrop.reset();
  return session.texts.nothingDeleted;
}

export function noop(session: Session): Answer {
  return session.texts.nothingDone;
}

function listOneOrAll(
  session: Session,
  argument: string,
  how: { readonly form: string; readonly value: (maildrop: Maildrop, entry: Entry) => string },
): Answer {
  const { maildrop } = session;
  const show = (entry: Entry): string => `${String(entry.number)} ${how.value(maildrop, entry)}`;
  if (argument.trim() !== '') return show(numbered(session, argument, how.form));
  const { entries } = maildrop;
  session.sayLines(session.texts.count(entries.length), entries.map(show));
  return undefined;
}

function numbered(session: Session, argument: string, form: string): Entry {
  const [number = 0] = parseNumbers(argument, 1, session.texts.form(form));
  return entryOf(session, number);
}

/** @throws Refusal `bad-input` when there is no such message or it is marked as deleted */
export function entryOf({ maildrop, texts }: Session, number: number): Entry {
  const found = maildrop.find(number);
  if (found === undefined) throw new Refusal('bad-input', texts.noSuchMessage(maildrop.total));
  if (found.marked === 'deleted') throw new Refusal('bad-input', texts.isDeleted(number));
  return found.entry;
}
