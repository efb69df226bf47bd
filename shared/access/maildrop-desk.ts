/**
 * Which maildrops are open by POP3, and who logged in when: kept by the supervisor of the node that keeps the mailbox. Sessions of one user
 * are at several workers, and only one place can be exact about all of them. `maildropDesk` is what the supervisor answers, `Maildrops` what asks.
 */
import { z } from 'zod';
import { Failure } from '../base/failure.ts';
import { isAlive, thisProcess } from '../base/process-identity.ts';
import { askSupervisor } from '../service/siblings.ts';
import type { Siblings } from '../service/siblings.ts';

const topic = 'maildrop';

const questionSchema = z.discriminatedUnion('step', [
  z.object({ step: z.literal('open'), account: z.string(), holder: z.string(), lock: z.enum(['exclusive', 'shared']), delayMs: z.number() }),
  z.object({ step: z.literal('close'), account: z.string(), holder: z.string() }),
]);
const verdictSchema = z.union([z.object({ kind: z.enum(['open', 'in-use']) }), z.object({ kind: z.literal('too-soon'), waitMs: z.number() })]);
type Question = z.output<typeof questionSchema>;
type Verdict = z.output<typeof verdictSchema>;

class MaildropDesk {
  /** Who holds a maildrop, by account; only of those that were opened exclusively. */
  readonly #held = new Map<string, string>();
  /** By delay: when the accounts whose delay is not over logged in last, the oldest first. There are few different delays. */
  readonly #logins = new Map<number, Map<string, number>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  answer(asked: unknown): Verdict | null {
    const question = questionSchema.safeParse(asked);
    if (!question.success) return null;
    return question.data.step === 'open' ? this.#open(question.data) : this.#close(question.data);
  }

  #open({ account, holder, lock, delayMs }: Extract<Question, { step: 'open' }>): Verdict {
    const now = this.#now();
    this.#forget(now);
    const waitMs = this.#lastLogin(account) + delayMs - now;
    if (waitMs > 0) return { kind: 'too-soon', waitMs };
    const held = this.#held.get(account);
    // A worker that died gave nothing back.
    if (lock === 'exclusive' && held !== undefined && isAlive(processOf(held))) return { kind: 'in-use' };
    if (lock === 'exclusive') this.#held.set(account, holder);
    for (const logins of this.#logins.values()) logins.delete(account);
    if (delayMs > 0) this.#note(account, delayMs, now);
    return { kind: 'open' };
  }

  #close({ account, holder }: Extract<Question, { step: 'close' }>): Verdict {
    if (this.#held.get(account) === holder) this.#held.delete(account);
    return { kind: 'open' };
  }

  /** `-Infinity`: none that counts. The delay of an account may have been another one then. */
  #lastLogin(account: string): number {
    return Math.max(...[...this.#logins.values()].map((logins) => logins.get(account) ?? -Infinity));
  }

  #note(account: string, delayMs: number, now: number): void {
    const logins = this.#logins.get(delayMs) ?? new Map<string, number>();
    this.#logins.set(delayMs, logins.set(account, now));
  }

  #forget(now: number): void {
    for (const [delayMs, logins] of this.#logins) {
      for (const [account, atMs] of logins) {
        if (atMs + delayMs > now) break;
        logins.delete(account);
      }
      if (logins.size === 0) this.#logins.delete(delayMs);
    }
  }
}

/** What the supervisor answers about maildrops; for its desk. @param now in milliseconds, of a clock that never goes back */
export function maildropDesk(now: () => number = () => performance.now()): Readonly<Record<typeof topic, (question: unknown) => unknown>> {
  const desk = new MaildropDesk(now);
  return { [topic]: (question) => desk.answer(question) };
}

export interface MaildropsOptions {
  readonly siblings: Siblings;
  /** `exclusive`: a maildrop is open once at a time. */
  readonly lock: 'exclusive' | 'shared';
  readonly loginDelays: LoginDelays;
}

/** From one login of a user to the next. */
export interface LoginDelays {
  /** Milliseconds for the account of that address; 0 for none. */
  readonly of: (address: string) => number;
  /** Milliseconds: the longest of any. */
  readonly longest: number;
  readonly differ: 'yes' | 'no';
}

/** Of one worker. */
export class Maildrops {
  readonly #options: MaildropsOptions;
  readonly #process = thisProcess();
  #opened = 0;

  constructor(options: MaildropsOptions) {
    this.#options = options;
  }

  get loginDelays(): LoginDelays {
    return this.#options.loginDelays;
  }

  /**
   * Counts a login, and takes the lock where there is one. Answers what gives it back, which may be called twice and never fails.
   * @throws Failure `in-use`, `too-soon`, `backend-unavailable` when the supervisor does not answer
   */
  async open({ id: account, address }: { readonly id: string; readonly address: string }): Promise<() => Promise<void>> {
    const { lock, loginDelays } = this.#options;
    const delayMs = loginDelays.of(address);
    if (lock === 'shared' && delayMs === 0) return async () => Promise.resolve();
    this.#opened += 1;
    const holder = `${this.#process}#${String(this.#opened)}`;
    const verdict = await this.#ask({ step: 'open', account, holder, lock, delayMs });
    switch (verdict?.kind) {
      case 'open': return async () => (lock === 'exclusive' ? this.#close(account, holder) : Promise.resolve());
      case 'in-use': throw new Failure('in-use', 'another session has this maildrop open');
      case 'too-soon': throw new Failure('too-soon', `you logged in lately; the next login is possible in ${String(Math.ceil(verdict.waitMs / 1000))} seconds`);
      case undefined:
        // The answer may have been lost on its way.
        void this.#close(account, holder);
        throw new Failure('backend-unavailable', 'the maildrop can not be opened now');
    }
  }

  async #close(account: string, holder: string): Promise<void> {
    await this.#ask({ step: 'close', account, holder });
  }

  /** Undefined when there is no answer. */
  async #ask(question: Question): Promise<Verdict | undefined> {
    try {
      return verdictSchema.safeParse(await askSupervisor(this.#options.siblings, topic, question)).data;
    } catch {
      return undefined; // askSupervisor has waited for as long as is worth it
    }
  }
}

function processOf(holder: string): string {
  return holder.slice(0, holder.lastIndexOf('#'));
}
