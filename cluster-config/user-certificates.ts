/** Reads whose certificates log users in. */
import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Failure } from '../shared/base/failure.ts';
import type { ServerTlsPems } from '../shared/net/server-tls.ts';
import { certificatesIn } from './certificates-in.ts';
import type { NodeConfig } from './effective.ts';

/**
 * What listeners for users need beside their own certificate; nothing where users have none.
 * @throws Failure('bad-input') for files that can't be read, and for an authority that is the cluster's: its nodes are nobody's mailbox
 */
export async function readUserAuthority(config: NodeConfig, clusterAuthority: string): Promise<Pick<ServerTlsPems, 'authority' | 'users'>> {
  const { userCertificates } = config.tls;
  if (userCertificates === undefined) return {};
  const authority = await read('authority', userCertificates.authority);
  const own = readCertificates(clusterAuthority);
  const users = readCertificates(authority);
  if (users.length === 0) throw new Failure('bad-input', `tls.userCertificates.authority: ${userCertificates.authority} holds no certificate`);
  if (users.some((one) => own.some((other) => other.publicKey.equals(one.publicKey)))) {
    throw new Failure('bad-input', 'tls.userCertificates.authority holds the cluster\'s own authority: nodes would be users');
  }
  const { revocationList } = userCertificates;
  return { authority, users: { revocationLists: revocationList === undefined ? undefined : await read('revocationList', revocationList) } };
}

async function read(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure('bad-input', `tls.userCertificates.${name}: ${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function readCertificates(pem: string): X509Certificate[] {
  try {
    return certificatesIn(pem);
  } catch (cause) {
    throw new Failure('bad-input', 'tls.userCertificates.authority does not hold certificates', { cause });
  }
}
