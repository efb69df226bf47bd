/**
 * Where commands tell what they did by themselves at the directory or in the configuration, so that the audit has it: who keeps a node's certificate can do
 * this without any node, and is believed to tell.
 */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';

/** Names in the audit, and what each tells. */
export const doneActs = {
  publishConfiguration: z.strictObject({ version: z.number().int(), message: z.string().max(1000) }),
  setPassword: z.strictObject({ address: z.string().max(320) }),
  importMap: z.strictObject({ hosts: z.number().int(), first: z.array(z.string().max(640)).max(20) }),
  changeDomain: z.strictObject({ domain: z.string().max(255) }),
} as const;

export type DoneAct = { readonly [What in keyof typeof doneActs]: { readonly what: What; readonly facts: z.input<(typeof doneActs)[What]> } }[keyof typeof doneActs];

export function doneRoutes(): readonly AdminRoute[] {
  return Object.entries(doneActs).map(([what, schema]): AdminRoute => ({
    method: 'POST', prefix: donePath(what), allow: 'nodes', kind: { what, fields: Object.keys(schema.shape) },
    answer: async (_, { body }) => {
      if (!schema.safeParse(body).success) throw new Failure('bad-input', `that does not tell of ${what}`);
      return Promise.resolve({ status: 200, body: {} });
    },
  }));
}

export function donePath(what: string): string {
  return `/audit/done/${what}`;
}
