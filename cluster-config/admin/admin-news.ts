/**
 * What nodes tell each other of sign-ins of administrators: a session that was ended, a code of an authenticator that was taken. Whoever
 * ends one tells all others at once. Where that fails, the appointed worker of the node compares with that one all that both know, again and
 * again until it answers; it does so with every node when it begins, so a node that was away learns what it missed. Hearing twice changes nothing.
 */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { AdminSessions } from '../../shared/admin-api/admin-session.ts';
import type { SignIn } from '../../shared/admin-api/sign-in.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Notices } from '../../shared/service/notices.ts';
import type { Service } from '../../shared/service/service.ts';

const session = z.string().min(1).max(64);
const name = z.string().min(1).max(64);
const step = z.number().int().nonnegative();
const newsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('session-ended'), session }),
  z.strictObject({ kind: z.literal('code-used'), name, step }),
]);
type News = z.output<typeof newsSchema>;
const mostOfEach = 5000;
/** Of ended sessions the newest, by how long ago it was: clocks of nodes differ. */
const knownSchema = z.object({
  ended: z.array(z.object({ session, agoMs: z.number().nonnegative() })).max(mostOfEach),
  used: z.array(z.object({ name, step })).max(mostOfEach),
});
type Known = z.output<typeof knownSchema>;

const newsPath = '/administrators/news';
const knownPath = '/administrators/known';
const silenceMs = 2000;
const pausesMs = { first: 1000, longest: 30_000 };
const untoldTopic = 'admin news untold';

export interface AdminNewsOptions {
  /** The other nodes, by name. */
  readonly others: ReadonlyMap<string, AdminTarget>;
  readonly sessions: Pick<AdminSessions, 'end' | 'ended'>;
  readonly signIn: Pick<SignIn, 'codeUsed' | 'usedSteps'>;
  readonly notices: Notices;
  readonly log: Logger;
}

export class AdminNews {
  readonly #options: AdminNewsOptions;
  /** The appointed worker's: nodes to compare with, and the timers until the next try. */
  #compares: Map<string, NodeJS.Timeout> | undefined;

  constructor(options: AdminNewsOptions) {
    this.#options = options;
    options.notices.subscribe(untoldTopic, ({ key }) => this.#compareWith(key, pausesMs.first));
  }

  /** Resolves when every node has heard of it, or will when it answers again. */
  async tell(news: News): Promise<void> {
    const { others, notices, log } = this.#options;
    await Promise.all([...others].map(async ([node, target]) => {
      try {
        await callNode(target, { path: newsPath, body: news, silenceMs });
      } catch (error) {
        if (!isFailure(error)) throw error;
        log.info({ err: error, news: news.kind, node }, 'a node could not be told of a sign-in of an administrator; it is told when it answers');
        notices.post(untoldTopic, node, true);
        this.#compareWith(node, pausesMs.first);
      }
    }));
  }

  routes(): readonly AdminRoute[] {
    return [
      {
        method: 'POST', prefix: newsPath, allow: 'nodes', kind: 'step',
        answer: async (_, { body }) => {
          const news = newsSchema.safeParse(body);
          if (!news.success) throw new Failure('bad-input', 'those are no news of administrators');
          this.#hear(news.data.kind === 'session-ended' ? { ended: [{ session: news.data.session, agoMs: 0 }], used: [] } : { ended: [], used: [news.data] });
          return Promise.resolve({ status: 200, body: {} });
        },
      },
      {
        method: 'POST', prefix: knownPath, allow: 'nodes', kind: 'step', maxBodyBytes: 1024 * 1024,
        answer: async (_, { body }) => {
          const known = knownSchema.safeParse(body);
          if (!known.success) throw new Failure('bad-input', 'those are no news of administrators');
          this.#hear(known.data);
          return Promise.resolve({ status: 200, body: this.#known() });
        },
      },
    ];
  }

  /** The appointed worker's part. */
  start(): Service {
    this.#compares = new Map();
    for (const node of this.#options.others.keys()) this.#compareWith(node, 0);
    const stop = async (): Promise<void> => {
      for (const timer of this.#compares?.values() ?? []) clearTimeout(timer);
      this.#compares = undefined;
      return Promise.resolve();
    };
    return { name: 'adminNews', stop, retire: stop };
  }

  #compareWith(node: string, pauseMs: number): void {
    const compares = this.#compares;
    const target = this.#options.others.get(node);
    if (compares === undefined || compares.has(node) || target === undefined) return;
    const timer = setTimeout(() => {
      compares.delete(node);
      this.#compare(target).catch((error: unknown) => {
        if (!isFailure(error)) this.#options.log.error({ err: error, node }, 'sign-ins of administrators could not be compared');
        if (this.#compares === compares) this.#compareWith(node, Math.min(Math.max(pauseMs * 2, pausesMs.first), pausesMs.longest));
      });
    }, pauseMs);
    compares.set(node, timer.unref());
  }

  async #compare(target: AdminTarget): Promise<void> {
    const answer = knownSchema.safeParse(await callNode(target, { path: knownPath, body: this.#known(), silenceMs }));
    if (!answer.success) throw new Failure('backend-unavailable', 'a node tells its news of administrators in another form');
    this.#hear(answer.data);
  }

  #known(): Known {
    const { sessions, signIn } = this.#options;
    return { ended: sessions.ended(Date.now()).slice(-mostOfEach), used: signIn.usedSteps().slice(-mostOfEach) };
  }

  #hear({ ended, used }: Known): void {
    const { sessions, signIn } = this.#options;
    for (const one of ended) sessions.end(one.session, Date.now() - one.agoMs);
    for (const one of used) signIn.codeUsed(one.name, one.step);
  }
}
