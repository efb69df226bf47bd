/** The Reporting service of a node: samples taken by the appointed worker, and the route that tells them. */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import { Failure } from '../shared/base/failure.ts';
import type { Snapshot } from '../shared/metrics/snapshot.ts';
import { collect, countedOfAccounts, takeCounts } from '../shared/reporting/account-counts.ts';
import { openSampleFile, sampleWindow } from '../shared/reporting/sample-store.ts';
import type { SampleFile, SampleQuestion, SampleStore } from '../shared/reporting/sample-store.ts';
import { samplesOf } from '../shared/reporting/samples.ts';
import type { Sample } from '../shared/reporting/samples.ts';
import type { Service } from '../shared/service/service.ts';
import { askAll } from '../shared/service/siblings.ts';
import type { NodeConfig } from './effective.ts';
import type { NodeContext } from './run-node.ts';

const weekMs = 7 * 86_400_000;
/** Who tells his counts forgets them, so those of one who answers later are lost. */
const countsPatienceMs = 10_000;
const questionSchema = z.object({ scope: z.enum(['server', 'domain', 'account']).default('server'), name: z.string().max(320).default(''), from: z.coerce.number(), to: z.coerce.number() });
const countsSchema = z.array(z.object({ scope: z.enum(['domain', 'account']), name: z.string(), counter: z.enum(countedOfAccounts), value: z.number() })).nullable();

/** Of a front-end's appointed worker. */
let inMemory: SampleStore | undefined;

/** What every worker does: counts by domain and account, and answers for others. */
export function reportRoute({ config, siblings }: NodeContext): AdminRoute {
  const { domains, accounts } = config.reporting;
  collect(new Set([...(domains ? ['domain' as const] : []), ...(accounts ? ['account' as const] : [])]));
  siblings.answer('report counts', () => takeCounts());
  siblings.answer('report window', (asked) => inMemory?.find(asked as SampleQuestion) ?? null);
  return {
    prefix: '/report', allow: 'nodes',
    answer: async (_, { query }) => {
      const parsed = questionSchema.safeParse(Object.fromEntries(query));
      if (!parsed.success) throw new Failure('bad-input', 'a report is asked for with scope, name, from and to (milliseconds since 1970)');
      const { scope, name, from: fromMs, to: toMs } = parsed.data;
      const samples = await findSamples({ config, siblings }, { scope, name, fromMs, toMs });
      return { status: 200, body: { node: config.nodeName, keeps: keepsSamples(config), samples } };
    },
  };
}

/** Of this node, by time; at most `mostSamples`, the newest. @throws Failure('timed-out') when a worker does not answer that may have them */
export async function findSamples({ config, siblings }: Pick<NodeContext, 'config' | 'siblings'>, question: SampleQuestion): Promise<readonly Sample[]> {
  if (keepsSamples(config) === 'file') return withSampleFile(config, (file) => file.find(question));
  return (await askAll(siblings, 'report window', question)).flatMap((found) => (found ?? []) as readonly Sample[]);
}

/** Back-ends keep samples in a file, front-ends in memory. */
export function keepsSamples({ role }: Pick<NodeConfig, 'role'>): 'file' | 'window' {
  return role === 'backend' ? 'file' : 'window';
}

/** Takes samples until it is stopped; for the appointed worker. */
export function startReporting({ config, log, measure, siblings }: Pick<NodeContext, 'config' | 'log' | 'measure' | 'siblings'>): readonly Service[] {
  const { reporting, role } = config;
  if (!reporting.enable) return [];
  const store = role === 'backend' ? openSampleFile(fileOf(config)) : sampleWindow();
  if (role === 'frontend') inMemory = store;
  let before: Snapshot | undefined;
  const sample = async (): Promise<void> => {
    const atMs = Date.now();
    const [now, told] = await Promise.all([measure(), siblings.ask('report counts', {}, countsPatienceMs)]);
    const counts = told.answers.flatMap((one) => countsSchema.parse(one) ?? []);
    store.add([...(before === undefined ? [] : samplesOf(before, now, atMs)), ...summed(counts.map((count): Sample => ({ atMs, ...count })))]);
    before = now;
    store.forget(atMs - reporting.keepWeeks * weekMs);
  };
  let turn = Promise.resolve();
  const attempt = (): void => {
    turn = turn.then(sample).catch((error: unknown) => log.warn({ err: error }, 'no sample for reports could be taken'));
  };
  attempt(); // the first one is where the next one counts from
  const timer = setInterval(attempt, reporting.intervalSeconds * 1000);
  const finish = async (): Promise<void> => {
    clearInterval(timer);
    attempt();
    await turn;
    inMemory = undefined;
    store.close();
  };
  let ended: Promise<void> | undefined;
  // Who retires is stopped afterwards, too.
  const end = async (): Promise<void> => ended ??= finish();
  return [{ name: 'reporting', stop: end, retire: end }];
}

function summed(samples: readonly Sample[]): readonly Sample[] {
  const sums = new Map<string, Sample>();
  for (const sample of samples) {
    const key = `${sample.scope} ${sample.name} ${sample.counter}`;
    sums.set(key, { ...sample, value: sample.value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

function fileOf({ reporting, storage }: NodeConfig): string {
  return reporting.file ?? join(dirname(storage.directories[0] ?? '.'), 'reports.sqlite');
}

/** The file of a back-end, open while the work lasts. */
export async function withSampleFile<T>(config: NodeConfig, work: (file: SampleFile) => T | Promise<T>): Promise<T> {
  const file = openSampleFile(fileOf(config));
  try {
    return await work(file);
  } finally {
    file.close();
  }
}
