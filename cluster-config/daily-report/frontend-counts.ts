/**
 * What front-ends have counted, kept at the back-end that makes the daily report: front-ends keep nothing themselves. They are asked
 * every five minutes for all they counted since they began, so that an answer that is missing costs no count, and what they
 * counted while this node was away comes with the next one. Days begin on whole quarters of an hour everywhere, so every one of
 * them begins with an answer.
 */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { Snapshot } from '../../shared/metrics/snapshot.ts';
import { samplesOf } from '../../shared/reporting/samples.ts';
import type { Sample } from '../../shared/reporting/samples.ts';
import { withSampleFile } from '../node-reporting.ts';
import { nodeTargets } from './node-targets.ts';
import type { ReportGround } from './node-targets.ts';

export const askEveryMs = 300_000;
const silenceMs = 5000;
export const countersPath = '/daily-report/counters';

const familySchema = z.object({
  name: z.string(), kind: z.enum(['counter', 'gauge', 'histogram']), help: z.string(), unit: z.enum(['seconds', 'bytes']).optional(), combine: z.enum(['sum', 'max', 'min']),
  labels: z.array(z.string()), bounds: z.array(z.number()).optional(), series: z.array(z.object({ labels: z.array(z.string()), values: z.array(z.number()) })),
});
export const countersSchema = z.object({
  /** When the node began to count. */
  since: z.string(),
  families: z.array(familySchema),
});
type Counters = z.output<typeof countersSchema>;

/** What is wanted of a snapshot: counters of connections, logins and mail. */
export function countersOf(snapshot: Snapshot): Counters['families'] {
  return snapshot.filter(({ name, kind }) => kind === 'counter' && /^waybill_(smtp|imap|pop3|webmail)_inbound_|^waybill_(login_failed|connections_refused)$/.test(name))
    .map(({ labels, bounds, series, ...family }) => ({ ...family, labels: [...labels], bounds: bounds === undefined ? undefined : [...bounds], series: series.map((one) => ({ labels: [...one.labels], values: [...one.values] })) }));
}

/** What was counted between two answers. Nothing is known of the time before the first; a node that began anew counts from 0. */
export function growthOf(before: Counters | undefined, now: Counters, atMs: number): readonly Sample[] {
  if (before === undefined) return [];
  return samplesOf(before.since === now.since ? before.families : [], now.families, atMs);
}

/** Asks them all once. Those that are silent are asked again next time. @param atMs the end of the time that the answers are for */
export async function askFrontendCounts(ground: ReportGround, atMs: number): Promise<void> {
  const { config } = ground.context;
  const frontends = nodeTargets(ground).filter(({ role }) => role === 'frontend');
  const told = await Promise.all(frontends.map(async ({ node, target }): Promise<readonly { readonly node: string; readonly counters: Counters }[]> => {
    try {
      return target === undefined ? [] : [{ node, counters: countersSchema.parse(await callNode(target, { path: countersPath, silenceMs })) }];
    } catch (error) {
      if (!isFailure(error)) throw error;
      return [];
    }
  }));
  await withSampleFile(config, (file) => {
    for (const { node, counters } of told.flat()) {
      const text = file.heard(node);
      const before = text === undefined ? undefined : countersSchema.parse(JSON.parse(text));
      file.hear(node, JSON.stringify(counters), growthOf(before, counters, atMs).map((sample) => ({ ...sample, scope: 'node', name: node })));
    }
  });
}
