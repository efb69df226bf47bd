/**
 * What the back-ends of one protocol can do, as far as they have said so: by a question now and then, and by every login that
 * passes. The proxy announces what all of them can. A back-end that is down counts with its last word; one that has never
 * answered does not count.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import type { Logger } from '../../shared/log/log.ts';

/** A back-end to be asked. */
export interface CapabilityProbe {
  /** The node, or host and port of a foreign server: as in LoggedIn. */
  readonly name: string;
  /** Connects and asks; answers one text for each capability. */
  readonly ask: () => Promise<readonly string[]>;
}

export interface BackendCapabilitiesOptions {
  /** The back-ends that are configured. */
  readonly configured: readonly CapabilityProbe[];
  /** For a server that a login has led to. */
  readonly probeOf: (name: string) => CapabilityProbe | undefined;
  /** From one round of questions to the next. */
  readonly pollMs: number;
  /** Capabilities that need not be the same everywhere. */
  readonly merges: readonly CapabilityMerge[];
  /** What clients are told where back-ends have these in common. */
  readonly announced: (common: readonly string[]) => readonly string[];
  readonly log: Logger;
}

/** How a capability with a value, which back-ends may tell differently, is announced. */
export interface CapabilityMerge {
  /** In capitals, up to the value: `APPENDLIMIT=`. */
  readonly prefix: string;
  /** Of the values that the back-ends tell, undefined where one tells none; answers what holds for all, undefined for nothing. */
  readonly merge: (values: readonly (string | undefined)[]) => string | undefined;
}

/** Of numbers the smallest, where all tell one. */
export function smallestNumber(values: readonly (string | undefined)[]): string | undefined {
  return values.every((value) => value !== undefined && /^\d{1,15}$/.test(value)) ? String(Math.min(...values.map(Number))) : undefined;
}

type Capabilities = readonly string[];

interface Known {
  beforeLogin: Capabilities | undefined;
  /** What users were told after login, by the words themselves: in this round, and in the one before. Users may differ; what some lack is not promised. */
  told: Map<string, Capabilities>;
  toldBefore: Map<string, Capabilities>;
  heardAtMs: number;
}

/** So often, as long as a configured back-end has never answered. */
const eagerPollMs = 2000;
/**
 * From the first questions to the next; then twice as long each time, up to what is configured. Often a front-end starts with a configuration
 * that its back-ends are just taking up themselves, and the first answers are still by the old one.
 */
const soonPollMs = 1000;
/** How long the first greeting waits for the first answers. */
const firstWaitMs = 1000;
/** A server that is not configured is forgotten after so long without a login. */
const forgetMs = 86_400_000;
const mostServers = 1000;
/** Different answers of one back-end within a round. */
const mostAnswers = 50;

export class BackendCapabilities {
  readonly #options: BackendCapabilitiesOptions;
  readonly #known = new Map<string, Known>();
  readonly #ending = new AbortController();
  #common: Capabilities | undefined;

  constructor(options: BackendCapabilitiesOptions) {
    this.#options = options;
  }

  /** What all back-ends can; undefined while none has answered. */
  get common(): Capabilities | undefined {
    return this.#common;
  }

  /** Asks now, and from now on. Resolves when all have answered, or after a moment. */
  async begin(): Promise<void> {
    const first = this.#ask();
    this.#goOn(first).catch((error: unknown) => this.#options.log.error({ err: error }, 'asking back-ends for their capabilities failed'));
    await Promise.race([first, sleepMs(firstWaitMs, undefined, { ref: false })]);
  }

  end(): void {
    this.#ending.abort();
  }

