/** Parameters of the administration: who administers the cluster, with which permissions, and what is kept of their acts. */
import { z } from 'zod';
import { grantSchema } from '../shared/admin-api/capability.ts';
import type { Problem } from './problem.ts';
import { domainName, fileName, objectName, secret, wholeNumber } from './values.ts';

const allow = z.array(grantSchema).max(100).default([]).describe('Permissions given; `all` is every one.');
const deny = z.array(grantSchema).max(100).default([]).describe('Permissions taken away, whoever else gives them.');

const administrator = z.strictObject({
  name: objectName.describe('The name to sign in with; also CN of a client certificate (O = cluster, OU = administrator) of the cluster\'s authority.'),
  password: secret.optional().describe('Where the hash of the password is, as `waybill admin passwd` makes it; without one only the certificate lets in.'),
  totp: secret.optional().describe('Where the secret of the authenticator is, as `waybill admin totp` makes it: a code is needed beside the password then.'),
  groups: z.array(objectName).max(100).default([]).describe('Groups whose permissions count as well.'),
  allow,
  deny,
  domains: z.array(domainName).max(10_000).default([]).describe('A domain administrator: only accounts and mail of these domains, and only permissions that can be had for domains. All when empty.'),
});

const group = z.strictObject({ name: objectName.describe('The name by which administrators name it.'), allow, deny });

export const administrationParameters = {
  administration: z
    .strictObject({
      administrators: z.array(administrator).max(1000).default([]).describe('Who may use the admin API beside the nodes; the same on all nodes, so that any node can act for them anywhere.'),
      groups: z.array(group).max(100).default([]).describe('Sets of permissions.'),
      certificateAuthority: fileName().optional().describe('PEM of a further authority whose client certificates name administrators, by CN alone; nodes it can not name. Only the cluster\'s own authority when absent.'),
      sessionIdleSeconds: wholeNumber({ min: 60, max: 86_400 }).default(1200).describe('Silence after which an administrator has to sign in again.'),
      sessionSeconds: wholeNumber({ min: 60, max: 604_800 }).default(43_200).describe('How long an administrator stays signed in at most.'),
      tokenSeconds: wholeNumber({ min: 60, max: 604_800 }).default(3600).describe('How long a token for scripts serves.'),
      auditFile: fileName().optional().describe('The file of this node that keeps what administrators did, one JSON object a line; in the ordinary log when absent.'),
    })
    .prefault({})
    .describe('Administrators, their permissions and the audit of what they do.'),
};

interface Administration {
  readonly administrators: readonly { readonly name: string; readonly groups: readonly string[] }[];
  readonly groups: readonly { readonly name: string }[];
}

/** Names that are used twice, and groups that there are not. */
export function checkAdministration({ administration: { administrators, groups } }: { readonly administration: Administration }): readonly Problem[] {
  const twice = (list: 'administrators' | 'groups', names: readonly string[]): readonly Problem[] => names.flatMap((name, index) =>
    (names.indexOf(name) === index ? [] : [{ path: ['administration', list, index, 'name'], text: `the name "${name}" is used twice` }]));
  const known = groups.map(({ name }) => name);
  return [
    ...twice('administrators', administrators.map(({ name }) => name)),
    ...twice('groups', known),
    ...administrators.flatMap((one, index) => one.groups.flatMap((name, place): readonly Problem[] =>
      (known.includes(name) ? [] : [{ path: ['administration', 'administrators', index, 'groups', place], text: `no group of administrators is named "${name}"` }]))),
  ];
}
