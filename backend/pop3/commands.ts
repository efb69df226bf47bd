/** The table of POP3 commands: when each is allowed and what it does. */
import { auth, pass, stls, user, xclient } from './authorization.ts';
import { quit } from './quit.ts';
import { sayLines } from './replies.ts';
import { retr, top } from './retrieve.ts';
import type { Session, SessionState } from './session.ts';
import { dele, list, noop, rset, stat, uidl } from './transaction.ts';

export interface Command {
  readonly allowedIn: readonly SessionState['at'][];
  /** Answers the text after `+OK `, or undefined when it has answered itself. A Failure becomes `-ERR`. */
  readonly run: (session: Session, argument: string) => Promise<string | undefined>;
}

const authorization = ['authorization'] as const;
const transaction = ['transaction'] as const;
const both = ['authorization', 'transaction'] as const;

export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['CAPA', { allowedIn: both, run: capa }],
  ['QUIT', { allowedIn: both, run: quit }],
  ['STLS', { allowedIn: authorization, run: stls }],
  ['USER', { allowedIn: authorization, run: user }],
  ['PASS', { allowedIn: authorization, run: pass }],
  ['AUTH', { allowedIn: authorization, run: auth }],
  ['XCLIENT', { allowedIn: authorization, run: xclient }],
  ['STAT', { allowedIn: transaction, run: stat }],
  ['LIST', { allowedIn: transaction, run: list }],
  ['UIDL', { allowedIn: transaction, run: uidl }],
  ['RETR', { allowedIn: transaction, run: retr }],
  ['TOP', { allowedIn: transaction, run: top }],
  ['DELE', { allowedIn: transaction, run: dele }],
  ['RSET', { allowedIn: transaction, run: rset }],
  ['NOOP', { allowedIn: transaction, run: noop }],
]);

/** RFC 2449 section 5. What only serves front-ends is shown to them alone, and not to the clients they join with us after login. */
async function capa(session: Session): Promise<undefined> {
  const forFrontEnd = session.options.trustedPeer === 'yes' && session.state.at === 'authorization';
  const login = session.connection.encrypted ? ['USER', `SASL PLAIN LOGIN${forFrontEnd ? ' EXTERNAL' : ''}`] : ['STLS'];
  const lines = [
    'TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER', 'IMPLEMENTATION Waybill', ...login,
    ...(forFrontEnd ? ['XCLIENT'] : []),
  ];
  await sayLines(session.connection, 'capabilities follow', lines);
  return undefined;
}
