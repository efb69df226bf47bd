/** What a front-end answers on its admin API, for all of its workers. */
import { z } from 'zod';
import { Failure, isFailure } from '../shared/base/failure.ts';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import type { Logger } from '../shared/log/log.ts';
import type { Siblings } from '../shared/service/siblings.ts';
import { addressNewsRoute } from '../cluster-config/admin/address-news.ts';
import { proxyNames } from '../cluster-config/proxy-maps.ts';
import type { DirectoryAccess } from '../cluster-config/directory-access.ts';
import type { SaslAuthentication } from './authentication/authentication.ts';
import type { SessionSet } from './login/session-set.ts';
import type { MapAnswer, Mapping } from './mapping/mapping.ts';
import type { Mappings } from './mappings.ts';

export interface FrontendAdmin {
  readonly mappings: Mappings;
  readonly authentication: Pick<SaslAuthentication, 'counters'>;
  readonly directory: Pick<DirectoryAccess, 'operations'>;
  /** Of this worker, one set for each service. */
  readonly sessions: readonly SessionSet[];
  readonly siblings: Siblings;
  readonly log: Logger;
}

/** Of addresses that were changed together. */
const mostLogged = 20;

const filter = z.strictObject({ account: z.string().optional(), address: z.string().optional(), node: z.string().optional() });
const forgotten = z.strictObject({ address: z.string().min(1).max(320) });

const service = z.enum(proxyNames).optional();

/** The mapping's word on an address, and what all mappings count; sessions listed and kicked; a route dropped from the caches of all workers. */
export function adminRoutes(parts: FrontendAdmin): readonly AdminRoute[] {
  const { mappings, siblings, log } = parts;
  answerSiblings(parts);
  return [
    {
      prefix: '/map/', allow: 'nodes',
      answer: async (address, { query }) => ({ status: 200, body: await describe(mappings.of(read(service, query.get('service') ?? undefined)), address) }),
    },
    { prefix: '/map-stats', allow: 'nodes', answer: async () => ({ status: 200, body: { workers: (await siblings.ask('map-stats', {})).answers } }) },
    addressNewsRoute(async ({ addresses, sessions }) => {
      await Promise.all(addresses.map(async (address) => {
        await siblings.ask('forget', { address }); // a worker that is busy does it when it has time
        if (sessions === 'end') await siblings.ask('kick', { account: address });
      }));
      log.info({ number: addresses.length, addresses: addresses.slice(0, mostLogged), sessions }, 'addresses were changed by an administrator');
    }),
  ];
}

/** Each worker does its own part, whoever of them was asked. */
function answerSiblings({ mappings, authentication, directory, sessions, siblings }: FrontendAdmin): void {
  siblings.answer('list', (question) => sessions.flatMap((set) => set.list(read(filter, question))));
  siblings.answer('kick', (question) => sessions.flatMap((set) => set.kick(read(filter, question))));
  siblings.answer('forget', (question) => {
    mappings.forget(read(forgotten, question).address);
    return [];
  });
  siblings.answer('map-stats', () => ({ process: process.pid, mapping: mappings.counters, logins: { ...authentication.counters }, connectors: directory.operations() }));
}

function read<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Failure('bad-input', `not understood: ${parsed.error.issues[0]?.message ?? ''}`);
}

/** What a front-end makes of an address now. */
export async function describe(mapping: Mapping, address: string): Promise<object> {
  let answer: MapAnswer;
  try {
    answer = await mapping.lookUp(address);
  } catch (error) {
    if (!isFailure(error, 'directory-unavailable')) throw error;
    return { kind: 'unavailable', reason: error.message };
  }
  if (answer.kind === 'mailOnly') return { kind: 'mailOnly', account: answer.entry.address, map: answer.entry.map, dn: answer.entry.dn, forwardsTo: answer.entry.routingAddress };
  if (answer.kind !== 'found') return answer;
  const { address: account, route, from, map, entry } = answer;
  return { kind: 'found', account, route, from, map, dn: entry?.dn, mailHost: entry?.mailHost };
}
