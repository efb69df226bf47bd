/** How a worker is, told to whichever worker of its node was asked for the whole node. */
import type { z } from 'zod';
import type { Health } from '../../shared/admin/health-routes.ts';
import { readinessOf, runningOf } from '../../shared/admin/health-routes.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import { certificateEnds } from '../certificate-ends.ts';
import type { NodeConfig } from '../effective.ts';
import { workerSchema } from './contract/nodes.ts';
import type { nodeSchema } from './contract/nodes.ts';

const topic = 'worker status';

export type NodeStatus = z.output<typeof nodeSchema>;

/** Lets the others ask this worker. */
export function answerStatus(siblings: Siblings, config: Pick<NodeConfig, 'version'>, health: Health): void {
  siblings.answer(topic, (): z.input<typeof workerSchema> => {
    const readiness = readinessOf(health);
    return {
      pid: process.pid,
      state: readiness.kind,
      ...(readiness.kind === 'not-ready' ? { reason: readiness.reason } : {}),
      services: runningOf(health),
      configVersion: config.version,
      startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
      memoryBytes: process.memoryUsage.rss(),
    };
  });
}

/** The whole node, by what its workers say. */
export async function statusOfNode(siblings: Siblings, { nodeName, role, host, tls }: Pick<NodeConfig, 'nodeName' | 'role' | 'host' | 'tls'>): Promise<NodeStatus> {
  const { answers, silent } = await siblings.ask(topic, {});
  const workers = answers.flatMap((answer) => {
    const parsed = workerSchema.safeParse(answer); // null: a worker of an older program, or one that just starts
    return parsed.success ? [parsed.data] : [];
  });
  const ailing = workers.find(({ state }) => state !== 'ready') ?? (silent > 0 ? { state: 'not-ready' as const, reason: `workers that do not answer: ${String(silent)}` } : undefined);
  const versions = [...new Set(workers.map(({ configVersion }) => configVersion))];
  return {
    name: nodeName, role, host, workers,
    certificates: certificateEnds({ tls }).map(({ parameter, endsAtMs, standing }) => ({ parameter, standing, endsAt: new Date(endsAtMs).toISOString() })),
    state: ailing?.state ?? 'ready',
    ...(ailing?.reason === undefined ? {} : { reason: ailing.reason }),
    ...(versions.length === 1 ? { configVersion: versions[0] } : {}),
  };
}
