/** The file that a node or a command is pointed to: a configuration, or a bootstrap file. */
import { readFile } from 'node:fs/promises';
import { ConfigurationRefused } from '../problem.ts';
import { parseBootstrap } from './bootstrap.ts';
import type { Bootstrap } from './bootstrap.ts';

/** What a file says: a bootstrap file that leads to the directory, or a configuration. @throws ConfigurationRefused */
export async function readSourceFile(file: string): Promise<{ readonly text: string; readonly bootstrap: Bootstrap | undefined }> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigurationRefused(file, [{ path: [], text: `can't be read: ${error instanceof Error ? error.message : String(error)}` }]);
  });
  return { text, bootstrap: parseBootstrap(text, file) };
}
