/** node-forge's generator, from which the authority's signatures and serial numbers take their randomness. */
import forge from 'node-forge';
import { secretBytes } from '../base/secret-bytes.ts';

/** Seeds it with the system's randomness and the SSL random file, if one was mixed in (see `secretBytes`). */
export function seedForge(): void {
  // The published types leave `collect` out.
  (forge.random as unknown as { collect(bytes: string): void }).collect(secretBytes(64).toString('latin1'));
}
