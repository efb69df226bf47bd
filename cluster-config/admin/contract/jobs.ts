/** Long work at a back-end, as the admin API tells of it: checks, compaction, backups, accounts brought back. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { nodeName, ofNode } from './nodes.ts';

const finding = z.object({
  kind: z.string(), loss: z.boolean().describe('Whether mail is lost by it.'), text: z.string(),
  account: z.string().optional(), mailbox: z.string().optional(), uid: z.number().optional(), pack: z.number().optional(),
  subject: z.string().optional(), messageId: z.string().optional().describe('Its Message-ID field.'),
});
const check = z.object({
  directory: z.string(), accounts: z.number(), mailboxes: z.number(), messages: z.number(), bytes: z.number(), packs: z.number(),
  found: z.number().describe('How many things are wrong.'), lost: z.number().optional().describe('How many of them are mail that is lost; not told by versions before this one.'),
  findings: z.array(finding).describe('5000 of them at most, lost mail first.'),
});
const restored = z.object({
  address: z.string(), account: z.enum(['made', 'there', 'failed']), failure: z.string().optional(),
  mailboxes: z.array(z.object({
    name: z.string(), how: z.enum(['as-it-was', 'anew', 'filled']).describe('as-it-was: with its UIDs. anew: it was gone, and has a new UIDVALIDITY. filled: it was there, and got what it lacked under new UIDs.'),
    messages: z.number().describe('That were brought back.'), damaged: z.array(z.number()).describe('UIDs of messages that the backup has not whole.'),
  })),
});
export const backupSchema = z.object({
  name: z.string(), node: z.string(), madeAt: z.string(), bytes: z.number(),
  parts: z.array(z.object({ folder: z.string(), kind: z.enum(['queue', 'storage']), directory: z.string(), bytes: z.number(), packs: z.number(), sharedPacks: z.number() })),
});

const repaired = z.object({
  directory: z.string(), found: z.number().describe('How many things were wrong.'),
  mended: z.array(z.object({ text: z.string(), account: z.string().optional(), mailbox: z.string().optional(), uid: z.number().optional(), subject: z.string().optional(), messageId: z.string().optional() })),
  left: z.array(finding).describe('What is wrong still: lost, doubtful, or of nobody who is known here.'),
});
const compacted = z.object({
  directory: z.string(), packs: z.number().describe('Files of messages that were rewritten.'), messages: z.number().describe('That were copied.'), bytes: z.number().describe('Of these messages.'),
  freed: z.number().describe('What the old files take until they are removed.'), damaged: z.number().describe('Messages that stay where they are, since they are not as they were written: the check names them.'),
});

export const jobSchema = z.object({
  id: z.string(), kind: z.enum(['check', 'backup', 'restore', 'compact', 'repair', 'search-index']), subject: z.string(), state: z.enum(['running', 'done', 'failed']),
  startedAt: z.string(), endedAt: z.string().optional(), text: z.string().describe('What it does, or why it failed.'), done: z.number().optional(), of: z.number().optional().describe('Bytes, or messages.'),
  failure: z.object({ kind: z.string(), text: z.string() }).optional(),
  checks: z.array(check).optional(), compacted: z.array(compacted).optional(), repaired: z.array(repaired).optional(), backup: backupSchema.optional(), restored: z.array(restored).optional(),
  searchIndex: z.object({ added: z.number(), missing: z.number().describe('Messages of indexed mailboxes that could not be indexed.') }).optional(),
});

const common = { group: 'storages', needs: 'manageStorage', place: 'node', kind: 'read' } as const;

export const jobOperations = {
  listJobs: operation({ ...common, name: 'listJobs', method: 'GET', path: '/nodes/{node}/jobs', summary: 'Checks, backups and other long work of a back-end since its workers run, the newest first.', params: ofNode, answer: z.object({ jobs: z.array(jobSchema) }) }),
  showJob: operation({ ...common, name: 'showJob', method: 'GET', path: '/nodes/{node}/jobs/{job}', summary: 'How one of them goes on.', params: z.strictObject({ node: nodeName, job: z.string().regex(/^[0-9a-f]{12}$/, 'is not the id of a job') }), answer: jobSchema }),
};
