/** A back-end's side of legs: gives one back to its front-end when a session is over, and waits until that claims it for the next login. */
import { isFailure } from '../base/failure.ts';
import type { AnySocket, Connection } from '../net/connection.ts';
import { isClaim } from './leg-terms.ts';
import type { LegTerms } from './leg-terms.ts';

/** How a session ended, and what became of its connection. */
export type SessionEnd =
  | { readonly kind: 'closed' }
  /** The front-end has been told, and may claim it. */
  | { readonly kind: 'released'; readonly socket: AnySocket; readonly terms: LegTerms }
  /** The front-end goes on at once, without a greeting (RFC 8437). What it has said already is unread in the socket. */
  | { readonly kind: 'begin-anew'; readonly socket: AnySocket };

/** A connection on which nothing was read yet. */
interface Fresh {
  readonly connection: Connection;
}

export interface Turns<F extends Fresh> {
  readonly open: (socket: AnySocket) => F;
  readonly serve: (fresh: F, begin: 'greeting' | 'silently') => Promise<SessionEnd>;
}

/** Longer than any front-end keeps one (`keptConnectionSeconds`): only a front-end that vanished lets it come to this. */
export const longestRestMs = 300_000;

/**
 * Says the last words to the client and, in the same write, the release to its front-end. The connection is of no use afterwards,
 * whoever still holds it. To be called only when all that the client sent is read, and all that was to be said is in these words.
 */
export function release(connection: Connection, lastWords: string, terms: LegTerms): AnySocket {
  const { socket } = connection;
  socket.cork();
  void connection.write(lastWords);
  connection.detach();
  socket.write(terms.release); // past the connection: a protocol trace must not show it
  socket.uncork();
  return socket;
}

/** The connections of one service that come to rest. */
export class RestingLegs {
  readonly #resting = new Set<Connection>();
  #open = true;

  /** Whether legs may come to rest: not while the service ends. */
  get open(): boolean {
    return this.#open;
  }

  /** Serves one session after the other, as long as the front-end keeps the connection. Only the socket goes on to the next: all else is made anew. */
  async serve<F extends Fresh>(first: AnySocket, { open, serve }: Turns<F>): Promise<void> {
    let end = await serve(open(first), 'greeting');
    while (end.kind !== 'closed') {
      const next = open(end.socket);
      if (end.kind === 'released' && (await this.#claimed(next.connection, end.terms)) === 'over') return;
      end = await serve(next, end.kind === 'released' ? 'greeting' : 'silently');
    }
  }

  /** Waits for the claim. `over`: the connection is gone, whatever the reason. */
  async #claimed(connection: Connection, terms: LegTerms): Promise<'claimed' | 'over'> {
    this.#resting.add(connection);
    try {
      if (!this.#open) return over(connection);
      const line = await connection.readLine();
      return line !== undefined && this.#open && isClaim(line, terms) ? 'claimed' : over(connection);
    } catch (error) {
      if (!isFailure(error)) throw error;
      return over(connection);
    } finally {
      this.#resting.delete(connection);
    }
  }

  /** Cuts those that rest; no other comes to it. */
  close(): void {
    this.#open = false;
    for (const connection of this.#resting) connection.destroy();
  }
}

function over(connection: Connection): 'over' {
  connection.destroy();
  return 'over';
}
