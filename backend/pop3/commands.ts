/** The table of POP3 commands: when each is allowed and what it does. */
import { auth, pass, stls, user, utf8, xclient } from './authorization.ts';
import { capa, lang } from './capa.ts';
import { quit } from './quit.ts';
import { retr, top } from './retrieve.ts';
import type { Answer, Session, SessionState } from './session.ts';
import { dele, list, noop, rset, stat, uidl } from './transaction.ts';

export interface Command {
  readonly allowedIn: readonly SessionState['at'][];
  /** `nothing`: it has no argument, and is refused with one (RFC 1939 section 3: syntactically invalid). */
  readonly takes: 'nothing' | 'an argument';
  /** What needs no wait is done when it returns. A Failure, thrown or rejected with, becomes `-ERR`. */
  readonly run: (session: Session, argument: string) => Answer | Promise<Answer>;
}

const authorization = ['authorization'] as const;
const transaction = ['transaction'] as const;
const both = ['authorization', 'transaction'] as const;

export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['CAPA', { allowedIn: both, takes: 'nothing', run: capa }],
  ['LANG', { allowedIn: both, takes: 'an argument', run: lang }],
  ['QUIT', { allowedIn: both, takes: 'nothing', run: quit }],
  ['STLS', { allowedIn: authorization, takes: 'nothing', run: stls }],
  ['UTF8', { allowedIn: authorization, takes: 'nothing', run: utf8 }],
  ['USER', { allowedIn: authorization, takes: 'an argument', run: user }],
  ['PASS', { allowedIn: authorization, takes: 'an argument', run: pass }],
  ['AUTH', { allowedIn: authorization, takes: 'an argument', run: auth }],
  ['XCLIENT', { allowedIn: authorization, takes: 'an argument', run: xclient }],
  ['STAT', { allowedIn: transaction, takes: 'nothing', run: stat }],
  ['LIST', { allowedIn: transaction, takes: 'an argument', run: list }],
  ['UIDL', { allowedIn: transaction, takes: 'an argument', run: uidl }],
  ['RETR', { allowedIn: transaction, takes: 'an argument', run: retr }],
  ['TOP', { allowedIn: transaction, takes: 'an argument', run: top }],
  ['DELE', { allowedIn: transaction, takes: 'an argument', run: dele }],
  ['RSET', { allowedIn: transaction, takes: 'nothing', run: rset }],
  ['NOOP', { allowedIn: transaction, takes: 'nothing', run: noop }],
]);
