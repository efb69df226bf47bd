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
import { counter, histogram } from '../metrics/metrics.ts';

const latency = histogram({
  name: 'waybill_directory_operation_seconds', unit: 'seconds', labels: ['use'], bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  help: 'Time of operations at the directory that were answered: searches and the like (shared), checks of passwords (exclusive).',
});
const failures = counter({ name: 'waybill_directory_operation_failed', help: 'Operations at the directory that failed or were refused; wrong passwords are among them.', labels: ['use'] });

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

/**
 * Results that say this server can't serve now, so that another address may; a missing search base is a replica not yet
 * filled. Only some can be believed of a bind: others may be about one user (a locked account is `unwillingToPerform` at
 * some servers), who must not make the server look down to all.
 */
const unserviceable: Readonly<Record<PoolOptions['use'], readonly number[]>> = {
  exclusive: [resultCodes.operationsError, resultCodes.noSuchObject, resultCodes.busy, resultCodes.unavailable],
  shared: [
    resultCodes.operationsError, resultCodes.timeLimitExceeded, resultCodes.sizeLimitExceeded, resultCodes.strongerAuthRequired, resultCodes.referral,
    resultCodes.adminLimitExceeded, resultCodes.noSuchObject, resultCodes.insufficientAccessRights, resultCodes.busy, resultCodes.unavailable,
    resultCodes.unwillingToPerform, resultCodes.other,
  ],
};

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
  async run<T>(work: (connection: LdapConnection, uri: string) => Promise<T>): Promise<T> {
    let last: unknown;
    const { use } = this.#options;
    const failed = new Set<string>();
    while (failed.size < this.#options.chooser.size) {
      const member = await this.#take(failed).catch((error: unknown) => { last ??= error; return undefined; });
      if (member === undefined) break;
      try {
        const begunMs = performance.now();
        const result = await work(member.connection, member.uri);
        latency.observe({ use }, (performance.now() - begunMs) / 1000);
        member.proven = true;
        if (this.#options.use === 'shared') this.#options.chooser.succeeded(member.uri);
        return result;
      } catch (error) {
        last = error;
        failures.add({ use });
        if (!this.#concernsServer(error)) break;
        if (this.#discard(member, error) === 'server failed') failed.add(member.uri);
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

  #concernsServer(error: unknown): boolean {
    return error instanceof ConnectionLost || (error instanceof ResultError && unserviceable[this.#options.use].includes(error.resultCode));
  }

  /** @param failed addresses that have failed this request */
  async #take(failed: ReadonlySet<string>): Promise<Member> {
    const deadline = performance.now() + this.#options.waitMs;
    for (;;) {
      if (this.#closed) throw new Error('the connector is closed');
      this.#retire();
      const free = this.#free(failed);
      if (free !== undefined) {
        free.running += 1;
        return free;
      }
      if (!this.#full) return await this.#open(failed);
      if (performance.now() >= deadline) throw new Error('all connections to the directory are busy');
      await this.#wait(deadline - performance.now());
    }
  }

  /** The member to use: any idle one; else, when shared and no more may be opened, the one with the least to do. */
  #free(failed: ReadonlySet<string>): Member | undefined {
    const [least] = this.#members.filter(({ uri }) => !failed.has(uri)).toSorted((a, b) => a.running - b.running);
    if (least === undefined || least.running === 0) return least;
    return this.#options.use === 'shared' && this.#full ? least : undefined;
  }

  get #full(): boolean {
    return this.#members.length + this.#opening >= this.#options.limit;
  }

  async #open(failed: ReadonlySet<string>): Promise<Member> {
    this.#opening += 1;
    try {
      for (const uri of this.#candidates()) {
        if (failed.has(uri)) continue;
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

  /** Searches find out in the configured order who serves; passwords are checked where searches are known to be answered, if possible. */
  #candidates(): readonly string[] {
    const { chooser, use } = this.#options;
    const candidates = chooser.candidates();
    return use === 'shared' ? candidates : candidates.toSorted((one, other) => Number(chooser.isSound(other)) - Number(chooser.isSound(one)));
  }

  /** Takes a new connection in, already counted as in use by who opened it. */
  #admit(connection: LdapConnection, uri: string): Member {
    const member = { connection, uri, openedAt: performance.now(), running: 1, proven: false };
    if (this.#closed) connection.close();
    else this.#members.push(member);
    return member;
  }

  /** Takes dead connections out, and idle ones that are too old, or to a server that is in doubt while another is not. */
  #retire(): void {
    const oldest = performance.now() - maxAgeMs;
    const { chooser } = this.#options;
    const hasSound = chooser.candidates().some((uri) => chooser.isSound(uri));
    this.#members = this.#members.filter((member) => {
      const isGood = member.openedAt > oldest && (chooser.isSound(member.uri) || !hasSound);
      if (member.connection.alive && (isGood || member.running > 0)) return true;
      member.connection.close();
      return false;
    });
  }

  /** Takes a connection out that failed; says whether its server is to blame. */
  #discard(member: Member, error: unknown): 'server failed' | 'idle too long' {
    const idleDeath = error instanceof ConnectionLost && member.proven && error.how === 'ended';
    if (!idleDeath) this.#options.chooser.failed(member.uri, error);
    else this.#options.log.debug({ uri: member.uri, err: error }, 'a pooled connection had ended');
    // The others are hardly better: nobody shall wait for the end of each of them.
    const gone = this.#members.filter((other) => other === member || (!idleDeath && other.uri === member.uri && other.running === 0));
    this.#members = this.#members.filter((other) => !gone.includes(other));
    for (const { connection } of gone) connection.close();
    return idleDeath ? 'idle too long' : 'server failed';
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
