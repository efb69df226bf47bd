/** What every node answers on its admin API about its configuration; the supervisor knows, the worker that was asked passes it on. */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import { askSupervisor } from '../../shared/service/siblings.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import { longestRestartWaitSeconds } from './limits.ts';

/** Topics at the supervisor. */
export const topics = { state: 'configuration-state', look: 'configuration-look', restart: 'node-restart' } as const;

const textToCheck = z.strictObject({ text: z.string() });
const restartWish = z.strictObject({ waitSeconds: z.number().int().min(0).max(longestRestartWaitSeconds) });

export interface NodeRouteParts {
  readonly siblings: Siblings;
  /** Why this node, by its own program, could not run a text; undefined when it could. */
  readonly check: (text: string) => string | undefined;
}

export function nodeRoutes({ siblings, check }: NodeRouteParts): readonly AdminRoute[] {
  const ask = async (topic: string, question: unknown): Promise<{ readonly status: number; readonly body: unknown }> => ({ status: 200, body: await askSupervisor(siblings, topic, question) });
  return [
    { prefix: '/configuration/state', allow: 'nodes', answer: async () => ask(topics.state, {}) },
    { method: 'POST', prefix: '/configuration/look', allow: 'nodes', kind: 'step', answer: async () => ask(topics.look, {}) },
    {
      method: 'POST', prefix: '/configuration/check', allow: 'nodes', kind: 'question',
      answer: async (_, { body }) => {
        const why = check(read(textToCheck, body).text);
        return Promise.resolve({ status: 200, body: why === undefined ? { good: true } : { good: false, why } });
      },
    },
    { method: 'POST', prefix: '/node/restart', allow: 'nodes', kind: { what: 'restartNode', fields: ['waitSeconds'] }, answer: async (_, { body }) => ask(topics.restart, read(restartWish, body)) },
  ];
}

/** For the supervisor, which gets it from a worker. */
export function restartWaitMs(question: unknown): number {
  return read(restartWish, question).waitSeconds * 1000;
}

function read<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Failure('bad-input', `not understood: ${parsed.error.issues[0]?.message ?? ''}`);
}
