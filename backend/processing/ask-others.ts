/** How back-ends ask each other for later acceptances of a message (retries-elsewhere.ts): over the admin API, with their certificates. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { AskOthers, LaterOnes, LooseAcceptance } from './retries-elsewhere.ts';

const path = '/deliveries/later';
/** So long a message waits for a node that does not answer. */
const patienceMs = 2000;
const nameSchema = z.object({ id: z.string().max(200), acceptedAtMs: z.number() });
const questionSchema = z.object({ loose: z.array(z.object({ key: z.string().max(200), name: nameSchema })).max(10_000) });

export function askingOthers(nodes: Readonly<Record<string, AdminTarget>>): AskOthers {
  return async (loose) => new Map(await Promise.all(Object.entries(nodes).map(async ([node, target]) => [node, await askOne(target, loose)] as const)));
}

async function askOne(target: AdminTarget, loose: readonly LooseAcceptance[]): Promise<LaterOnes | 'silent'> {
  const answerSchema = z.object({ later: z.array(nameSchema.nullable()).length(loose.length) });
  try {
    return answerSchema.parse(await callNode(target, { path, body: { loose }, silenceMs: patienceMs })).later;
  } catch {
    return 'silent';
  }
}

/** The other side. */
export function laterRoute(node: { laterOnes(loose: readonly LooseAcceptance[]): LaterOnes }): AdminRoute {
  return {
    method: 'POST', kind: 'question', prefix: path, allow: 'backends',
    answer: async (_, { body }) => Promise.resolve({ status: 200, body: { later: node.laterOnes(questionSchema.parse(body).loose) } }),
  };
}