  /** Told by the back-end `name` to anybody, before a login. The usual case, nothing new, costs one look. */
  heardBeforeLogin(name: string, capabilities: Capabilities): void {
    const known = this.#entry(name);
    if (known.beforeLogin !== undefined && sameWords(known.beforeLogin, capabilities)) return;
    const before = effective(known, this.#options.merges);
    known.beforeLogin = capabilities;
    this.#changed(name, before);
  }

  /** Told to a user after login. The usual case, nothing new, costs one look. */
  heardAfterLogin(name: string, capabilities: Capabilities): void {
    const known = this.#entry(name);
    const key = capabilities.join('\n');
    if (known.told.has(key) || known.told.size >= mostAnswers) return;
    const before = effective(known, this.#options.merges);
    known.told.set(key, capabilities);
    this.#changed(name, before);
  }

  #entry(name: string): Known {
    const known = this.#known.get(name) ?? { beforeLogin: undefined, told: new Map(), toldBefore: new Map(), heardAtMs: 0 };
    known.heardAtMs = Date.now();
    if (this.#known.size < mostServers) this.#known.set(name, known);
    return known;
  }

  async #goOn(first: Promise<void>): Promise<void> {
    const { signal } = this.#ending;
    const { configured, pollMs } = this.#options;
    await first;
    for (let nextMs = soonPollMs; !signal.aborted; nextMs = Math.min(nextMs * 2, pollMs)) {
      const eager = configured.some(({ name }) => !this.#known.has(name));
      const waitMs = Math.min(eager ? eagerPollMs : nextMs, pollMs) * (0.75 + Math.random() / 2);
      await sleepMs(waitMs, undefined, { ref: false, signal }).catch(() => undefined);
      if (!signal.aborted) await this.#ask();
    }
  }

  async #ask(): Promise<void> {
    const { configured, probeOf, log } = this.#options;
    const names = new Set(configured.map(({ name }) => name));
    const met = [...this.#known.keys()].filter((name) => !names.has(name)).map(probeOf).filter((probe) => probe !== undefined);
    await Promise.all([...configured, ...met].map(async ({ name, ask }) => {
      try {
        this.heardBeforeLogin(name, await ask());
      } catch (error) {
        log.debug({ err: error, node: name }, 'a back-end does not tell its capabilities; its last word counts');
      }
    }));
    this.#turnRound(names);
  }

  #turnRound(configured: ReadonlySet<string>): void {
    for (const [name, known] of this.#known) {
      const before = effective(known, this.#options.merges);
      if (!configured.has(name) && Date.now() - known.heardAtMs > forgetMs) this.#known.delete(name);
      // Without a login in this round the words of the last one go on counting.
      if (known.told.size > 0) {
        known.toldBefore = known.told;
        known.told = new Map();
      }
      this.#changed(name, before);
    }
  }

  /** Logs what is new, of the back-end and of what is announced. */
  #changed(name: string, before: Capabilities | undefined): void {
    const { log, merges, announced } = this.#options;
    const known = this.#known.get(name);
    const now = known === undefined ? undefined : effective(known, merges);
    if (before !== undefined && now !== undefined) tellDrift({ before, now }, (drift) => log.info({ node: name, ...drift }, 'a back-end tells other capabilities than before'));
    const common = this.#common;
    const all = [...this.#known.values()].map((one) => effective(one, merges)).filter((one) => one !== undefined);
    this.#common = all.length === 0 ? undefined : intersection(all, merges);
    if (common !== undefined && this.#common !== undefined) tellDrift({ before: announced(common), now: announced(this.#common) }, (drift) => log.info(drift, 'other capabilities are announced than before'));
  }
}

/** What counts for one back-end: what its users were told; before the first login what it tells everybody. */
function effective({ beforeLogin, told, toldBefore }: Known, merges: readonly CapabilityMerge[]): Capabilities | undefined {
  const answers = [...told.values(), ...toldBefore.values()];
  return answers.length === 0 ? beforeLogin : intersection(answers, merges);
}

function sameWords(one: Capabilities, another: Capabilities): boolean {
  return one === another || (one.length === another.length && one.every((word, at) => word === another[at]));
}

function tellDrift({ before, now }: { readonly before: Capabilities; readonly now: Capabilities }, tell: (drift: { readonly added: Capabilities; readonly removed: Capabilities }) => void): void {
  const [added, removed] = [now.filter((one) => !before.includes(one)), before.filter((one) => !now.includes(one))];
  if (added.length > 0 || removed.length > 0) tell({ added, removed });
}

/** Exported for tests. Letter case does not count; the first list's spelling and order stay. */
export function intersection(lists: readonly Capabilities[], merges: readonly CapabilityMerge[]): Capabilities {
  const [first = [], ...others] = lists;
  const sets = others.map((list) => new Set(list.map((word) => word.toUpperCase())));
  const merged = new Map(merges.map(({ prefix, merge }) => {
    const value = lists.length === 0 ? undefined : merge(lists.map((list) => list.find((one) => one.toUpperCase().startsWith(prefix))?.slice(prefix.length)));
    return [prefix, value === undefined ? [] : [`${prefix}${value}`]] as const;
  }));
  const inPlace = first.flatMap((word): readonly string[] => {
    const upper = word.toUpperCase();
    const found = merges.find(({ prefix }) => upper.startsWith(prefix));
    if (found === undefined) return sets.every((set) => set.has(upper)) ? [word] : [];
    const words = merged.get(found.prefix) ?? [];
    merged.delete(found.prefix);
    return words;
  });
  return [...inPlace, ...[...merged.values()].flat()];
}
