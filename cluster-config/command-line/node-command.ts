/** `waybill node drain`: moves every account of a back-end to the others, some at a time; run again it goes on. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { nodeOfMailHost } from '../effective.ts';
import { recordsOf } from './account-records.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { followMove } from './follow-move.ts';
import { UsageError } from './usage-error.ts';

export interface DrainOptions extends ClusterOptions {
  /** Names of the back-ends that take the accounts, with commas; all others when absent. */
  readonly to?: string;
  readonly atOnce: string;
  readonly purge?: boolean;
  readonly json?: boolean;
}

export const overviewSchema = z.object({
  live: z.array(z.string()),
  arriving: z.array(z.object({ address: z.string(), from: z.string(), stage: z.string() })),
  left: z.array(z.object({ address: z.string(), node: z.string(), mail: z.string(), atMs: z.number() })),
});
export type Overview = z.output<typeof overviewSchema>;

const askMs = 30_000;
const mostAtOnce = 32;
/** Accounts that were made meanwhile make another pass; whoever makes them all the time should stop it first. */
const mostPasses = 5;
const listedFailures = 20;

/** What a back-end holds. @throws Failure('backend-unavailable') */
export async function overviewOf(view: ClusterView, node: string): Promise<Overview> {
  return overviewSchema.parse(await callNode(view.target(node), { path: '/moves/addresses/', silenceMs: askMs }));
}

/** Answers the exit code: 0 when the node is empty, 1 when a move failed, 2 when the directory is to be changed by hand. @throws Failure, UsageError */
export async function nodeDrain(node: string, options: DrainOptions, say: (text: string) => void): Promise<number> {
  return withCluster(options, async (view) => {
    const atOnce = Number(options.atOnce);
    if (!Number.isInteger(atOnce) || atOnce < 1 || atOnce > mostAtOnce) throw new UsageError(`--at-once is a number from 1 to ${String(mostAtOnce)}`);
    const takers = (options.to?.split(',') ?? view.backends).map((name) => name.trim()).filter((name) => name !== node);
    if (takers.length === 0) throw new UsageError(`no other back-end can take the accounts of ${node}`);
    for (const name of [node, ...takers]) view.target(name);
    const drain = new Drain(view, { node, options, say });
    for (let pass = 1; pass <= mostPasses && (await drain.prepare(takers)) > 0; pass += 1) {
      await Promise.all(Array.from({ length: atOnce }, async () => drain.work()));
    }
    return drain.finish();
  });
}

class Drain {
  readonly #view: ClusterView;
  readonly #node: string;
  readonly #options: DrainOptions;
  readonly #say: (text: string) => void;
  readonly #beganMs = performance.now();
  #waiting: string[] = [];
  #total = 0;
  #done = 0;
  /** That have mail here; the others are only named by the directory. */
  #held: ReadonlySet<string> = new Set();
  readonly #tried = new Set<string>();
  readonly #failed = new Map<string, string>();
  #byHand = 0;
  /** Accounts at each taker: the emptiest gets the next. */
  readonly #load = new Map<string, number>();
  /** Moves that were begun before go on where they began. */
  readonly #begun = new Map<string, string>();

  constructor(view: ClusterView, { node, options, say }: { readonly node: string; readonly options: DrainOptions; readonly say: (text: string) => void }) {
    this.#view = view;
    this.#node = node;
    this.#options = options;
    this.#say = say;
  }

