/** `waybill node drain`: moves every account of a back-end to the others, some at a time; run again it goes on. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { nodeOfMailHost } from '../effective.ts';
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
    for (const taker of takers) view.target(taker);
    const drain = new Drain(view, { node, options, say });
    await drain.prepare(takers);
    await Promise.all(Array.from({ length: atOnce }, async () => drain.work()));
    return drain.finish();
  });
}

class Drain {
  readonly #view: ClusterView;
  readonly #node: string;
  readonly #options: DrainOptions;
  readonly #say: (text: string) => void;
  #waiting: string[] = [];
  #total = 0;
  #done = 0;
  #failed = 0;
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

  async prepare(takers: readonly string[]): Promise<void> {
    const { live } = await overviewOf(this.#view, this.#node);
    for (const taker of takers) {
      const { live: there, arriving } = await overviewOf(this.#view, taker);
      this.#load.set(taker, there.length);
      for (const { address, from } of arriving) if (from === this.#node) this.#begun.set(address, taker);
    }
    const named = await this.#namedInDirectory();
    this.#waiting = [...new Set([...live, ...this.#begun.keys(), ...named])].toSorted();
    this.#total = this.#waiting.length;
    this.#tell({ step: 'begin', text: `${String(this.#total)} accounts go from ${this.#node} to ${takers.join(', ')}` });
  }

  async work(): Promise<void> {
    for (let address = this.#waiting.shift(); address !== undefined; address = this.#waiting.shift()) {
      const taker = this.#begun.get(address) ?? this.#emptiest();
      this.#load.set(taker, (this.#load.get(taker) ?? 0) + 1);
      try {
        const { byHand } = await followMove({ address, target: this.#view.target(taker), purge: this.#options.purge === true }, () => undefined);
        this.#done += 1;
        if (byHand !== undefined) this.#byHand += 1;
        this.#tell({ step: 'moved', address, node: taker, text: `${address} lives on ${taker}${byHand === undefined ? '' : `; the directory is to be changed by hand:\n${byHand}`}` });
      } catch (error) {
        if (!isFailure(error)) throw error;
        this.#failed += 1;
        this.#tell({ step: 'failed', address, node: taker, text: `${address}: ${error.message}` });
      }
    }
  }

  finish(): number {
    if (this.#failed > 0) {
      this.#tell({ step: 'incomplete', text: `${String(this.#failed)} of ${String(this.#total)} accounts could not be moved; run the command again` });
      return 1;
    }
    this.#tell({ step: 'done', text: `${this.#node} keeps no account any more` });
    return this.#byHand > 0 ? 2 : 0;
  }

  /** Users whose mailbox is not made yet are to be made elsewhere. */
  async #namedInDirectory(): Promise<readonly string[]> {
    const entries = await this.#view.directory.list();
    return entries.filter(({ mailHost }) => nodeOfMailHost(this.#view.config.nodes, mailHost) === this.#node).flatMap(({ addresses }) => addresses.slice(0, 1));
  }

  #emptiest(): string {
    const [first] = [...this.#load].toSorted(([, one], [, other]) => one - other);
    return first?.[0] ?? '';
  }

  #tell(event: { readonly step: string; readonly text: string; readonly address?: string; readonly node?: string }): void {
    const count = `${String(this.#done + this.#failed)}/${String(this.#total)}`;
    this.#say(this.#options.json === true ? JSON.stringify({ ...event, done: this.#done, failed: this.#failed, total: this.#total }) : `${count.padStart(9)}  ${event.text}`);
  }
}
