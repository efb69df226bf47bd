/** Reads secrets where the configuration says they are. What is read is never logged, printed or kept in the configuration. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../shared/base/failure.ts';
import type { SecretReference } from './values.ts';

/**
 * The secret: the first line of the file, or the value of the environment variable.
 * @throws Failure('bad-input') that names the file or variable when it can't be read or is empty.
 */
export async function readSecret(reference: SecretReference, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  if ('env' in reference) {
    const value = environment[reference.env];
    if (value === undefined || value === '') throw new Failure('bad-input', `the environment variable ${reference.env}, which the configuration names for a secret, is not set`);
    return value;
  }
  const text = await readFile(reference.file, 'utf8').catch((error: unknown) => {
    throw new Failure('bad-input', `the file of a secret can't be read: ${reference.file}`, { cause: error });
  });
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '') throw new Failure('bad-input', `the file of a secret is empty: ${reference.file}`);
  return line;
}
