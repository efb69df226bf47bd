/** What of an IMAP session's connection is handed on when it is over: to its front-end, or to a session that begins anew (RFC 8437). */
import { release } from '../../shared/legs/resting-legs.ts';
import type { SessionEnd } from '../../shared/legs/resting-legs.ts';
import type { Session } from './session.ts';
import type { AfterLogout } from './session-state.ts';

/** Undefined: it is closed. Only a connection that has nothing of this session on it serves another one. */
export function handOn({ connection, legTerms, options, output }: Session, then: AfterLogout): SessionEnd | undefined {
  if (then === 'close' || connection.compression !== 'none' || connection.inputEnded || !options.resting.open) return undefined;
  if (then === 'begin-anew') {
    void output.flush();
    const { socket, pending } = connection.detach();
    if (pending.length > 0) socket.unshift(pending);
    return { kind: 'begin-anew', socket };
  }
  if (legTerms === undefined || connection.bufferedBytes > 0) return undefined;
  return { kind: 'released', socket: release(connection, output.take(), legTerms), terms: legTerms };
}
