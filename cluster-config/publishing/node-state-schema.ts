/** What a node says of its configuration: which version it runs since when, what it refused and why, what waits for a restart. Pages use it, too. */
import { z } from 'zod';

export const nodeStateSchema = z.object({
  node: z.string(),
  role: z.string(),
  /** The number of the schema that this program reads. */
  schema: z.number(),
  source: z.enum(['file', 'directory']),
  /** Whether versions can be published from here; older programs don't say. */
  publishes: z.boolean().optional(),
  running: z.object({ number: z.number().optional(), version: z.string(), since: z.string() }),
  /** Found good here, and being put to use: its workers start. */
  taking: z.object({ number: z.number().optional(), version: z.string(), since: z.string() }).optional(),
  /** Since when the running version was being put to use. */
  begun: z.string().optional(),
  refused: z.object({ number: z.number().optional(), why: z.string(), at: z.string() }).optional(),
  /** Paths of parameters that still have the value of the last start. */
  restartFor: z.array(z.string()),
  /** Why the directory can't be read. */
  directory: z.string().optional(),
  startedAt: z.string(),
  phase: z.enum(['running', 'restarting']),
});

export type NodeState = z.output<typeof nodeStateSchema>;
