/**
 * The open sessions of a front-end's worker: one service drains its own, administrators list and kick those of all. What
 * is told of a session are JSON values, so that workers can ask each other. With WebMail a session is what is in progress:
 * a request, a stream of news; a user who is signed in and asks for nothing holds no connection.
 */
import { networkContains, parseNetwork } from '../../shared/access/network.ts';

/** What others may know of a session. */
export interface SessionFacts {
  readonly session: string;
  /** `imapProxy`, `pop3Proxy`, `smtpProxy`, `webmailProxy`. */
  readonly service: string;
  readonly client: string;
  /** Undefined before login. */
  readonly account?: string | undefined;
  /** The nodes, or host and port of foreign servers, that it is joined with now: more than one with SMTP only. */
  readonly nodes: readonly string[];
  /** RFC 3339. */
  readonly since: string;
}

/** How a session ends before its client wants it to. */
export interface OpenSession {
  /** As they are now. */
  readonly facts: SessionFacts;
  /** Before login: says goodbye and closes. Afterwards the stream is the back-end's: the session goes on until the grace is over. */
  farewell(): void;
  /** Cuts both sides. */
  cut(): void;
}

/** All that is given must fit. */
export interface SessionFilter {
  readonly account?: string | undefined;
  /** An IP address or a network. */
  readonly address?: string | undefined;
  readonly node?: string | undefined;
}

/** Says whether a session is meant. @throws Failure('bad-input') for an address that is none */
export function matcher({ account, address, node }: SessionFilter): (facts: SessionFacts) => boolean {
  const network = address === undefined ? undefined : parseNetwork(address);
  return (facts) =>
    (account === undefined || facts.account?.toLowerCase() === account.toLowerCase()) &&
    (network === undefined || networkContains(network, facts.client)) &&
    (node === undefined || facts.nodes.includes(node));
}

export class SessionSet {
  readonly #open = new Set<OpenSession>();
  #whenEmpty: (() => void) | undefined;

  get size(): number {
    return this.#open.size;
  }

  add(session: OpenSession): void {
    this.#open.add(session);
  }

  remove(session: OpenSession): void {
    this.#open.delete(session);
    if (this.#open.size === 0) this.#whenEmpty?.();
  }

  list(filter: SessionFilter): SessionFacts[] {
    const fits = matcher(filter);
    return [...this.#open].map(({ facts }) => facts).filter(fits);
  }

  /** Cuts the sessions meant; answers what they were. */
  kick(filter: SessionFilter): SessionFacts[] {
    const fits = matcher(filter);
    const meant = [...this.#open].filter(({ facts }) => fits(facts));
    for (const session of meant) session.cut();
    return meant.map(({ facts }) => facts);
  }

  /** Resolves when all sessions are gone, at the latest a moment after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    for (const session of [...this.#open]) session.farewell();
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const session of [...this.#open]) session.cut();
        resolve();
      }, graceMs);
      this.#whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
