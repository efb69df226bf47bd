/** Finds secrets that stand in a document themselves, beyond those that the schema knows and takes as references only (pure). */
import type { Problem } from '../problem.ts';

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const passwordInUri = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i;

/** Problems with the path of each: private keys, and addresses with a password in them. */
export function inlineSecrets(value: unknown, path: readonly PropertyKey[] = []): readonly Problem[] {
  if (typeof value === 'string') {
    if (privateKey.test(value)) return [{ path, text: 'is a private key; name the file that holds it' }];
    return passwordInUri.test(value) ? [{ path, text: 'has a password in it; a secret is given as {file: NAME} or {env: NAME}' }] : [];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => inlineSecrets(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => inlineSecrets(member, [...path, key]));
}
