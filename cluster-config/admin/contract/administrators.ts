/** Operations of the admin API on administrators: who they are by the configuration, who is signed in, and the end of that. */
import { z } from 'zod';
import { capabilityNames, grantSchema } from '../../../shared/admin-api/capability.ts';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofNode } from './nodes.ts';

const grants = { allow: z.array(grantSchema), deny: z.array(grantSchema) };

export const administratorSchema = z.object({
  name: z.string(), groups: z.array(z.string()), ...grants,
  domains: z.array(z.string()).describe('The only domains that this administrator may touch; all when empty.'),
  capabilities: z.array(z.enum(capabilityNames)).describe('What is left of all that is given and taken away.'),
  password: z.boolean().describe('Whether there is one; else only a certificate lets in.'),
  totp: z.boolean().describe('Whether a code of an authenticator is needed beside it.'),
  path: z.string().describe('Where the configuration has this administrator: see locateParameter.'),
});

export const signInSchema = z.object({
  session: z.string(), name: z.string(), kind: z.enum(['cookie', 'token']),
  from: z.string().describe('The address of the last request.'), since: z.string(), last: z.string().describe('When the last request came, to half a minute.'),
});
const silent = z.array(z.object({ node: z.string(), reason: z.string() }));
const common = { group: 'administrators', needs: 'manageConfig' } as const;

export const administratorOperations = {
  listAdministrators: operation({
    ...common, name: 'listAdministrators', method: 'GET', path: '/administrators', place: 'here', kind: 'read', summary: 'The administrators and their groups, as the configuration of the node that answers has them.',
    answer: z.object({
      node: z.string(), administrators: z.array(administratorSchema), groups: z.array(z.object({ name: z.string(), ...grants })),
      certificates: z.array(z.enum(['cluster', 'further'])).describe('Authorities whose client certificates name administrators.'),
    }),
  }),
  listNodeSignIns: operation({
    ...common, name: 'listNodeSignIns', method: 'GET', path: '/nodes/{node}/administrators/sign-ins', place: 'node', kind: 'read', summary: 'Sign-ins of administrators that one node has seen and that still hold.',
    params: ofNode, answer: z.object({ signIns: z.array(signInSchema) }),
  }),
  listSignIns: operation({
    ...common, name: 'listSignIns', method: 'GET', path: '/administrators/sign-ins', place: 'here', kind: 'read',
    summary: 'Who is signed in with a cookie or a token, as the nodes have seen them since they were started.',
    answer: z.object({ signIns: z.array(signInSchema.extend({ nodes: z.array(z.string()), own: z.boolean().describe('That of who asks.') })), silent }),
  }),
  endSignIns: operation({
    ...common, name: 'endSignIns', method: 'POST', path: '/administrators/sign-ins/end', place: 'here', kind: 'act', summary: 'End one sign-in, or all that nodes have seen of an administrator, at all nodes that answer.',
    body: z.union([z.strictObject({ session: z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'is no sign-in') }), z.strictObject({ name: z.string().min(1).max(64) })]),
    answer: z.object({ ended: z.array(z.object({ session: z.string(), name: z.string() })), silent }),
  }),
};