  /** Finds what is to be moved and was not tried yet; answers how many. @throws Failure when the node, the directory or all takers are silent */
  async prepare(takers: readonly string[]): Promise<number> {
    const { live } = await overviewOf(this.#view, this.#node);
    for (const taker of takers) await this.#meet(taker);
    const named = await this.#namedInDirectory();
    this.#held = new Set(live);
    this.#waiting = [...new Set([...live, ...this.#begun.keys(), ...named])].filter((address) => !this.#tried.has(address)).toSorted();
    const isFirst = this.#tried.size === 0;
    for (const address of this.#waiting) this.#tried.add(address);
    this.#total = this.#tried.size;
    const count = String(this.#waiting.length);
    if (isFirst) this.#tell({ step: 'begin', text: `${count} accounts go from ${this.#node} to ${[...this.#load.keys()].join(', ')}` });
    else if (this.#waiting.length > 0) this.#tell({ step: 'more', text: `${count} accounts were made or named meanwhile. New accounts are made where the directory says: let no new entry name ${this.#node}` });
    if (this.#waiting.length > 0 && this.#load.size === 0) throw new Failure('backend-unavailable', `none of ${takers.join(', ')} answers`);
    return this.#waiting.length;
  }

  async work(): Promise<void> {
    for (let address = this.#waiting.shift(); address !== undefined; address = this.#waiting.shift()) {
      const taker = this.#begun.get(address) ?? (await this.#ownerElsewhere(address)) ?? this.#emptiest();
      if (taker === undefined) {
        this.#fail(address, 'no back-end is left that answers');
        continue;
      }
      this.#load.set(taker, (this.#load.get(taker) ?? 0) + 1);
      await this.#move(address, taker);
    }
  }

  finish(): number {
    if (this.#failed.size > 0) {
      const list = [...this.#failed].slice(0, listedFailures).map(([address, why]) => `  ${address}: ${why}`);
      const more = this.#failed.size > listedFailures ? `\n  and ${String(this.#failed.size - listedFailures)} more` : '';
      this.#tell({ step: 'incomplete', text: `${String(this.#failed.size)} of ${String(this.#total)} accounts could not be moved; run the command again:\n${list.join('\n')}${more}` });
      return 1;
    }
    this.#tell({ step: 'done', text: `${this.#node} keeps no account any more` });
    return this.#byHand > 0 ? 2 : 0;
  }

  async #meet(taker: string): Promise<void> {
    try {
      const { live, arriving } = await overviewOf(this.#view, taker);
      this.#load.set(taker, live.length);
      for (const { address, from } of arriving) if (from === this.#node) this.#begun.set(address, taker);
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
      this.#load.delete(taker);
      this.#tell({ step: 'skipped', node: taker, text: `${taker} does not answer, and gets no account` });
    }
  }

  async #move(address: string, taker: string): Promise<void> {
    try {
      const { byHand } = await followMove({ address, target: this.#view.target(taker), wish: 'move', purge: this.#options.purge === true }, () => undefined);
      this.#done += 1;
      if (byHand !== undefined) this.#byHand += 1;
      this.#tell({ step: 'moved', address, node: taker, text: `${address} lives on ${taker}${byHand === undefined ? '' : `; the directory is to be changed by hand:\n${byHand}`}` });
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (await this.#isGone(address)) {
        this.#done += 1;
        this.#tell({ step: 'moved', address, text: `${address}: somebody else has moved it meanwhile` });
        return;
      }
      this.#fail(address, error.message);
      if (isFailure(error, 'backend-unavailable')) await this.#meet(taker); // dead takers get no more
    }
  }

  /** What lives on another node already stays there: only the directory is put right. */
  async #ownerElsewhere(address: string): Promise<string | undefined> {
    if (this.#held.has(address)) return undefined;
    const records = Object.entries(await recordsOf(this.#view, address));
    return records.find(([node, record]) => node !== this.#node && typeof record === 'object' && record.at === 'live')?.[0];
  }

  /** Another command took it to another node. */
  async #isGone(address: string): Promise<boolean> {
    const records = await recordsOf(this.#view, address);
    const here = records[this.#node];
    return typeof here === 'object' && here.at === 'moved' && Object.values(records).some((record) => typeof record === 'object' && record.at === 'live');
  }

  #fail(address: string, why: string): void {
    this.#failed.set(address, why);
    this.#tell({ step: 'failed', address, text: `${address}: ${why}` });
  }

  /** Users whose mailbox is not made yet are to be made elsewhere. */
  async #namedInDirectory(): Promise<readonly string[]> {
    const entries = await this.#view.directory.list();
    return entries.filter(({ mailHost }) => nodeOfMailHost(this.#view.config.nodes, mailHost) === this.#node).flatMap(({ addresses }) => addresses.slice(0, 1));
  }

  #emptiest(): string | undefined {
    return [...this.#load].toSorted(([, one], [, other]) => one - other)[0]?.[0];
  }

  /** With how many a minute were moved so far, and how long the rest will take at that rate. */
  #tell(event: { readonly step: string; readonly text: string; readonly address?: string; readonly node?: string }): void {
    const finished = this.#done + this.#failed.size;
    const minutes = (performance.now() - this.#beganMs) / 60_000;
    const perMinute = minutes > 0 ? this.#done / minutes : 0;
    const leftMinutes = perMinute > 0 ? (this.#total - finished) / perMinute : undefined;
    if (this.#options.json === true) {
      const leftSeconds = leftMinutes === undefined ? undefined : Math.round(leftMinutes * 60);
      this.#say(JSON.stringify({ ...event, done: this.#done, failed: this.#failed.size, total: this.#total, perMinute: Math.round(perMinute), leftSeconds }));
      return;
    }
    const pace = event.step === 'moved' && leftMinutes !== undefined && finished < this.#total ? `  (${perMinute.toFixed(perMinute < 10 ? 1 : 0)} a minute, about ${timeText(leftMinutes)} left)` : '';
    this.#say(`${`${String(finished)}/${String(this.#total)}`.padStart(9)}  ${event.text}${pace}`);
  }
}

function timeText(minutes: number): string {
  if (minutes < 1) return `${String(Math.max(1, Math.round(minutes * 60)))} s`;
  return minutes < 90 ? `${String(Math.round(minutes))} min` : `${(minutes / 60).toFixed(1)} h`;
}
