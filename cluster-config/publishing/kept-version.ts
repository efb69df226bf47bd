/** The last good version of a published configuration on a node's own disk, so that the node starts while the directory is away. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { replaceFile } from '../../shared/base/replace-file.ts';
import { digestOf } from './published.ts';
import type { Published } from './published.ts';

const keptSchema = z.object({ number: z.number().int().min(1), digest: z.string(), at: z.string(), by: z.string(), message: z.string(), text: z.string() });

export function keptFile(folder: string, node: string): string {
  return join(folder, `${node}.configuration.json`);
}

/** Undefined where none is kept. @throws Failure('bad-input') for a file that is damaged */
export async function readKept(file: string): Promise<Published | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure('bad-input', `the kept configuration ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  if (text === undefined) return undefined;
  const kept = parse(text);
  if (kept === undefined || digestOf(kept.text) !== kept.digest) throw new Failure('bad-input', `the kept configuration ${file} is damaged; remove it, and the node takes the published one`);
  return kept;
}

function parse(text: string): Published | undefined {
  try {
    return keptSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // no JSON: damaged, as the caller says
  }
}

/** Replaces it whole: after a crash the file holds this version or the one before. */
export async function keepVersion(file: string, version: Published): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await replaceFile(file, `${JSON.stringify(version)}\n`);
}
