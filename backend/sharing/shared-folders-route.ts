/** What accounts of this node share with a user of another one: asked by the other back-ends. */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { SharedFolder } from './sharing.ts';

export const sharedFoldersPrefix = '/shared-with/';

const visitorSchema = z.string().min(3).max(320).toLowerCase();

export function sharedFoldersRoute(sharing: { readonly sharedHere: (visitor: string) => Promise<readonly SharedFolder[]> }): AdminRoute {
  return {
    prefix: sharedFoldersPrefix, allow: 'backends',
    answer: async (given) => {
      const visitor = visitorSchema.safeParse(given);
      if (!visitor.success) throw new Failure('bad-input', 'that is no address');
      const folders = await sharing.sharedHere(visitor.data);
      return { status: 200, body: { folders: folders.map(({ owner, name, rights }) => ({ owner, name, rights })) } };
    },
  };
}
