/** What accounts of this node share with a user of another one: asked by the other back-ends. */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Sharing } from './sharing.ts';

export const sharedFoldersPrefix = '/shared-with/';

const visitorSchema = z.string().min(3).max(320).toLowerCase();

export function sharedFoldersRoute(sharing: Pick<Sharing, 'sharedHere'>): AdminRoute {
  return {
    prefix: sharedFoldersPrefix, allow: 'backends',
    answer: async (given) => {
      const visitor = visitorSchema.safeParse(given);
      if (!visitor.success) throw new Failure('bad-input', 'that is no address');
      return { status: 200, body: { folders: await sharing.sharedHere(visitor.data) } };
    },
  };
}
