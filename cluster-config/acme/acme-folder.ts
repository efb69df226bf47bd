/** What the renewer keeps on its disk: the account's key, certificates with their keys; while an order is under way its place and key, and answers to challenges. */
import { createHash, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, readdir, readFile, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { OpenOrder } from '../../shared/acme/acme-order.ts';
import { isChallengeToken } from '../../shared/acme/jws.ts';
import { replaceFile } from '../../shared/base/replace-file.ts';
import type { CertifiedKey } from '../../shared/tls/authority.ts';
import { newAccountKey } from './managed-pairs.ts';

export const issuedSchema = z.object({ certificate: z.string(), key: z.string() });
const orderSchema = z.object({ place: z.url(), key: z.string() });
const challengePrefix = 'challenge-';

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

  /** Certificate and key in one file, so that they can't part. The order that brought it is over. */
  async keep(names: readonly string[], pair: CertifiedKey): Promise<void> {
    await replaceFile(this.#pairFile(names), `${JSON.stringify(pair)}\n`);
    await this.endOrder(names);
  }

  /** The order that is under way, or was when a crash came. */
  async order(names: readonly string[]): Promise<OpenOrder | undefined> {
    const text = await textOf(this.#orderFile(names));
    return text === undefined ? undefined : orderSchema.parse(JSON.parse(text));
  }

  async beginOrder(names: readonly string[], order: OpenOrder): Promise<void> {
    await replaceFile(this.#orderFile(names), `${JSON.stringify(order)}\n`);
  }

  async endOrder(names: readonly string[]): Promise<void> {
    await rm(this.#orderFile(names), { force: true });
  }

  /** Answers that a crash left behind. Only while nothing is asked for. */
  async forgetChallenges(): Promise<void> {
    const files = await readdir(this.#folder).catch(() => []); // there is no folder before the first order
    await Promise.all(files.filter((name) => name.startsWith(challengePrefix)).map(async (name) => rm(join(this.#folder, name), { force: true })));
  }

  async publish(token: string, text: string): Promise<() => Promise<void>> {
    const file = this.#challengeFile(token);
    await replaceFile(file, text);
    return async () => unlink(file);
  }

  async challenge(token: string): Promise<string | undefined> {
    return isChallengeToken(token) ? textOf(this.#challengeFile(token)) : undefined;
  }

  #challengeFile(token: string): string {
    return join(this.#folder, `${challengePrefix}${token}`);
  }

  #pairFile(names: readonly string[]): string {
    return join(this.#folder, `${fileStem(names)}.json`);
  }

  #orderFile(names: readonly string[]): string {
    return join(this.#folder, `order-${fileStem(names)}.json`);
  }
}

function fileStem(names: readonly string[]): string {
  return `${names[0] ?? ''}-${shortDigest([...names].toSorted().join(' '))}`;
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
