/**
 * The legs of one client session, kept from one transaction to the next: TLS, EHLO and XCLIENT are for the session, so they
 * need not be repeated for each message. A leg comes back here when the client has gone on after its 250; the RSET that is
 * said then frees the back-end's transaction, and tells it that the client knows (docs/decisions/accepting-mail.md, "Delivery keys").
 */
import { Failure } from '../../shared/base/failure.ts';
import type { SmtpClient } from '../../shared/smtp/client.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import type { Legs, LegTarget } from './leg.ts';

export interface LegManner {
  readonly protocol: 'smtp' | 'lmtp';
  /** The user that the back-end shall take as authenticated (submission). */
  readonly login?: string | undefined;
}

interface Kept {
  readonly client: SmtpClient;
  /** For whom it was opened. */
  readonly identity: string;
  /** The RSET that was said when it came back. */
  readonly reset: Promise<'free' | 'lost'>;
  readonly sinceMs: number;
  readonly timer: NodeJS.Timeout;
}

/** A client that rests longer than this costs the back-end no connection. */
const keepMs = 20_000;
/** After a rest, a kept leg is tried before it is relied on: a back-end that stopped meanwhile must not look down. */
const trustMs = 1000;

export class SessionLegs {
  readonly #legs: Legs;
  readonly #peer: SmtpPeer;
  readonly #kept = new Map<string, Kept>();
  readonly #identities = new WeakMap<SmtpClient, string>();
  /** All that may stand still, with their nodes. */
  readonly #opened = new Map<SmtpClient, string>();
  #over = false;

  constructor(legs: Legs, peer: SmtpPeer) {
    this.#legs = legs;
    this.#peer = peer;
  }

  /** Set when the client has left: what goes wrong from then on says nothing of a back-end. */
  get over(): boolean {
    return this.#over;
  }

  /** Where legs of the session stand now, in use or at rest. */
  get nodes(): string[] {
    this.#dropDead();
    return [...new Set(this.#opened.values())].toSorted();
  }

  /** A leg on which MAIL can be said: one of before, or a new one, as `Legs.open`. @throws Failure('bad-input') when the client has left, meanwhile too */
  async open(target: LegTarget, manner: LegManner): Promise<SmtpClient | undefined> {
    const client = this.#over ? undefined : await this.#open(target, manner);
    if (!this.#over) return client;
    // Nobody would end this leg, so the back-end would take the message on it for one that its client knows to be kept.
    client?.destroy();
    throw new Failure('bad-input', 'the client is gone');
  }

  async #open(target: LegTarget, manner: LegManner): Promise<SmtpClient | undefined> {
    const identity = this.#identity(manner);
    const kept = this.#take(target.node);
    if (kept !== undefined) {
      if (kept.identity === identity && (await this.#isGood(kept))) return kept.client;
      void part(kept);
    }
    const client = await this.#legs.open(target, this.#peer, manner);
    if (client === undefined) return undefined;
    this.#identities.set(client, identity);
    this.#dropDead();
    this.#opened.set(client, target.node);
    return client;
  }

  /** The client has gone on: whatever the leg was used for is settled. */
  release(node: string, client: SmtpClient): void {
    const identity = this.#identities.get(client);
    if (!client.alive || identity === undefined) return;
    const reset = client.reset().then(() => 'free' as const, () => {
      client.destroy();
      return 'lost' as const;
    });
    const other = this.#take(node);
    if (other !== undefined) void part(other);
    const timer = setTimeout(() => {
      const kept = this.#take(node);
      if (kept !== undefined) void part(kept);
    }, keepMs).unref();
    this.#kept.set(node, { client, identity, reset, sinceMs: performance.now(), timer });
  }

  /** The session is over: says goodbye on the legs that rest. */
  end(): void {
    this.#over = true;
    for (const node of [...this.#kept.keys()]) {
      const kept = this.#take(node);
      if (kept !== undefined) void part(kept);
    }
  }

  #dropDead(): void {
    for (const client of this.#opened.keys()) if (!client.alive) this.#opened.delete(client);
  }

  #take(node: string): Kept | undefined {
    const kept = this.#kept.get(node);
    this.#kept.delete(node);
    clearTimeout(kept?.timer);
    return kept;
  }

  async #isGood({ client, reset, sinceMs }: Kept): Promise<boolean> {
    if ((await reset) === 'lost' || !client.alive) return false;
    if (performance.now() - sinceMs < trustMs) return true;
    return client.reset().then(() => true, () => false);
  }

  /** What XCLIENT told: a client may say EHLO again, or begin TLS, between two messages. */
  #identity({ protocol, login }: LegManner): string {
    const { address, port, hello, protocol: spoken } = this.#peer;
    return [protocol, login, address, port, hello, spoken].join(' ');
  }
}

async function part({ client, reset }: Kept): Promise<void> {
  await reset;
  await client.quit();
}
