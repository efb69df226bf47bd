/** Commands on the maildrop that send no message: STAT, LIST, UIDL, DELE, RSET, NOOP (RFC 1939 sections 5 and 7). */
import { parseNumbers } from '../../shared/pop3/command.ts';
import type { Entry, Maildrop } from './maildrop.ts';
import { sayLines } from './replies.ts';
import type { Session } from './session.ts';

export async function stat(session: Session): Promise<string> {
  const { messages, octets } = session.maildrop.sum;
  return Promise.resolve(`${String(messages)} ${String(octets)}`);
}

export async function list(session: Session, argument: string): Promise<string | undefined> {
  return listOneOrAll(session, argument, { form: 'LIST [number]', value: (_, entry) => String(entry.size) });
}

export async function uidl(session: Session, argument: string): Promise<string | undefined> {
  return listOneOrAll(session, argument, { form: 'UIDL [number]', value: (maildrop, entry) => maildrop.uniqueId(entry) });
}

export async function dele(session: Session, argument: string): Promise<string> {
  const entry = numbered(session, argument, 'DELE number');
  session.maildrop.delete(entry);
  return Promise.resolve(`message ${String(entry.number)} deleted`);
}

export async function rset(session: Session): Promise<string> {
  session.maildrop.reset();
  return Promise.resolve('nothing is deleted');
}

export async function noop(): Promise<string> {
  return Promise.resolve('nothing done');
}

async function listOneOrAll(
  session: Session,
  argument: string,
  how: { readonly form: string; readonly value: (maildrop: Maildrop, entry: Entry) => string },
): Promise<string | undefined> {
  const { maildrop, connection } = session;
  const show = (entry: Entry): string => `${String(entry.number)} ${how.value(maildrop, entry)}`;
  if (argument.trim() !== '') return show(numbered(session, argument, how.form));
  await sayLines(connection, `${String(maildrop.entries.length)} messages`, maildrop.entries.map(show));
  return undefined;
}

function numbered(session: Session, argument: string, form: string): Entry {
  const [number = 0] = parseNumbers(argument, 1, form);
  return session.maildrop.entry(number);
}
