/** Which certificates of a node are kept by ACME, and what the node does until it has them. */
import { generateKeyPairSync } from 'node:crypto';
import { createAuthority } from '../../shared/tls/authority.ts';
import { seedForge } from '../../shared/tls/random.ts';
import type { NodeConfig } from '../effective.ts';
import { holdFile, readNamedFile } from '../held-files.ts';
import type { PairFiles } from '../joining/pair-files.ts';

export interface ManagedPair extends PairFiles {
  readonly names: readonly string[];
}

export function managedPairs({ tls }: Pick<NodeConfig, 'tls'>): readonly ManagedPair[] {
  if (tls.acme === undefined) return [];
  const main = tls.certificate === undefined || tls.key === undefined || tls.acme.names.length === 0 ? [] : [{ names: tls.acme.names, certificate: tls.certificate, key: tls.key }];
  return [...main, ...tls.virtualHosts.filter((host) => host.acme).map(({ names, certificate, key }) => ({ names, certificate, key }))];
}

/** Before the first certificate is there, listeners show one that nobody trusts: without listeners no name can be proven. */
export async function holdPlaceholders(config: NodeConfig): Promise<void> {
  for (const { names, certificate, key } of managedPairs(config)) {
    const there = await readNamedFile(certificate).catch(() => undefined);
    if (there !== undefined) continue;
    seedForge();
    const made = await createAuthority({ commonName: names[0] ?? 'placeholder', organisation: 'no certificate yet' });
    await holdFile(certificate, made.certificate);
    await holdFile(key, made.key);
  }
}

/** PEM, ECDSA P-256. */
export function newAccountKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
