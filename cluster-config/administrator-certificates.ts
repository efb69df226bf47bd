/** Reads whose certificates, beside the cluster's own, name administrators. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../shared/base/failure.ts';
import { certificatesIn } from './certificates-in.ts';
import type { NodeConfig } from './effective.ts';

/**
 * PEM; undefined where there is none.
 * @throws Failure('bad-input') for a file that can't be read, and for an authority that is the cluster's: those who may issue administrators must not issue nodes
 */
export async function readAdministratorAuthority(config: Pick<NodeConfig, 'administration'>, clusterAuthority: string): Promise<string | undefined> {
  const file = config.administration.certificateAuthority;
  if (file === undefined) return undefined;
  const refused = (what: string, cause?: unknown): Failure => new Failure('bad-input', `administration.certificateAuthority: ${file} ${what}`, { cause });
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw refused(`can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  });
  let authorities: ReturnType<typeof certificatesIn>;
  try {
    authorities = certificatesIn(pem);
  } catch (cause) {
    throw refused('does not hold certificates', cause);
  }
  if (authorities.length === 0) throw refused('holds no certificate');
  const own = certificatesIn(clusterAuthority);
  if (authorities.some((one) => own.some((other) => other.publicKey.equals(one.publicKey)))) throw refused('is the cluster\'s own authority, which names administrators anyway');
  return pem;
}
