/** The text index of a back-end over the admin API: how it is, made anew, removed. */
import { searchIndexOperations } from '../../cluster-config/admin/contract/search-index.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { IndexCare } from '../text-index/text-index.ts';
import type { Jobs } from './jobs.ts';

export function searchIndexHandlers({ searchIndex, jobs }: { readonly searchIndex: IndexCare; readonly jobs: Jobs }): readonly Handled[] {
  return [
    handled(searchIndexOperations.showSearchIndex, async () => ({ which: searchIndex.which, storages: await searchIndex.status() })),
    handled(searchIndexOperations.rebuildSearchIndex, async ({ body, reply }) => {
      reply.note({ ...body });
      return jobs.begin({
        kind: 'search-index', subject: body.account ?? 'storages',
        work: async ({ report, signal }) => {
          const end = await searchIndex.rebuild(body.account, { signal, report: ({ added, of }) => report('indexes messages', { done: added, of }) });
          return { searchIndex: { added: end.added, missing: end.missing } };
        },
      });
    }),
    handled(searchIndexOperations.dropSearchIndex, async ({ reply }) => {
      const dropped = searchIndex.drop();
      reply.note({ ...dropped });
      return Promise.resolve(dropped);
    }),
  ];
}
