/** Puts a new certificate and its key in the place of those that the configuration names: on disk, or in memory where nothing can be written. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile, rename, unlink } from 'node:fs/promises';
import { draftFile, draftName } from '../../shared/base/replace-file.ts';
import type { CertifiedKey } from '../../shared/tls/authority.ts';
import { holdFile } from '../held-files.ts';

export interface PairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What a file system says that can't, or may not, be written. */
const unwritable: ReadonlySet<unknown> = new Set(['EROFS', 'EACCES', 'EPERM', 'ENOENT']);

/** Both are on the disk before either takes its place; `finishReplacement` ends what a crash left between. */
export async function replacePair(files: PairFiles, { certificate, key }: CertifiedKey): Promise<'on disk' | 'in memory'> {
  try {
    const drafts = [await draftFile(files.key, key), await draftFile(files.certificate, certificate)];
    for (const draft of drafts) await draft.settle();
    return 'on disk';
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && unwritable.has(error.code))) throw error;
    await holdFile(files.key, key);
    await holdFile(files.certificate, certificate);
    return 'in memory';
  }
}

/** At the start: a key that has its place and a certificate that has not yet. */
export async function finishReplacement(files: PairFiles): Promise<void> {
  const [key, present, draft] = await Promise.all([files.key, files.certificate, draftName(files.certificate)].map(textOf));
  if (key === undefined || draft === undefined) return;
  if (present !== undefined && belongs(present, key)) await unlink(draftName(files.certificate));
  else if (belongs(draft, key)) await rename(draftName(files.certificate), files.certificate);
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined); // not there, or told of by whoever needs it
}

function belongs(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false; // cut short
  }
}
