/** Operations of the admin API: signing in and out, and the API's own description. */
import { z } from 'zod';
import { capabilityNames } from '../../../shared/admin-api/capability.ts';
import { operation } from '../../../shared/admin-api/operation.ts';

const who = z.object({
  name: z.string(),
  by: z.enum(['cookie', 'token', 'password', 'certificate']),
  capabilities: z.array(z.enum(capabilityNames)).describe('What this administrator may do.'),
  domains: z.array(z.string()).describe('The only domains that this administrator may touch; all when empty.'),
});

export const signInOperations = {
  signIn: operation({
    name: 'signIn', method: 'POST', path: '/session', group: 'session', needs: 'anybody', place: 'here', kind: 'act',
    summary: 'Sign in with a password, and the code of the authenticator where one is set up.',
    body: z.strictObject({
      name: z.string().min(1).max(64),
      password: z.string().min(1).max(1024),
      code: z.string().max(16).optional().describe('Six digits of the authenticator.'),
      as: z.enum(['cookie', 'token']).default('cookie').describe('A cookie for the page, or a token for scripts (Authorization: Bearer).'),
    }),
    answer: who.extend({ token: z.string().optional(), until: z.string().describe('When it ends at the latest.') }),
  }),
  showSession: operation({ name: 'showSession', method: 'GET', path: '/session', group: 'session', needs: 'signed-in', place: 'here', kind: 'read', summary: 'Who am I, and what may I do?', answer: who.extend({ primaryDomain: z.string().describe('Completes addresses without a domain.') }) }),
  signOut: operation({ name: 'signOut', method: 'DELETE', path: '/session', group: 'session', needs: 'signed-in', place: 'here', kind: 'act', summary: 'End this sign-in at this node.', answer: z.object({}) }),
  describeApi: operation({ name: 'describeApi', method: 'GET', path: '/openapi.json', group: 'session', needs: 'anybody', place: 'here', kind: 'read', summary: 'This document.', answer: z.looseObject({}) }),
};
