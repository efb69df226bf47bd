/**
 * Accounts that move among three back-ends while mail programs, POP3 clients and senders are at work, and nodes, workers and the
 * command are killed at every named step. After every few rounds all of it is compared with what was acknowledged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bringingSteps } from '../../../backend/account-move/progress.ts';
import { startCluster } from '../../harness/cluster.ts';
import type { Cluster } from '../../harness/cluster.ts';
import { runCommand } from '../../harness/command.ts';
import { DeliveryStream } from '../../harness/delivery-stream.ts';
import { workersOf } from '../../harness/workers.ts';
import type { Dice } from '../dice.ts';
import { PopProgram, checkInbox } from './inbox-book.ts';
import { useOf } from './look.ts';
import { MailProgram } from './mail-program.ts';

export const steps = [...bringingSteps, 'directory', 'verify'] as const;
export type Step = (typeof steps)[number];
export const victims = ['source', 'target', 'command', 'worker of source', 'worker of target'] as const;
export type Victim = (typeof victims)[number];

const backends = ['be1', 'be2', 'be3'] as const;
type Backend = (typeof backends)[number];
const finishWithinMs = 90_000;
/** How long what was acknowledged may still be on its way inside the cluster: a killed node's queue has to start, and its mail may wait for other nodes. */
const lateMs = 75_000;

export interface Torment {
  readonly step: Step;
  readonly victim: Victim;
}

export interface Sums {
  moves: number;
  kills: number;
  changes: number;
  disturbed: number;
  deliveries: number;
  popRemoved: number;
  /** The longest time from the end of the clients' work until all their mail was there. */
  latestMs: number;
}

export class MoveTorture {
  readonly sums: Sums = { moves: 0, kills: 0, changes: 0, disturbed: 0, deliveries: 0, popRemoved: 0, latestMs: 0 };
  readonly #cluster: Cluster;
  readonly #users: readonly string[];
  readonly #dice: Dice;
  /** As their last move told. */
  readonly #owners = new Map<string, Backend>();
  /** One node is down at a time; who moves meanwhile has to wait. */
  #killing: Promise<void> = Promise.resolve();
  #turn = 0;

  private constructor(cluster: Cluster, users: readonly string[], dice: Dice) {
    this.#cluster = cluster;
    this.#users = users;
    this.#dice = dice;
  }

  static async start(users: readonly string[], dice: Dice): Promise<MoveTorture> {
    return new MoveTorture(await startCluster({ backends: 3, changeConfig: (yaml) => yaml.replace('workers: 1 ', 'workers: 2 ') }), users, dice);
  }

  get cluster(): Cluster {
    return this.#cluster;
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }

