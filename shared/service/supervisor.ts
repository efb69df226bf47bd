/**
 * The supervisor of a node: forks the workers, restarts dead ones with back-off, appoints one for the work that exists
 * once per node, carries hints between them, and starts a new generation of them when the configuration changed; the old
 * one then accepts nothing more, but keeps the sessions it has.
 * It serves no client itself, so a crash of a worker costs that worker's sessions only.
 */
import cluster from 'node:cluster';
import type { Logger } from '../log/log.ts';
import { counter, gauge } from '../metrics/metrics.ts';
import { choosePolicy, watchHandedConnections } from './handed-connections.ts';
import { keepListeners } from './kept-listeners.ts';
import { MeasurementBoard } from './measurements.ts';
import { exited, gone, lowestFree, send } from './member.ts';
import type { Member } from './member.ts';
import { passSockets } from '../net/inherited-sockets.ts';
import type { InheritedSocket } from '../net/inherited-sockets.ts';
import { isMessage } from './messages.ts';
import type { Report } from './messages.ts';
import { QuestionDesk } from './question-desk.ts';
import type { Desk } from './question-desk.ts';
import { LifeWatch } from './signs-of-life.ts';
import { NoticeBoard } from './notices.ts';
import { noteWish } from './service-wishes.ts';
import { WorkerFailed } from './worker-failed.ts';

export interface SupervisorOptions {
  readonly log: Logger;
  /** How many worker processes. */
  readonly workers: number;
  /**
   * How connections come to workers; the first node of a process decides for its life. `first come`: whoever is ready takes the next from one queue.
   * `by turns`: this process hands them out, so that sessions that last are spread evenly.
   */
  readonly connections: 'first come' | 'by turns';
  /** For workers, besides those that this process was started with. */
  readonly engineFlags: readonly string[];
  /** How long a worker may take to finish its sessions' commands when it has to leave. */
  readonly drainMs: number;
  /** A worker that gives no sign of life for so long is killed. */
  readonly hangMs: number;
  /** How long the sessions of an older generation may go on. */
  readonly retireMs: number;
  /** The text of the configuration that the workers are to run. */
  readonly configuration: string;
  /** Listening sockets of this process that workers are to have, too. */
  readonly sockets?: readonly InheritedSocket[] | undefined;
}

export interface Supervisor {
  /** Resolves when the first generation is ready; rejects with the worker's words when one could not start. */
  readonly started: Promise<void>;
  /** Starts a new generation, then lets the old one retire. Rejects, and keeps the old, when the new can't start. */
  reload(options: SupervisorOptions): Promise<void>;
  /** Lets all workers read the certificates for clients again. */
  renew(configuration: string): void;
  /** Drains all, retiring workers too, and resolves when the last is gone. */
  stop(): Promise<void>;
  /** Accepts nothing more, lets sessions end by themselves for so long, and drains what is left; resolves when the last worker is gone. */
  windDown(patienceMs: number): Promise<void>;
  /** Workers that serve now: process id and number. */
  living(): readonly { readonly pid: number; readonly slot: number }[];
}

const firstBackOffMs = 500;
const longestBackOffMs = 30_000;
/** A worker that lived so long did not die of its start. */
const healthyAfterMs = 60_000;
/** A worker that is not gone so long after its time is killed. */
const killAfterMs = 5000;

const workers = gauge({ name: 'waybill_workers', help: 'Worker processes that serve now, those that finish their last sessions among them.', labels: ['stage'] });
const restarts = counter({ name: 'waybill_worker_restarts', help: 'Worker processes that ended unasked, and are replaced.' });

/** Starts the first generation and keeps it alive. */
export function supervise(options: SupervisorOptions, desk: Desk = {}): Supervisor {
  choosePolicy(options.connections);
  const crew = new Crew(options, desk);
  return {
    started: crew.startGeneration(),
    reload: async (next) => crew.reload(next),
    renew: (configuration) => crew.renew(configuration),
    stop: async () => crew.stop(),
    windDown: async (patienceMs) => crew.windDown(patienceMs),
    living: () => crew.living(),
  };
}

