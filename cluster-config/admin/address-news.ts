/** Front-ends hear of an act on an address: they ask the directory about it anew, and cut its sessions where these are to end. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';

const path = '/address-news';
const silenceMs = 5000;
/** In one message; more go in several. */
const mostAddresses = 500;
const newsSchema = z.strictObject({ addresses: z.array(z.string().min(3).max(320)).min(1).max(mostAddresses), sessions: z.enum(['end', 'stay']) });
export type AddressNews = z.output<typeof newsSchema>;

export interface SilentNode {
  node: string;
  reason: string;
}

/** The act itself is in the audit already, at the node that did it. */
export function addressNewsRoute(hear: (news: AddressNews) => Promise<void>): AdminRoute {
  return {
    method: 'POST', prefix: path, allow: 'nodes', kind: 'step',
    answer: async (_, { body }) => {
      const news = newsSchema.safeParse(body);
      if (!news.success) throw new Failure('bad-input', 'that is no news of addresses');
      await hear(news.data);
      return { status: 200, body: {} };
    },
  };
}

/** Answers who did not hear of all of it. */
export async function tellFrontends(frontends: Readonly<Record<string, AdminTarget | undefined>>, { addresses, sessions }: AddressNews): Promise<SilentNode[]> {
  const silent = await Promise.all(Object.entries(frontends).map(async ([node, target]) => {
    try {
      if (target === undefined) return [{ node, reason: 'has no admin listener' }];
      for (let from = 0; from < addresses.length; from += mostAddresses) await callNode(target, { path, body: { addresses: addresses.slice(from, from + mostAddresses), sessions }, silenceMs });
      return [];
    } catch (error) {
      if (!isFailure(error)) throw error;
      return [{ node, reason: error.kind === 'backend-unavailable' ? 'does not answer' : error.message }];
    }
  }));
  return silent.flat();
}
