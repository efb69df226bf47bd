/** `waybill node drain`: moves every account of a back-end to the others, some at a time; run again it goes on. */
import { counted } from '../../shared/base/counted.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { openApi } from './api-client.ts';
import type { ServerOptions } from './api-client.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions } from './cluster-view.ts';
import { apiRoad, nodesRoad } from './drain-road.ts';
import type { DrainRoad, Holding } from './drain-road.ts';
import { UsageError } from './usage-error.ts';

export interface DrainOptions extends ClusterOptions, ServerOptions {
  /** Names of the back-ends that take the accounts, with commas; all others when absent. */
  readonly to?: string;
  readonly atOnce: string;
  readonly purge?: boolean;
  readonly json?: boolean;
}

const mostAtOnce = 32;
/** Each move is looked at several times a second, and an address may ask the admin API 100 times. */
const mostFromElsewhere = 8;
/** Accounts that were made meanwhile make another pass; whoever makes them all the time should stop it first. */
const mostPasses = 5;
const listedFailures = 20;

/** Answers the exit code: 0 when the node is empty, 1 when a move failed, 2 when the directory is to be changed by hand. @throws Failure, UsageError */
export async function nodeDrain(node: string, options: DrainOptions, say: (text: string) => void): Promise<number> {
  const atOnce = Number(options.atOnce);
  const most = options.server === undefined ? mostAtOnce : mostFromElsewhere;
  if (!Number.isInteger(atOnce) || atOnce < 1 || atOnce > most) throw new UsageError(`--at-once is a number from 1 to ${String(most)}`);
  const work = async (road: DrainRoad): Promise<number> => drained(road, { node, options, say }, atOnce);
  if (options.server !== undefined) return work(await apiRoad(await openApi(options)));
  return withCluster(options, async (view) => work(nodesRoad(view)));
}

interface Wish {
  readonly node: string;
  readonly options: DrainOptions;
  readonly say: (text: string) => void;
}

async function drained(road: DrainRoad, wish: Wish, atOnce: number): Promise<number> {
  const { node, options } = wish;
  const takers = (options.to?.split(',') ?? road.backends).map((name) => name.trim()).filter((name) => name !== node);
  if (takers.length === 0) throw new UsageError(`no other back-end can take the accounts of ${node}`);
  const stranger = [node, ...takers].find((name) => !road.backends.includes(name));
  if (stranger !== undefined) throw new UsageError(`${stranger} is no back-end of this cluster; there are ${road.backends.join(', ')}`);
  const drain = new Drain(road, wish);
  for (let pass = 1; pass <= mostPasses && (await drain.prepare(takers)) > 0; pass += 1) {
    await Promise.all(Array.from({ length: atOnce }, async () => drain.work()));
  }
  return drain.finish();
}

class Drain {
  readonly #road: DrainRoad;
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

  constructor(road: DrainRoad, { node, options, say }: Wish) {
    this.#road = road;
    this.#node = node;
    this.#options = options;
    this.#say = say;
  }

  /** Finds what is to be moved and was not tried yet; answers how many. @throws Failure when the node, the directory or all takers are silent */
  async prepare(takers: readonly string[]): Promise<number> {
    const { live } = await this.#road.overview(this.#node);
    for (const taker of takers) await this.#meet(taker);
    const named = await this.#road.named(this.#node); // users whose mailbox is not made yet are to be made elsewhere;
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
      this.#tell({ step: 'incomplete', text: `${String(this.#failed.size)} of ${counted(this.#total, 'account')} could not be moved; run the command again:\n${list.join('\n')}${more}` });
      return 1;
    }
    this.#tell({ step: 'done', text: `${this.#node} keeps no account any more` });
    return this.#byHand > 0 ? 2 : 0;
  }

  async #meet(taker: string): Promise<void> {
    try {
      const { live, arriving } = await this.#road.overview(taker);
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
      const { byHand } = await this.#road.move(address, taker, this.#options.purge === true ? 'purge' : 'keep');
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
    const records = Object.entries(await this.#road.records(address));
    return records.find(([node, record]) => node !== this.#node && isAt(record, 'live'))?.[0];
  }

  /** Another command took it to another node. */
  async #isGone(address: string): Promise<boolean> {
    const records = await this.#road.records(address);
    return isAt(records[this.#node], 'moved') && Object.values(records).some((record) => isAt(record, 'live'));
  }

  #fail(address: string, why: string): void {
    this.#failed.set(address, why);
    this.#tell({ step: 'failed', address, text: `${address}: ${why}` });
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

function isAt(record: Holding | undefined, at: string): boolean {
  return typeof record === 'object' && record.at === at;
}

function timeText(minutes: number): string {
  if (minutes < 1) return `${String(Math.max(1, Math.round(minutes * 60)))} s`;
  return minutes < 90 ? `${String(Math.round(minutes))} min` : `${(minutes / 60).toFixed(1)} h`;
}
