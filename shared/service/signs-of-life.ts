/**
 * Workers that hang (an endless loop, a blocked call): the supervisor asks each for a sign of life now and then, and ends one that gives none
 * for long. It counts its own turns, not a clock: while it did not run itself (a machine that was suspended, a debugger, no processor
 * to be had) nobody gets later, and afterwards all are asked anew.
 */
import * as inspector from 'node:inspector';
import { sightOf } from '../base/process-sight.ts';
import type { ProcessSight } from '../base/process-sight.ts';
import { counter } from '../metrics/metrics.ts';
import type { Logger } from '../log/log.ts';
import { send } from './member.ts';
import type { Member } from './member.ts';

/** What a worker says of itself. */
export interface SignOfLife {
  /** Whether somebody may have stopped it on purpose, by Node's debugger. */
  readonly debugger: 'listens' | 'none';
  /** Part of the time since the sign before in which its event loop had work, from 0 to 1. */
  readonly busy: number;
  readonly memoryMB: number;
}

/** So often each is asked within the time after which it is ended. */
const questions = 10;
/** One that starts may be silent for so many times as long: it may wait for its storages, and whoever starts all at once has a busy machine. */
const patienceAtStart = 10;
/** Of that time: so much of the processor one must have had that runs and says nothing. */
const leastPartInProcessor = 1 / 3;

const hung = counter({ name: 'waybill_worker_hangs', help: 'Worker processes that gave no sign of life for long, and were killed for it.' });

interface Known {
  readonly last: SignOfLife | undefined;
  readonly seen: ProcessSight | undefined;
  /** Since then. */
  turns: number;
}

/** The supervisor's half. */
export class LifeWatch {
  readonly #members: ReadonlySet<Member>;
  readonly #log: Logger;
  /** One that is ready and never gave a sign is not judged: a worker of another version may not know the question. */
  readonly #known = new WeakMap<Member, Known>();
  #timer: NodeJS.Timeout | undefined;
  #silenceMs = Infinity;

  constructor(members: ReadonlySet<Member>, log: Logger) {
    this.#members = members;
    this.#log = log;
  }

  /** @param silenceMs after which a member is killed; may be called again to change it */
  begin(silenceMs: number): void {
    this.end();
    this.#silenceMs = silenceMs;
    this.#timer = setInterval(() => this.#turn(), silenceMs / questions).unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  hear(member: Member, last: SignOfLife | undefined): Known {
    const known = { last, seen: sightOf(member.worker.process.pid ?? 0), turns: 0 };
    this.#known.set(member, known);
    return known;
  }

  #turn(): void {
    for (const member of this.#members) {
      const known = this.#known.get(member) ?? this.hear(member, undefined);
      const patience = member.stage === 'starting' ? patienceAtStart : 1;
      known.turns += 1;
      if (known.turns > questions * patience) this.#judge(member, known, this.#silenceMs * patience);
      else send(member, { kind: 'give-sign' });
    }
  }

  #judge({ worker, slot, stage, bornMs }: Member, known: Known, silenceMs: number): void {
    known.turns = 0;
    if (known.last === undefined && stage !== 'starting') return;
    const pid = worker.process.pid ?? 0;
    const now = sightOf(pid);
    const processorMs = now === undefined || known.seen === undefined ? undefined : now.processorMs - known.seen.processorMs;
    const facts = { worker: pid, slot, stage, livedMs: Date.now() - bornMs, lastSign: known.last, now, processorMs };
    const reason = whySpared({ last: known.last, now, processorMs, silenceMs });
    if (reason !== undefined) {
      this.#log.warn({ ...facts, reason }, 'a worker gives no sign of life, and is left alone');
      return;
    }
    hung.add({});
    this.#log.error(facts, 'a worker hangs: it gives no sign of life, and is killed; its last lines in the log tell what it did');
    worker.process.kill('SIGKILL');
  }
}

/** What there is to judge a silent worker by. */
export interface Silence {
  readonly last: SignOfLife | undefined;
  readonly now: ProcessSight | undefined;
  /** Since the last sign; undefined where the system does not say it. */
  readonly processorMs: number | undefined;
  readonly silenceMs: number;
}

/**
 * Nobody is killed whom somebody looks at, who waits for a disk (that can't be ended, and goes on when the disk does), or who is at work and hardly had the
 * processor: on a busy machine the supervisor, which needs little, has its turns, while seconds of work take a worker minutes. Undefined: it hangs.
 */
export function whySpared({ last, now, processorMs = Infinity, silenceMs }: Silence): string | undefined {
  if (last?.debugger === 'listens') return 'Node\'s debugger listens in it';
  if (now?.tracer === 'traced') return 'another process traces it';
  if (now?.state === 'D') return 'it waits for a disk';
  if (now?.state === 'R' && processorMs < silenceMs * leastPartInProcessor) return 'it hardly had the processor since';
  return undefined;
}

let before = performance.eventLoopUtilization();

/** A worker's half. */
export function signOfLife(): SignOfLife {
  const current = performance.eventLoopUtilization();
  const { utilization } = performance.eventLoopUtilization(current, before);
  before = current;
  return { debugger: inspector.url() === undefined ? 'none' : 'listens', busy: Math.round(utilization * 100) / 100, memoryMB: Math.round(process.memoryUsage.rss() / 1024 / 1024) };
}
