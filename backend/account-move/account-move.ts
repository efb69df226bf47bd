/**
 * Moves of accounts between the back-ends of the cluster (the face of this room): `waybill account move` asks the node where
 * the account is to live. The order of the steps and what a crash leaves is told in move.ts and docs/account-move.md.
 */
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Overview } from '../../cluster-config/map-findings.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { Service } from '../../shared/service/service.ts';
import { MoveJob } from './move-job.ts';
import { recordOf } from './local-source.ts';
import type { AccountMovesOptions, Start } from './move-job.ts';
import { Progress } from './progress.ts';
import type { MoveEvent } from './progress.ts';
import type { NodeRecord } from './source.ts';
import { reclaimAccount, reclaimRoutes, yieldReclaimed } from './reclaim.ts';
import type { Reclaimed } from './reclaim.ts';
import { overviewOf, sourceRoutes } from './source-routes.ts';
import { lookAfterMoves } from './unfinished.ts';

export type { MoveEvent } from './progress.ts';

export interface AccountMoves {
  readonly routes: readonly AdminRoute[];
  /** Begins a move to this node, or gives it up; goes on by itself. Answers under which address. */
  begin(address: string, how: Start): Promise<string>;
  /** What was told of the last moves that this worker began, by address; for a while after their end. */
  told(): Readonly<Record<string, readonly MoveEvent[]>>;
  /** Takes an account back from a node that is gone; see `reclaimAccount`. */
  reclaim(address: string, from: string): Promise<Reclaimed>;
  /** Gives up what other nodes have taken back; before anybody is served. */
  yieldReclaimed(): Promise<void>;
  /** What this node's storages say of an address. */
  record(address: string): NodeRecord;
  /** All accounts of this node, and what moves have left unfinished. */
  overview(): Overview;
  /** Finishes moves whose process died after the seal, and removes old mail that was left; for one worker of the node. */
  startTidying(): Service;
}

/** How long a move that is over can be asked about. */
const toldMs = 3_600_000;

const startSchema = z.object({ from: z.string().optional(), purge: z.boolean(), wish: z.enum(['move', 'abort']).default('move') });

export function createAccountMoves(options: AccountMovesOptions): AccountMoves {
  const running = new Map<string, Progress>();
  const told = new LRUCache<string, Progress>({ max: 1000, ttl: toldMs });
  const start = (address: string, how: Start): Progress => {
    const known = running.get(address);
    if (known !== undefined && how.wish === 'move') return known;
    const progress = new Progress();
    if (how.wish === 'move') running.set(address, progress);
    told.set(address, progress);
    void new MoveJob(options, address, progress).run(how).finally(() => {
      if (running.get(address) === progress) running.delete(address);
      progress.end();
    });
    return progress;
  };
  const accountOf = async (given: string): Promise<string> => (await options.lookUp(given))?.address ?? given.toLowerCase();
  const startRoute: AdminRoute = {
    method: 'POST', prefix: '/moves/start/', allow: 'nodes', kind: { what: 'startMove', argument: 'address', fields: ['from', 'purge', 'wish'] },
    answer: async (argument, { body }) => {
      const how = startSchema.parse(body);
      return { status: 200, stream: start(await accountOf(argument), how).follow() };
    },
  };
  return {
    routes: [...sourceRoutes(options.nodeName, options.storage), ...reclaimRoutes(options.storage), startRoute],
    reclaim: async (address, from) => reclaimAccount(options, address.toLowerCase(), from),
    yieldReclaimed: async () => yieldReclaimed(options),
    begin: async (given, how) => {
      const address = await accountOf(given);
      start(address, how);
      return address;
    },
    told: () => Object.fromEntries([...told.entries()].map(([address, progress]) => [address, progress.events])),
    record: (address) => recordOf(options.storage, address),
    overview: () => overviewOf(options.storage),
    startTidying: () => lookAfterMoves(options, (address) => void start(address, { purge: false, wish: 'move' })),
  };
}
