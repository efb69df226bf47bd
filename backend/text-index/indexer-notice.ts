/** What the indexer's parent orders and tells, and what it hears. */
import { z } from 'zod';
import { hasteSchema } from './indexer-pace.ts';

export const orderSchema = z.object({
  clusterName: z.string(), nodeName: z.string(), directories: z.array(z.string()),
  indexed: z.enum(['off', 'searched', 'all']), accounts: z.array(z.string()).optional(), extent: z.enum(['as-configured', 'make']),
  begin: z.enum(['anew', 'with-what-is-there']), haste: hasteSchema,
});

export type IndexerOrder = z.input<typeof orderSchema>;

/** What is the same in all orders of a node. */
export type StandingOrder = Omit<IndexerOrder, 'accounts' | 'extent' | 'begin' | 'haste'>;

/** What the parent tells the process at any time. */
export const loadSchema = z.object({ is: z.literal('load'), load: z.enum(['calm', 'busy']) });

/** What the process tells its parent. `busy`: another indexer is at work on one of the storages. `trouble`: one mailbox, or all of a storage whose disk is full, could not be indexed. */
export const noticeSchema = z.discriminatedUnion('is', [
  z.object({ is: z.literal('progress'), added: z.number(), of: z.number(), missing: z.number() }),
  z.object({ is: z.literal('done'), added: z.number(), of: z.number(), missing: z.number() }),
  z.object({ is: z.literal('busy') }),
  z.object({ is: z.literal('trouble'), folder: z.string(), reason: z.string() }),
  z.object({ is: z.literal('failed'), reason: z.string() }),
]);

export type IndexerNotice = z.output<typeof noticeSchema>;
