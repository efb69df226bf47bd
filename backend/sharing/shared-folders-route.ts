/** What accounts of this node share with a user of another one: asked by the other back-ends, page by page. */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import { normalRights } from '../../shared/imap/rights.ts';
import type { FolderPage, PageMark, SharedFolder } from './sharing.ts';

export const sharedFoldersPrefix = '/shared-with/';

const visitorSchema = z.string().min(3).max(320).toLowerCase();
const markSchema = z.tuple([z.string(), z.string()]);

/** What is answered. A node of an earlier version says nothing of a further page, and there is none. */
export const folderPageSchema = z.object({
  folders: z.array(z.object({ owner: z.string(), name: z.string(), rights: z.string().transform(normalRights) })),
  next: z.object({ owner: z.string(), name: z.string() }).optional(),
});

/** What stands behind the prefix. @param after the folder behind which the page begins; the first one when absent */
export function pagePath(visitor: string, after?: PageMark): string {
  return encodeURIComponent(after === undefined ? visitor : `${visitor}\n${JSON.stringify([after.owner, after.name])}`);
}

export function sharedFoldersRoute(sharing: { readonly pageOfShared: (visitor: string, after?: PageMark) => Promise<FolderPage<SharedFolder>> }): AdminRoute {
  return {
    prefix: sharedFoldersPrefix, allow: 'backends',
    answer: async (given) => {
      const [address, mark] = given.split('\n', 2);
      const visitor = visitorSchema.safeParse(address);
      if (!visitor.success) throw new Failure('bad-input', 'that is no address');
      const { folders, next } = await sharing.pageOfShared(visitor.data, mark === undefined ? undefined : markOf(mark));
      return { status: 200, body: { folders: folders.map(({ owner, name, rights }) => ({ owner, name, rights })), next } };
    },
  };
}

function markOf(text: string): PageMark {
  try {
    const [owner, name] = markSchema.parse(JSON.parse(text));
    return { owner, name };
  } catch (error) {
    throw new Failure('bad-input', 'that is no folder', { cause: error });
  }
}
