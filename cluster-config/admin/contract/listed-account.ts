/** An account as the admin API tells of it. */
import { z } from 'zod';
import { accountServices, accountStatuses } from '../../../shared/access/account-use.ts';

export const accountSchema = z.object({
  address: z.string(), bytes: z.number(), messages: z.number(),
  bytesLimit: z.number().describe('0: none.'), messagesLimit: z.number().describe('0: none.'),
  ownQuota: z.object({ maxKilobytes: z.number().optional(), maxMessages: z.number().optional() }).describe('What of the limits is set for the account itself.'),
  passwordHere: z.boolean(), aliases: z.array(z.string()).describe('Those that no directory has.'),
  status: z.enum(accountStatuses).describe('As its record says; a directory entry and the domain have a say, too.'),
  services: z.array(z.enum(accountServices)).optional().describe('All when absent.'),
  withdrawn: z.object({ why: z.enum(['deleted', 'vanished']), at: z.string(), removedAt: z.string().describe('When its mail is removed for good.') }).optional().describe('Out of use: deleted, or its directory entry is gone.'),
});
