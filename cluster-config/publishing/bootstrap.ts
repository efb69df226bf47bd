/**
 * The small file by which a node finds its configuration in the directory: which servers, which entry, who it is, its
 * certificates. It stands in the place of the configuration wherever a command takes one.
 */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseYaml } from '../document.ts';
import { isTree } from '../layers.ts';
import type { Tree } from '../layers.ts';
import { ConfigurationRefused } from '../problem.ts';
import { replaceFileNames } from '../schema-walk.ts';
import { fileName, secret, wholeNumber } from '../values.ts';

const ldapUri = z.string().regex(/^ldaps?:\/\/[^/@\s]+$/, 'must be ldap://HOST[:PORT] or ldaps://HOST[:PORT]');

const directory = z.strictObject({
  serverType: z.enum(['openldap', 'activeDirectory']).default('openldap'),
  uris: z.array(ldapUri).min(1).max(5),
  bindDn: z.string().min(1).optional(),
  bindPassword: secret.optional(),
  startTls: z.boolean().default(false),
  ca: fileName().optional(),
  timeoutSeconds: wholeNumber({ min: 1, max: 60 }).default(4),
  entry: z.string().min(3),
  write: z.strictObject({ uri: ldapUri, bindDn: z.string().min(1), bindPassword: secret }).optional(),
  pollSeconds: wholeNumber({ min: 1, max: 60 }).default(3),
});

const bootstrapSchema = z.strictObject({
  source: z.literal('directory'),
  directory,
  node: z.string().min(1).optional(),
  keep: fileName().optional(),
  tls: z.strictObject({ clusterAuthority: fileName(), nodeCertificate: fileName(), nodeKey: fileName() }).optional(),
});

export type Bootstrap = z.output<typeof bootstrapSchema>;

/** The bootstrap file whose text this is; undefined for any other text, such as a configuration. @throws ConfigurationRefused */
export function parseBootstrap(text: string, file: string): Bootstrap | undefined {
  if (!/source|\\/.test(text)) return undefined; // the key can't be in it: spares taking a long configuration apart
  const document = parseYaml(text);
  if (!('locate' in document) || !isTree(document.value) || !('source' in document.value)) return undefined;
  const parsed = bootstrapSchema.safeParse(document.value, { reportInput: false });
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => document.locate({ path: issue.path, text: issue.message }, 'value'));
    throw new ConfigurationRefused(file, problems);
  }
  const { directory: { bindDn, bindPassword } } = parsed.data;
  if ((bindDn === undefined) !== (bindPassword === undefined)) {
    throw new ConfigurationRefused(file, [document.locate({ path: ['directory'], text: 'bindDn and bindPassword come together' }, 'key')]);
  }
  const folder = dirname(resolve(file));
  // Replacing file names keeps the shape, so the result is what the schema made.
  return replaceFileNames(bootstrapSchema, parsed.data, (name) => resolve(folder, name)) as Bootstrap;
}

/** The parameters that a document need not name, because the node has them from its bootstrap file: they lie below all of its layers. */
export function ownParameters({ tls }: Bootstrap): Tree {
  return tls === undefined ? {} : { tls };
}
