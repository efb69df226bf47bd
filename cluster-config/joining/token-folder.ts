/**
 * The one-time tokens that were made and not yet used, each a file that holds no more than the hash of its secret. Using one renames the
 * file, which succeeds for one process only.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { replaceFile } from '../../shared/base/replace-file.ts';
import { secretBytes } from '../../shared/base/secret-bytes.ts';
import type { JoinToken } from '../../shared/tls/join-token.ts';

const recordSchema = z.strictObject({
  node: z.string(),
  role: z.enum(['frontend', 'backend']),
  secretSha256: z.string(),
  expiresAt: z.iso.datetime(),
  /** Names and addresses that the certificate is to have. */
  hosts: z.array(z.string()),
});

export type TokenRecord = z.output<typeof recordSchema>;

/** So long after its end a token is still told to be used or expired, not unknown. */
const rememberMs = 30 * 86_400_000;
const unknown = 'this cluster knows no such token';

export class TokenFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The secret is told to whoever asked, and kept nowhere. */
  async make(wanted: Omit<TokenRecord, 'secretSha256'>): Promise<Pick<JoinToken, 'id' | 'secret'>> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#tidy();
    const [id, secret] = [secretBytes(8).toString('hex'), secretBytes(32).toString('base64url')];
    await replaceFile(this.#file(id), `${JSON.stringify({ ...wanted, secretSha256: digestOf(secret).toString('hex') } satisfies TokenRecord)}\n`);
    return { id, secret };
  }

  /** What it was made for. @throws Failure('bad-credentials') when it is unknown, wrong, used or expired */
  async look({ id, secret }: Pick<JoinToken, 'id' | 'secret'>): Promise<TokenRecord> {
    const kept = await readRecord(this.#file(id)) ?? await readRecord(this.#usedFile(id));
    // A wrong secret learns nothing of a token whose id was guessed.
    if (kept === undefined || !timingSafeEqual(digestOf(secret), Buffer.from(kept.secretSha256, 'hex'))) throw new Failure('bad-credentials', unknown);
    if (await readRecord(this.#file(id)) === undefined) throw used(kept);
    if (Date.parse(kept.expiresAt) <= Date.now()) throw new Failure('bad-credentials', `the token for ${kept.node} expired at ${kept.expiresAt}: make another`);
    return kept;
  }

  /** From now on it is used. @throws Failure('bad-credentials') when another was faster */
  async use({ id }: Pick<JoinToken, 'id'>, record: TokenRecord): Promise<void> {
    try {
      await rename(this.#file(id), this.#usedFile(id));
    } catch (error) {
      if (isMissing(error)) throw used(record);
      throw error;
    }
  }

  #file(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  #usedFile(id: string): string {
    return join(this.#folder, `${id}.used`);
  }

  async #tidy(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const file = join(this.#folder, name);
      if ((await stat(file)).mtimeMs < Date.now() - rememberMs && (await readRecord(file))?.expiresAt.localeCompare(new Date().toISOString()) !== 1) await unlink(file);
    }
  }
}

function used({ node }: TokenRecord): Failure {
  return new Failure('bad-credentials', `the token for ${node} was used already: make another, and look who has used it if it was not you`);
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

async function readRecord(file: string): Promise<TokenRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
