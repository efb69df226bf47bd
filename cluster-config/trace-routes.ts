/** What nodes tell each other of a protocol trace: a back-end orders it at the front-ends, and they send it the lines. */
import { z } from 'zod';

export const traceOrderPath = '/protocol-trace/order';
export const traceLinesPath = '/protocol-trace/lines';

export const traceOrderSchema = z.strictObject({
  account: z.string().min(1).max(320),
  terms: z.strictObject({ untilMs: z.number(), keeper: z.string().min(1).max(63), stream: z.enum(['yes', 'no']) }),
});
export type TraceOrder = z.output<typeof traceOrderSchema>;

export const traceLinesSchema = z.strictObject({ lines: z.array(z.string().max(16_384)).max(50_000) });