/** All workers of a node, of the present generation and of older ones that are leaving. */
class Crew {
  #options: SupervisorOptions;
  /** Each reload takes a new number; one that failed is never used again. */
  #generation = 0;
  #lastGeneration = 0;
  #stopping = false;
  #backOffMs = firstBackOffMs;
  #appointed: Member | undefined;
  readonly #members = new Set<Member>();
  readonly #notices = new NoticeBoard();
  /** Services that an administrator stopped. */
  readonly #stopped = new Set<string>();
  #reloading: Promise<void> = Promise.resolve();
  readonly #measurements = new MeasurementBoard<Member>(() => this.#measured(), send);
  readonly #life: LifeWatch;

  readonly #questions: QuestionDesk;

  constructor(options: SupervisorOptions, desk: Desk) {
    this.#questions = new QuestionDesk(desk, this.#members);
    this.#options = options;
    this.#life = new LifeWatch(this.#members, options.log);
    this.#life.begin(options.hangMs);
  }

  async startGeneration(): Promise<void> {
    await Promise.all(this.#fillUp().map(async ({ started }) => started));
  }

  renew(configuration: string): void {
    this.#options = { ...this.#options, configuration };
    for (const member of this.#members) send(member, { kind: 'renew', configuration });
  }

  /** One after another: the configuration and files that it names may change at once. */
  async reload(next: SupervisorOptions): Promise<void> {
    const turn = this.#reloading.then(async () => this.#reloadNow(next));
    this.#reloading = turn.catch(() => undefined);
    await turn;
  }

  async #reloadNow(next: SupervisorOptions): Promise<void> {
    if (this.#stopping) throw new Error('the node is stopping');
    const before = { options: this.#options, generation: this.#generation };
    const old = [...this.#members];
    this.#options = next;
    this.#lastGeneration += 1;
    this.#generation = this.#lastGeneration;
    try {
      await this.startGeneration();
    } catch (error) {
      const failed = [...this.#members].filter((member) => member.generation === this.#generation);
      this.#options = before.options;
      this.#generation = before.generation;
      this.#retire(failed); // those that did start may have sessions already
      this.#fillUp(); // for those of the old generation that died meanwhile
      throw error;
    }
    for (const member of old) send(member, { kind: 'superseded', configuration: next.configuration });
    this.#retire(old);
    this.#life.begin(next.hangMs);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const { drainMs } = this.#options;
    await Promise.all(
      [...this.#members].map(async (member) => {
        member.stage = 'leaving';
        send(member, { kind: 'stop', graceMs: drainMs });
        await gone(member.worker, drainMs + killAfterMs);
      }),
    );
    this.#measurements.end();
    this.#life.end();
  }

  async windDown(patienceMs: number): Promise<void> {
    this.#stopping = true;
    const all = [...this.#members];
    this.#retire(all);
    const patience = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => patience.resolve(undefined), patienceMs);
    await Promise.race([Promise.all(all.map(async ({ worker }) => exited(worker))), patience.promise]);
    clearTimeout(timer);
    await this.stop();
  }

  living(): { readonly pid: number; readonly slot: number }[] {
    return [...this.#members].filter((member) => member.stage === 'ready').map((member) => ({ pid: member.worker.process.pid ?? 0, slot: member.slot }));
  }

  /** Forks the workers that the present generation lacks. */
  #fillUp(): Member[] {
    if (this.#stopping) return [];
    const present = [...this.#members].filter((member) => member.generation === this.#generation && member.stage !== 'leaving').length;
    return Array.from({ length: Math.max(0, this.#options.workers - present) }, () => this.#fork());
  }

  #fork(): Member {
    const { stdio, environment } = passSockets(this.#options.sockets ?? []);
    cluster.setupPrimary({ stdio, execArgv: [...process.execArgv, ...this.#options.engineFlags] });
    const worker = cluster.fork(environment);
    watchHandedConnections(worker);
    const started = Promise.withResolvers<undefined>();
    started.promise.catch(() => undefined); // whoever waits hears of it; a restart has nobody waiting
    const member: Member = {
      worker, slot: lowestFree(this.#members), generation: this.#generation, configuration: this.#options.configuration,
      bornMs: Date.now(), stage: 'starting', started: started.promise, silent: keepListeners(worker, () => member.stage),
    };
    this.#members.add(member);
    worker.on('message', (message: unknown) => {
      if (!isMessage(message)) return;
      const report = message as Report;
      if (report.kind === 'failed') started.reject(new WorkerFailed(report.text));
      if (report.kind === 'ready') started.resolve(undefined);
      this.#hear(member, report);
    });
    worker.on('exit', (code, signal) => {
      const how = signal ?? `code ${String(code)}`;
      started.reject(new WorkerFailed(`worker ended with ${how} before it was ready`));
      this.#bury(member, how);
    });
    return member;
  }

  #hear(member: Member, message: Report): void {
    if (message.kind === 'awake') {
      send(member, { kind: 'start', slot: member.slot, configuration: member.configuration, stopped: [...this.#stopped] });
    } else if (message.kind === 'hints') {
      for (const other of this.#others(member)) send(other, message);
    } else if (message.kind === 'ask') {
      this.#questions.ask(member, message, this.#others(member));
    } else if (message.kind === 'answer') {
      this.#questions.answer(member, message);
    } else if (message.kind === 'service') {
      noteWish(this.#stopped, message);
      for (const each of this.#members) send(each, message); // starting ones too: they may have been told what was stopped before
    } else if (message.kind === 'post') {
      this.#notices.post(message.topic, message.key, message.value);
      const order = { kind: 'notices', topic: message.topic, notices: [{ key: message.key, value: message.value, ageMs: 0 }] } as const;
      for (const other of this.#members) if (other !== member) send(other, order); // starting ones too: they may have subscribed already
    } else if (message.kind === 'subscribe') {
      for (const order of this.#notices.kept(message.topic)) send(member, order);
    } else if (message.kind === 'measured') {
      this.#measurements.hear(member, message);
    } else if (message.kind === 'sign') {
      this.#life.hear(member, message.sign);
    } else if (message.kind === 'how-much') {
      void this.#measurements.measure().then((counted) => send(member, { kind: 'measurements', question: message.question, counted }));
    } else if (message.kind === 'ready') {
      if (member.stage === 'starting') member.stage = 'ready';
      this.#appoint();
    } else if (message.kind === 'resigned') {
      if (this.#appointed === member) this.#appointed = undefined;
      this.#appoint();
    } else if (message.kind === 'failed') {
      this.#options.log.error({ worker: member.worker.process.pid, reason: message.text }, 'worker could not start');
    }
  }

  /** All other workers that run, of older generations too. */
  #others(member: Member): Member[] {
    return [...this.#members].filter((other) => other !== member && other.stage !== 'starting');
  }

  /** Those that count; also sets what the supervisor itself tells of them. */
  #measured(): Member[] {
    const serving = [...this.#members].filter(({ stage }) => stage !== 'starting');
    for (const stage of ['ready', 'leaving'] as const) workers.set({ stage }, serving.filter((member) => member.stage === stage).length);
    return serving;
  }

  /** A worker is gone. One that nobody told to leave is replaced after a while. */
  #bury(member: Member, how: string): void {
    this.#members.delete(member);
    this.#questions.depart(member);
    const { worker } = member;
    void member.silent.then(() => this.#measurements.depart(member)); // its last words may still be on their way
    if (member.stage !== 'leaving' && !this.#stopping) {
      if (Date.now() - member.bornMs > healthyAfterMs) this.#backOffMs = firstBackOffMs;
      restarts.add({});
      this.#options.log.error({ worker: worker.process.pid, how, restartInMs: this.#backOffMs }, 'worker died');
      setTimeout(() => this.#fillUp(), this.#backOffMs);
      this.#backOffMs = Math.min(this.#backOffMs * 2, longestBackOffMs);
    }
    this.#appoint();
  }

  /** An appointed worker of an older generation keeps its work until it gave it back or is gone: never two do it at once. */
  #appoint(): void {
    if (this.#appointed !== undefined && this.#members.has(this.#appointed)) return;
    this.#appointed = [...this.#members].find((member) => member.stage === 'ready' && member.generation === this.#generation);
    if (this.#appointed !== undefined) send(this.#appointed, { kind: 'appoint' });
  }

  /** They accept nothing more and leave when their last session has ended. Older ones among them are at it already. */
  #retire(members: readonly Member[]): void {
    const { drainMs, retireMs } = this.#options;
    for (const member of members) {
      if (member.stage === 'leaving') continue;
      member.stage = 'leaving';
      send(member, { kind: 'retire', patienceMs: retireMs, graceMs: drainMs });
      void gone(member.worker, retireMs + drainMs + killAfterMs); // only for the end of patience; #bury hears of its end
    }
  }
}
