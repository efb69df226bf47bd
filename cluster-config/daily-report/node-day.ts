/** What one node tells of a day, for the daily report: what it counted, and how it is now. */
import { z } from 'zod';
import type { Span } from '../../shared/reporting/local-day.ts';
import { askSupervisor } from '../../shared/service/siblings.ts';
import { auditEntries } from '../admin/audit-handlers.ts';
import type { auditEntrySchema } from '../admin/contract/audit.ts';
import { servicesOfNode } from '../admin/service-handlers.ts';
import { statusOfNode } from '../admin/worker-status.ts';
import { certificateEnds } from '../certificate-ends.ts';
import { withSampleFile } from '../node-reporting.ts';
import { topics } from '../publishing/node-routes.ts';
import { nodeStateSchema } from '../publishing/node-state-schema.ts';
import type { NodeContext } from '../run-node.ts';
import { namesOfScope, topOf } from './top-names.ts';
import type { TopName } from './top-names.ts';

const topSchema = z.object({ name: z.string(), logins: z.number(), messages_received: z.number(), messages_sent: z.number() });

const storageSchema = z.object({ directory: z.string(), state: z.enum(['ok', 'low', 'failed']), reason: z.string().optional(), totalBytes: z.number().optional(), freeBytes: z.number().optional(), mailBytes: z.number().optional() });

export const nodeDaySchema = z.object({
  node: z.string(), role: z.enum(['frontend', 'backend']),
  state: z.enum(['ready', 'stopping', 'not-ready']), reason: z.string().optional(),
  /** Those that don't run. */
  ailing: z.array(z.object({ service: z.string(), state: z.string(), reason: z.string().optional() })),
  configuration: z.object({ number: z.number().optional(), version: z.string(), since: z.string(), refused: z.string().optional() }),
  /** Growth of counters, by their names in samples; undefined where nothing is kept. */
  counts: z.record(z.string(), z.number()).optional(),
  queue: z.object({ messages: z.number(), oldestSeconds: z.number() }).optional(),
  storages: z.array(storageSchema),
  /** Of all its storages; undefined where that is not known. */
  grownBytes: z.number().optional(),
  /** Those that end soon, or have ended. */
  certificates: z.array(z.object({ parameter: z.string(), file: z.string(), endsAtMs: z.number() })),
  domains: z.array(topSchema).optional(), accounts: z.array(topSchema).optional(),
  audit: z.object({
    /** file: whole; end: so long that only its end was looked at; none: this node keeps its audit in the ordinary log. */
    kept: z.enum(['file', 'end', 'none']),
    acts: z.array(z.object({ what: z.string(), who: z.string(), refused: z.boolean(), times: z.number() })),
    published: z.array(z.object({ version: z.number(), who: z.string(), at: z.string(), message: z.string() })),
  }),
});

export type NodeDay = z.output<typeof nodeDaySchema>;
export type StorageNow = z.output<typeof storageSchema>;

export interface NodeDayGround {
  readonly context: Pick<NodeContext, 'config' | 'siblings' | 'measure'>;
  /** Of a front-end none. */
  readonly storages: () => Promise<readonly StorageNow[]>;
}

/** @throws Failure('timed-out') of a supervisor that does not answer */
export async function dayOfNode({ context, storages }: NodeDayGround, span: Span): Promise<NodeDay> {
  const { config, siblings } = context;
  const [status, services, state, audit] = await Promise.all([statusOfNode(siblings, config), servicesOfNode(siblings), askSupervisor(siblings, topics.state, {}), auditOf(config.administration.auditFile, span)]);
  const { running, refused } = nodeStateSchema.parse(state);
  return {
    node: config.nodeName, role: config.role,
    state: status.state === 'unreachable' ? 'not-ready' : status.state, reason: status.reason,
    ailing: services.filter((one) => one.state !== 'running').map(({ name, state: now, reason }) => ({ service: name, state: now, reason })),
    configuration: { ...running, refused: refused?.why.split('\n', 1)[0] },
    storages: [...await storages()],
    certificates: certificateEnds(config).filter(({ words }) => words.length > 0).map(({ parameter, file, endsAtMs }) => ({ parameter, file, endsAtMs })),
    audit,
    ...(config.role === 'backend' ? await countedHere(context, span) : {}),
  };
}

async function countedHere({ config, measure }: NodeDayGround['context'], { fromMs, toMs }: Span): Promise<Pick<NodeDay, 'counts' | 'queue' | 'grownBytes' | 'domains' | 'accounts'>> {
  const now = await measure();
  const level = (name: string): number => Math.max(0, ...(now.find((family) => family.name === name)?.series.map(({ values }) => values[0] ?? 0) ?? []));
  const queue = { messages: level('waybill_processing_queue_size'), oldestSeconds: level('waybill_processing_queue_oldest_seconds') };
  const { reporting } = config;
  if (!reporting.enable) return { queue };
  return withSampleFile(config, async (file) => {
    const size = (atMs: number): number | undefined => file.lastLevel({ scope: 'server', name: '', counter: 'storage_size_bytes', atMs });
    const [before, after] = [size(fromMs), size(toMs)];
    const tops = async (scope: 'domain' | 'account'): Promise<TopName[]> => topOf(await namesOfScope(file, { scope, afterMs: fromMs, untilMs: toMs }));
    return {
      queue,
      counts: Object.fromEntries(file.sums({ scope: 'server', name: '', afterMs: fromMs, untilMs: toMs })),
      grownBytes: before === undefined || after === undefined ? undefined : after - before,
      domains: reporting.domains ? await tops('domain') : undefined,
      accounts: reporting.accounts ? await tops('account') : undefined,
    };
  });
}

/** An act that was passed on stands in the audit of the node that did it. */
async function auditOf(file: string | undefined, { fromMs, toMs }: Span): Promise<NodeDay['audit']> {
  if (file === undefined) return { kept: 'none', acts: [], published: [] };
  const { entries, complete } = await auditEntries(file);
  const isOfDay = ({ time }: { readonly time: string }): boolean => Date.parse(time) >= fromMs && Date.parse(time) < toMs;
  const ofDay = entries.filter(isOfDay);
  const reached = complete || Date.parse(entries.at(-1)?.time ?? '') < fromMs;
  return { kept: reached ? 'file' : 'end', acts: counted(ofDay), published: ofDay.flatMap(publishedBy).reverse() };
}

type Entry = z.output<typeof auditEntrySchema>;

function counted(entries: readonly Entry[]): NodeDay['audit']['acts'] {
  const acts = new Map<string, NodeDay['audit']['acts'][number]>();
  for (const { what, who, result } of entries) {
    const refused = result !== 'done';
    const key = JSON.stringify([what, who, refused]);
    acts.set(key, { what, who, refused, times: (acts.get(key)?.times ?? 0) + 1 });
  }
  return [...acts.values()].toSorted((one, other) => other.times - one.times);
}

function publishedBy({ what, result, facts, who, time }: Entry): NodeDay['audit']['published'] {
  const version = Number(facts['version']);
  return what === 'publishConfiguration' && result === 'done' && Number.isInteger(version) ? [{ version, who, at: time, message: String(facts['message'] ?? '') }] : [];
}
