/**
 * Whether somebody is the administrator they say they are: password, and code of the authenticator where one is set up. Wrong
 * ones are slowed as users' are (guess-delays.ts); neither words nor time tell whether the name exists, or which part was wrong.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { z } from 'zod';
import { GuessDelays } from '../access/guess-delays.ts';
import type { GuessDelayOptions } from '../access/guess-delays.ts';
import { clientNetwork } from '../access/network.ts';
import { RefusalPace } from '../access/refusal-pace.ts';
import { Failure } from '../base/failure.ts';
import { hashPasswordSlowly, verifyPassword } from '../ldap/password-hash.ts';
import type { Notices } from '../service/notices.ts';
import type { Administrator } from './caller.ts';
import { stepOfCode } from './totp.ts';

/** An administrator, and what they are known by. */
export interface AdministratorRecord extends Administrator {
  /** `{ARGON2}…`; undefined: only by certificate. */
  readonly passwordHash: string | undefined;
  readonly totpSecret: Buffer | undefined;
}

export interface SignInOptions {
  readonly find: (name: string) => AdministratorRecord | undefined;
  readonly guesses: GuessDelayOptions;
  readonly ipv6Prefix: number;
  readonly notices: Notices;
  /** Tells the other nodes whose code of which step was taken. Never rejects. */
  readonly tellOthers: (name: string, step: number) => Promise<void>;
}

export interface SignInAttempt {
  readonly name: string;
  readonly password: string;
  readonly code: string | undefined;
  /** The client's address. */
  readonly from: string;
}

/** Checks at the same time; each takes 20 ms of a processor and 19 MiB. */
const mostChecks = 8;
const usedTopic = 'admin code used';
const usedSchema = z.number();

export class SignIn {
  readonly #options: SignInOptions;
  readonly #delays: GuessDelays;
  readonly #pace = new RefusalPace(200);
  /** The last step of each administrator whose code was taken: it serves once (RFC 6238 section 5.2). */
  readonly #usedSteps = new Map<string, number>();
  #checks = 0;
  #nobodys: Promise<string> | undefined;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#delays = new GuessDelays(options.guesses);
    options.notices.subscribe(usedTopic, ({ key, value }) => {
      const step = usedSchema.safeParse(value);
      if (step.success) this.#used(key, step.data);
    });
  }

  /** @throws Failure('bad-credentials') after its delay; Failure('limit') when too many try at once */
  async check(attempt: SignInAttempt): Promise<AdministratorRecord> {
    if (this.#checks >= mostChecks) throw new Failure('limit', 'too many sign in at the same time');
    const guesser = { network: clientNetwork(attempt.from, this.#options.ipv6Prefix), name: attempt.name.toLowerCase().slice(0, 64) };
    const wait = this.#delays.begin(guesser);
    try {
      if (wait > 0) await sleepMs(wait);
      const startedMs = performance.now();
      const record = await this.#verify(attempt);
      const tookMs = performance.now() - startedMs;
      if (record !== undefined) {
        this.#pace.took(tookMs);
        this.#delays.succeeded(guesser, guesser.name);
        const step = record.totpSecret === undefined ? undefined : this.#usedSteps.get(record.name);
        if (step !== undefined) await this.#options.tellOthers(record.name, step);
        return record;
      }
      const delayMs = this.#delays.failed(guesser, guesser.name, `${attempt.password}\0${attempt.code ?? ''}`);
      await sleepMs(Math.max(0, delayMs, this.#pace.leastMs - tookMs));
      throw new Failure('bad-credentials', 'Wrong name, password or code.');
    } finally {
      this.#delays.end(guesser);
    }
  }

  async #verify({ name, password, code }: SignInAttempt): Promise<AdministratorRecord | undefined> {
    this.#checks += 1;
    try {
      const record = this.#options.find(name);
      const hash = record?.passwordHash ?? (await (this.#nobodys ??= hashPasswordSlowly('nobody has this one')));
      const match = await verifyPassword(hash, password);
      if (record?.passwordHash === undefined || match !== 'match') return undefined;
      return record.totpSecret === undefined || this.#takesCode(record.name, record.totpSecret, code ?? '') ? record : undefined;
    } finally {
      this.#checks -= 1;
    }
  }

  #takesCode(name: string, secret: Buffer, code: string): boolean {
    const step = stepOfCode(secret, code, Date.now());
    if (step === undefined || step <= (this.#usedSteps.get(name) ?? -1)) return false;
    this.codeUsed(name, step);
    return true;
  }

  /** The code of this step, and those before it, serve no more, in no worker of this node. */
  codeUsed(name: string, step: number): void {
    if (step <= (this.#usedSteps.get(name) ?? -1)) return;
    this.#used(name, step);
    this.#options.notices.post(usedTopic, name, step);
  }

  /** The last of each administrator. */
  usedSteps(): readonly { readonly name: string; readonly step: number }[] {
    return Array.from(this.#usedSteps, ([name, step]) => ({ name, step }));
  }

  #used(name: string, step: number): void {
    this.#usedSteps.set(name, Math.max(step, this.#usedSteps.get(name) ?? -1));
  }
}
