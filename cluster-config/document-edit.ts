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
import type { ClusterConfig } from './load.ts';

/**
 * @param change looks at the present configuration and answers how the document is to be edited; throws for what can't be done, and then nothing is written
 * @throws Failure('in-use') when somebody else wrote the file meanwhile; ConfigurationRefused when what results is no good configuration, or the file is none before; Failure('forbidden') when it
 *   only says where the configuration is published
 */
export async function editConfig(file: string, change: (config: ClusterConfig) => (document: Document) => void): Promise<void> {
  const before = await readFile(file, 'utf8');
  const document = parseDocument(before);
  if (document.get('source') === 'directory') throw new Failure('forbidden', `${file} says that the configuration is published in the directory: change your document (--document FILE), then publish it`);
  change(parseConfig(before, file))(document);
  const after = document.toString({ lineWidth: 0 });
  parseConfig(after, file);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, after, { mode: (await stat(file)).mode, flush: true });
    if (await readFile(file, 'utf8') !== before) throw new Failure('in-use', `${file} was changed by somebody else meanwhile: try again`);
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined); // it may not have been made
    throw error;
  }
}
