/**
 * A pool of connections to one directory. Work is tried again on a fresh connection when its own died: a search or a bind can
 * be repeated without harm. A pooled connection that died while idle (the other side's time limit) is nobody's fault; a fresh
 * one that fails pauses its address.
 */
import { Failure } from '../base/failure.ts';
import type { Logger } from '../log/log.ts';
import type { LdapConnection } from './ldap-connection.ts';
import { ConnectionLost, ResultError, resultCodes } from './ldap-errors.ts';
import type { UriChooser } from './uri-chooser.ts';

export interface PoolOptions {
  readonly open: (uri: string) => Promise<LdapConnection>;
  /** `shared`: many requests at once on a connection; `exclusive`: one at a time. */
  readonly use: 'shared' | 'exclusive';
  readonly chooser: UriChooser;
  /** At most so many connections. */
  readonly limit: number;
  /** How long a request waits for a free connection. */
  readonly waitMs: number;
  readonly log: Logger;
}

interface Member {
  readonly connection: LdapConnection;
  readonly uri: string;
  readonly openedAt: number;
  running: number;
  /** Whether it has served at least once. */
  proven: boolean;
}

/** Results that say this server can't serve now, so that another address may; a missing search base is a replica not yet filled. */
const unserviceable: readonly number[] = [resultCodes.noSuchObject, resultCodes.busy, resultCodes.unavailable];

function concernsServer(error: unknown): boolean {
  return error instanceof ConnectionLost || (error instanceof ResultError && unserviceable.includes(error.resultCode));
}

/** A connection is given up at this age, so that after an outage the pool returns to the preferred address. */
const maxAgeMs = 120_000;

export class ConnectionPool {
  readonly #options: PoolOptions;
  #members: Member[] = [];
  #opening = 0;
  #waiters: (() => void)[] = [];
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Runs `work` on a connection. @throws Failure('directory-unavailable') when no address serves. */
  async run<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    let last: unknown;
    let fresh = this.#options.chooser.size;
    while (fresh > 0) {
      const member = await this.#take().catch((error: unknown) => { last ??= error; return undefined; });
      if (member === undefined) break;
      if (!member.proven) fresh -= 1;
      try {
        const result = await work(member.connection);
        member.proven = true;
        this.#options.chooser.succeeded(member.uri);
        return result;
      } catch (error) {
        last = error;
        if (!concernsServer(error)) break;
        this.#discard(member, error);
      } finally {
        this.#release(member);
      }
    }
    this.#options.log.error({ err: last }, 'no usable answer from the directory');
    throw new Failure('directory-unavailable', 'The directory can\'t be reached. Try again later.', { cause: last });
  }

  close(): void {
    this.#closed = true;
    for (const { connection } of this.#members) connection.close();
    this.#members = [];
    this.#wakeAll();
  }

  async #take(): Promise<Member> {
    const deadline = performance.now() + this.#options.waitMs;
    for (;;) {
      if (this.#closed) throw new Error('the connector is closed');
      this.#retire();
      const free = this.#free();
      if (free !== undefined) {
        free.running += 1;
        return free;
      }
      if (!this.#full) return await this.#open();
      if (performance.now() >= deadline) throw new Error('all connections to the directory are busy');
      await this.#wait(deadline - performance.now());
    }
  }

  /** The member to use: any idle one; else, when shared and no more may be opened, the one with the least to do. */
  #free(): Member | undefined {
    const [least] = this.#members.toSorted((a, b) => a.running - b.running);
    if (least === undefined || least.running === 0) return least;
    return this.#options.use === 'shared' && this.#full ? least : undefined;
  }

  get #full(): boolean {
    return this.#members.length + this.#opening >= this.#options.limit;
  }

  async #open(): Promise<Member> {
    this.#opening += 1;
    try {
      for (const uri of this.#options.chooser.candidates()) {
        try {
          return this.#admit(await this.#options.open(uri), uri);
        } catch (error) {
          this.#options.chooser.failed(uri, error);
        }
      }
      throw new Error('no address of the directory serves');
    } finally {
      this.#opening -= 1;
      this.#wakeAll();
    }
  }

  /** Takes a new connection in, already counted as in use by who opened it. */
  #admit(connection: LdapConnection, uri: string): Member {
    const member = { connection, uri, openedAt: performance.now(), running: 1, proven: false };
    if (this.#closed) connection.close();
    else this.#members.push(member);
    return member;
  }

  /** Takes dead connections out, and idle ones that are too old. */
  #retire(): void {
    const oldest = performance.now() - maxAgeMs;
    this.#members = this.#members.filter((member) => {
      if (member.connection.alive && (member.openedAt > oldest || member.running > 0)) return true;
      member.connection.close();
      return false;
    });
  }

  #discard(member: Member, error: unknown): void {
    const idleDeath = error instanceof ConnectionLost && member.proven && error.how === 'ended';
    if (!idleDeath) this.#options.chooser.failed(member.uri, error);
    else this.#options.log.debug({ uri: member.uri, err: error }, 'a pooled connection had ended');
    this.#members = this.#members.filter((other) => other !== member);
    member.connection.close();
  }

  #release(member: Member): void {
    member.running -= 1;
    this.#wakeAll();
  }

  async #wait(limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#waiters.push(() => { clearTimeout(timer); resolve(); });
    });
  }

  #wakeAll(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
