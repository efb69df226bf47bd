/** The key from which SCRAM's salts are made for users whose entries hold none, and for those who don't exist. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { NodeConfig } from './effective.ts';
import { readSecret } from './secret.ts';

/**
 * The same on all nodes when the cluster has a cookie secret, otherwise the node's own: then a name's salt differs from
 * front-end to front-end, for users as for strangers. It lives as long as the secret it comes from.
 */
export async function readScramSaltKey(config: NodeConfig, environment: Readonly<Record<string, string | undefined>>): Promise<Buffer> {
  const { cookieSecret, tls } = config;
  const secret = cookieSecret === undefined ? await readFile(tls.nodeKey ?? '', 'utf8') : await readSecret(cookieSecret, environment);
  return createHash('sha256').update('salts of SCRAM\0').update(secret).digest();
}
