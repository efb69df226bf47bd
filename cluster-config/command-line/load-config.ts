/** Reads the configuration that a command is pointed to: a file, or what is published where a bootstrap file leads. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { ClusterConfig } from '../load.ts';
import { parseVersion } from '../load.ts';
import { withPublication } from '../publishing/config-home.ts';
import { keptFile, readKept } from '../publishing/kept-version.ts';
import { readSourceFile } from '../publishing/source-file.ts';
import { asSourceVersion } from '../publishing/source-version.ts';
import type { SourceVersion } from '../publishing/source-version.ts';

/** Reads and checks a configuration file, or what is published where a bootstrap file leads. @throws ConfigurationRefused, also when the file can't be read; Failure */
export async function loadConfig(file: string): Promise<ClusterConfig> {
  return parseVersion(await readVersion(file));
}

/** The text of the file, or of the present version; where the directory is away, of the copy that a back-end keeps here. @throws ConfigurationRefused, Failure */
export async function readVersion(file: string): Promise<SourceVersion> {
  const { text, bootstrap } = await readSourceFile(file);
  if (bootstrap === undefined) return { text, label: file, file, base: {}, number: undefined };
  return withPublication({ bootstrap, environment: process.env }, async (publication) => {
    try {
      const head = await publication.head();
      if (head === undefined) throw new Failure('bad-input', `nothing is published at ${publication.names.head}`);
      return asSourceVersion(bootstrap, file, head);
    } catch (error) {
      const kept = bootstrap.keep === undefined || bootstrap.node === undefined ? undefined : await readKept(keptFile(bootstrap.keep, bootstrap.node));
      if (kept === undefined || !isFailure(error, 'directory-unavailable')) throw error;
      return asSourceVersion(bootstrap, file, kept);
    }
  });
}
