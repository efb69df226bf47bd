/**
 * Long work that administrators begin at a node: it goes on by itself in the worker that was asked, and any worker tells how far
 * it is. A worker that retires finishes its jobs first; one that is stopped cuts them.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import { jobSchema } from '../../cluster-config/admin/contract/jobs.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Service } from '../../shared/service/service.ts';
import { askAll } from '../../shared/service/siblings.ts';
import type { Siblings } from '../../shared/service/siblings.ts';

export type JobView = z.output<typeof jobSchema>;
/** What a job has brought; see the schema. */
export type JobResult = Pick<JobView, 'checks' | 'compacted' | 'repaired' | 'backup' | 'restored' | 'searchIndex'>;

/** What the work gets: where to say how far it is, and when to give up. */
export interface JobGround {
  report(text: string, progress: { readonly done: number; readonly of: number }): void;
  readonly signal: AbortSignal;
}

export interface JobOrder {
  readonly kind: JobView['kind'];
  /** No two jobs of one kind and subject run at once. */
  readonly subject: string;
  readonly work: (ground: JobGround) => Promise<JobResult>;
}

const topic = 'jobs';
/** Milliseconds for which a job that is over can be asked about. */
const rememberedMs = 24 * 3_600_000;

export class Jobs implements Service {
  readonly name = 'jobs';
  readonly #siblings: Siblings;
  readonly #log: Logger;
  readonly #views = new LRUCache<string, JobView>({ max: 200, ttl: rememberedMs });
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(siblings: Siblings, log: Logger) {
    this.#siblings = siblings;
    this.#log = log;
    siblings.answer(topic, () => [...this.#views.values()]);
  }

  /** Begins it; answers at once. Throws `in-use` while one of that kind and subject runs, `shutting-down`. */
  async begin({ kind, subject, work }: JobOrder): Promise<JobView> {
    if (this.#abort.signal.aborted) throw new Failure('shutting-down', 'this node stops');
    const same = (await this.list()).find((job) => job.state === 'running' && job.kind === kind && job.subject === subject);
    if (same !== undefined) throw new Failure('in-use', `that is under way already, as job ${same.id}`);
    const job: JobView = { id: randomBytes(6).toString('hex'), kind, subject, state: 'running', startedAt: new Date().toISOString(), text: 'begins' };
    this.#views.set(job.id, job);
    const run = this.#run(job, work).finally(() => this.#running.delete(run));
    this.#running.add(run);
    return job;
  }

  /** Of all workers, the newest first. @throws Failure('timed-out') when one of them does not answer */
  async list(): Promise<readonly JobView[]> {
    const answers = await askAll(this.#siblings, topic, null);
    const jobs = answers.flatMap((answer) => jobSchema.array().safeParse(answer).data ?? []);
    return jobs.sort((one, other) => (one.startedAt < other.startedAt ? 1 : -1));
  }

  /** Throws an ApiRefusal (404) when no worker knows it. */
  async show(id: string): Promise<JobView> {
    const job = (await this.list()).find((one) => one.id === id);
    if (job === undefined) throw new ApiRefusal(404, 'no-such-thing', { text: `no worker of this node knows a job ${id}`, advice: 'Its worker may have ended, and the job with it: begin it again.' });
    return job;
  }

  async retire(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Failure('shutting-down', 'it was cut: the process that did it ends'));
    await this.retire();
  }

  async #run(job: JobView, work: JobOrder['work']): Promise<void> {
    const ground: JobGround = {
      signal: this.#abort.signal,
      report: (text, progress) => this.#views.set(job.id, { ...job, text, ...progress }),
    };
    try {
      const result = await work(ground);
      this.#views.set(job.id, { ...job, state: 'done', text: 'done', endedAt: new Date().toISOString(), ...result });
      this.#log.info({ job: job.id, kind: job.kind, subject: job.subject }, 'job done');
    } catch (error) {
      const failure = isFailure(error) ? { kind: error.kind, text: error.message } : { kind: 'internal', text: `internal error, reference ${job.id}` };
      this.#views.set(job.id, { ...job, state: 'failed', text: failure.text, endedAt: new Date().toISOString(), failure });
      this.#log.error({ job: job.id, kind: job.kind, subject: job.subject, err: error }, 'job failed');
    }
  }
}
