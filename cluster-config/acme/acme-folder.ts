/** What the renewer keeps on its disk: the account's key, certificates with their keys, and answers to challenges while they are asked for. */
import { createHash, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isChallengeToken } from '../../shared/acme/jws.ts';
import { replaceFile } from '../../shared/base/replace-file.ts';
import type { CertifiedKey } from '../../shared/tls/authority.ts';
import { newAccountKey } from './managed-pairs.ts';

export const issuedSchema = z.object({ certificate: z.string(), key: z.string() });

export class AcmeFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** One for each ACME server; made when there is none. */
  async accountKey(directoryUrl: string): Promise<KeyObject> {
    const file = join(this.#folder, `account-${shortDigest(directoryUrl)}.pem`);
    const known = await textOf(file);
    if (known !== undefined) return createPrivateKey(known);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const made = newAccountKey();
    await replaceFile(file, made);
    return createPrivateKey(made);
  }

  async issued(names: readonly string[]): Promise<CertifiedKey | undefined> {
    const text = await textOf(this.#pairFile(names));
    return text === undefined ? undefined : issuedSchema.parse(JSON.parse(text));
  }

  /** Certificate and key in one file, so that they can't part. */
  async keep(names: readonly string[], pair: CertifiedKey): Promise<void> {
    await replaceFile(this.#pairFile(names), `${JSON.stringify(pair)}\n`);
  }

  async publish(token: string, text: string): Promise<() => Promise<void>> {
    const file = join(this.#folder, `challenge-${token}`);
    await replaceFile(file, text);
    return async () => unlink(file);
  }

  async challenge(token: string): Promise<string | undefined> {
    return isChallengeToken(token) ? textOf(join(this.#folder, `challenge-${token}`)) : undefined;
  }

  #pairFile(names: readonly string[]): string {
    return join(this.#folder, `${names[0] ?? ''}-${shortDigest([...names].toSorted().join(' '))}.json`);
  }
}

function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
