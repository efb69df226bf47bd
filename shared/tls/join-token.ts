/** The text of a one-time token for a node's first certificate: who it is for, by which authority the server is known, and the secret. Pure. */
import { z } from 'zod';
import { Failure } from '../base/failure.ts';

const tokenSchema = z.strictObject({
  cluster: z.string().min(1).max(63),
  node: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  role: z.enum(['frontend', 'backend']),
  /** SHA-256 of the authority's certificate, hexadecimal: what answers with another one is not our cluster. */
  authority: z.string().regex(/^[0-9a-f]{64}$/),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  secret: z.string().regex(/^[\w-]{43}$/),
});

export type JoinToken = z.output<typeof tokenSchema>;

const prefix = 'waybill-join.';

export function writeJoinToken(token: JoinToken): string {
  return prefix + Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** @throws Failure('bad-input') */
export function readJoinToken(text: string): JoinToken {
  try {
    if (!text.startsWith(prefix) || text.length > 2048) throw new Error(`it does not begin with ${prefix}`);
    return tokenSchema.parse(JSON.parse(Buffer.from(text.slice(prefix.length), 'base64url').toString('utf8')));
  } catch (cause) {
    throw new Failure('bad-input', 'that is no token of `waybill node token`, or not the whole of it', { cause });
  }
}
