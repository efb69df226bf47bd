/** Generic parameters that hold for a whole process: put to use before anything else of a node starts. */
import { mixIntoSecrets } from '../shared/base/secret-bytes.ts';
import { trustOnly } from '../shared/tls/default-authorities.ts';
import type { NodeConfig } from './effective.ts';

/** @throws Failure('bad-input') that names the file that can't be read, or holds no certificates */
export async function useProcessParameters({ sslRandomFile, caBundle }: Pick<NodeConfig, 'sslRandomFile' | 'caBundle'>): Promise<void> {
  if (sslRandomFile !== undefined) await mixIntoSecrets(sslRandomFile);
  if (caBundle !== undefined) await trustOnly(caBundle);
}
