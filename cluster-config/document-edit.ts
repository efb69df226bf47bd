/**
 * Changes a cluster configuration file as a careful administrator would: comments and everything else stay as they are, what results is
 * checked, and the file is replaced in one step. Running nodes pick it up by themselves.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { Failure } from '../shared/base/failure.ts';
import { parseConfig } from './load.ts';

/**
 * @param change edits the document; throws for what can't be done, and then nothing is written
 * @throws ConfigurationRefused when what results is no good configuration, or the file is none before; Failure('forbidden') when it
 *   only says where the configuration is published
 */
export async function editConfig(file: string, change: (document: Document) => void): Promise<void> {
  const before = await readFile(file, 'utf8');
  const document = parseDocument(before);
  if (document.get('source') === 'directory') throw new Failure('forbidden', `${file} says that the configuration is published in the directory: change your document (--config DOCUMENT), then publish it`);
  parseConfig(before, file);
  change(document);
  const after = document.toString({ lineWidth: 0 });
  parseConfig(after, file);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, after, { mode: (await stat(file)).mode, flush: true });
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined); // it may not have been made
    throw error;
  }
}
