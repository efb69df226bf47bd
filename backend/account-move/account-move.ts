/**
 * Moves of accounts between the back-ends of the cluster (the face of this room): `waybill account move` asks the node where
 * the account is to live. The order of the steps and what a crash leaves is told in move.ts and docs/account-move.md.
 */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { Service } from '../../shared/service/service.ts';
import { MoveJob } from './move-job.ts';
import type { AccountMovesOptions, Start } from './move-job.ts';
import { Progress } from './progress.ts';
import { sourceRoutes } from './source-routes.ts';
import { lookAfterMoves } from './unfinished.ts';

export interface AccountMoves {
  readonly routes: readonly AdminRoute[];
  /** Finishes moves whose process died after the seal, and removes old mail that was left; for one worker of the node. */
  startTidying(): Service;
}

const startSchema = z.object({ from: z.string().optional(), purge: z.boolean(), wish: z.enum(['move', 'abort']).default('move') });

export function createAccountMoves(options: AccountMovesOptions): AccountMoves {
  const running = new Map<string, Progress>();
  const start = (address: string, how: Start): Progress => {
    const known = running.get(address);
    if (known !== undefined && how.wish === 'move') return known;
    const progress = new Progress();
    if (how.wish === 'move') running.set(address, progress);
    void new MoveJob(options, address, progress).run(how).finally(() => {
      if (running.get(address) === progress) running.delete(address);
      progress.end();
    });
    return progress;
  };
  const startRoute: AdminRoute = {
    method: 'POST', prefix: '/moves/start/', allow: 'nodes',
    answer: async (argument, { body }) => {
      const how = startSchema.parse(body);
      const entry = await options.lookUp(argument);
      return { status: 200, stream: start(entry?.address ?? argument.toLowerCase(), how).follow() };
    },
  };
  return {
    routes: [...sourceRoutes(options.nodeName, options.storage), startRoute],
    startTidying: () => lookAfterMoves(options, (address) => void start(address, { purge: false, wish: 'move' })),
  };
}