  /** Each account's moves come one after the other, those of different accounts at once. @throws Error with everything that is not as it was acknowledged */
  async rounds(torments: readonly (Torment | undefined)[]): Promise<void> {
    this.#turn += 1;
    const [first = '', second = first] = this.#users;
    const stream = new DeliveryStream(this.#cluster, [...this.#users.map((user) => [user]), [first, second], [second, 'ivan', first]], { clients: 3, append: 'no', pauseMs: 150 });
    const programs = this.#users.map((user) => new MailProgram(this.#cluster, { user, prefix: `t${String(this.#turn)}` }, this.#dice));
    const pops = this.#users.map((user) => ({ user, pop: new PopProgram(this.#cluster, user, this.#dice) }));
    const waiting = [...torments];
    const moving = await Promise.allSettled(this.#users.map(async (user) => {
      while (waiting.length > 0) {
        await this.#move(user, waiting.shift());
        await sleep(this.#dice.below(400));
      }
    }));
    await this.#killing;
    await Promise.all([stream.stop(), ...programs.map(async (program) => program.stop()), ...pops.map(async ({ pop }) => pop.stop())]);
    for (const { acknowledged, disturbed } of programs) {
      this.sums.changes += acknowledged;
      this.sums.disturbed += disturbed;
    }
    this.sums.deliveries += stream.acknowledged.size;
    const complaints = [...moving.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])), ...programs.flatMap(({ complaint }) => complaint ?? []), ...stream.refused];
    for (const { user, pop } of pops) {
      this.sums.popRemoved += pop.removed.size;
      await checkInbox(this.#cluster, { user, stream, pop }, lateMs).then((ms) => { this.sums.latestMs = Math.max(this.sums.latestMs, ms); }, (error: unknown) => complaints.push(String(error)));
      complaints.push(...await this.#checkRecords(user));
    }
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  }

  /** To another node, with a kill on the way; then, perhaps to yet another, until it is done. */
  async #move(user: string, torment: Torment | undefined): Promise<void> {
    const source = this.#owners.get(user) ?? (await this.#ownerOf(user));
    const target = this.#dice.pick(backends.filter((node) => node !== source));
    let killing: Promise<void> | undefined;
    const first = await runCommand(this.#cluster, ['account', 'move', user, target, '--json'], (line, child) => {
      if (torment === undefined || killing !== undefined || (JSON.parse(line) as { step: string }).step !== torment.step) return;
      if (torment.victim === 'command') killing = Promise.resolve(void child.kill('SIGKILL'));
      else killing = this.#kill(torment.victim.endsWith('source') ? source : target, torment.victim);
      this.sums.kills += 1;
    });
    await killing;
    const deadline = Date.now() + finishWithinMs;
    for (let last = first; last.code !== 0; last = await runCommand(this.#cluster, ['account', 'move', user, target, '--json'])) {
      if (Date.now() >= deadline) throw new Error(`${user} can not be moved to ${target} (${JSON.stringify(torment)}): ${last.output}${last.complaint}`);
      await sleep(300);
    }
    this.sums.moves += 1;
    this.#owners.set(user, target);
  }

  async #kill(node: Backend, victim: Victim): Promise<void> {
    const killing = this.#killing.then(async () => {
      if (victim.startsWith('worker')) {
        for (const worker of workersOf(this.#cluster.pid(node))) if (this.#dice.oneIn(2)) process.kill(worker, 'SIGKILL');
        return;
      }
      await this.#cluster.kill(node);
      await sleep(this.#dice.below(1500));
      await this.#cluster.startNode(node);
    });
    this.#killing = killing.catch(() => undefined);
    return killing;
  }

  async #ownerOf(user: string): Promise<Backend> {
    for (const deadline = Date.now() + finishWithinMs; ;) {
      const owners = Object.entries(await this.#records(user)).filter(([, record]) => typeof record === 'object' && record.at === 'live').map(([node]) => node);
      if (owners.length > 1) throw new Error(`${user} is owned by ${owners.join(' and ')}`);
      const owner = backends.find((node) => node === owners[0]);
      if (owner !== undefined) return owner;
      if (Date.now() > deadline) throw new Error(`nobody owns ${user}`);
      await sleep(200);
    }
  }

  async #records(user: string): Promise<Records> {
    const { output } = await runCommand(this.#cluster, ['account', 'show', user, '--json']);
    return output === '' ? {} : (JSON.parse(output) as { records: Records }).records;
  }

  /** One owner, whose use is the sum of its mailboxes. */
  async #checkRecords(user: string): Promise<readonly string[]> {
    const owner = await this.#ownerOf(user);
    if (owner !== this.#owners.get(user)) return [`${user} is on ${owner}, and was moved to ${String(this.#owners.get(user))}`];
    const { messages = 0, bytes = 0 } = asRecord((await this.#records(user))[owner]);
    const sum = await useOf(this.#cluster, user);
    return sum.messages === messages && sum.bytes === bytes ? [] : [`${user} on ${owner}: ${String(messages)} messages of ${String(bytes)} bytes are counted, ${String(sum.messages)} of ${String(sum.bytes)} are there`];
  }
}

type NodeRecord = { readonly at: string; readonly messages?: number; readonly bytes?: number };
type Records = Readonly<Record<string, NodeRecord | 'silent'>>;

function asRecord(record: NodeRecord | 'silent' | undefined): NodeRecord {
  return typeof record === 'object' ? record : { at: 'none' };
}
