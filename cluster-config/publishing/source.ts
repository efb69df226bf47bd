/** Where a node's configuration comes from: a file (the default), or the directory by way of a bootstrap file. */
import type { Logger } from '../../shared/log/log.ts';
import { watchConfig } from '../file-source.ts';
import type { ConfigWatch } from '../file-source.ts';
import { readSourceFile } from './source-file.ts';
import type { SourceVersion } from './source-version.ts';

export interface FollowOptions {
  readonly log: Logger;
  /** The version that is in use. */
  readonly inUse: SourceVersion;
  /** Puts a version to use; a rejection means that the one before stays in use. */
  readonly onVersion: (version: SourceVersion) => Promise<void>;
  /** Hears of versions that are not put to use. */
  readonly onRefused: (refused: { readonly number: number | undefined; readonly why: string }) => void;
  /** A mistake in a file was taken back: it is again the version in use. */
  readonly onUndone: () => void;
  /** Hears how the directory does: undefined, or why it can't be read. */
  readonly onDirectory: (trouble: string | undefined) => void;
}

export interface Source {
  readonly kind: 'file' | 'directory';
  /** Whether the bootstrap file says how to publish. */
  readonly publishes: boolean;
  /** The name of the node that the bootstrap file gives. */
  readonly node: string | undefined;
  /**
   * The version to start with; `accept` throws for one that this node can't run.
   * @throws ConfigurationRefused, Failure
   */
  first(options: FirstOptions): Promise<SourceVersion>;
  follow(options: FollowOptions): ConfigWatch;
}

export interface FirstOptions {
  readonly log: Logger;
  /** @throws ConfigurationRefused */
  readonly accept: (version: SourceVersion) => void;
  readonly onRefused: FollowOptions['onRefused'];
}

export interface WhoStarts {
  readonly node: string | undefined;
  readonly role: 'frontend' | 'backend';
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `node` is who we are, where the file does not say it. @throws ConfigurationRefused, Failure('bad-input') */
export async function openSource(file: string, options: WhoStarts): Promise<Source> {
  const { bootstrap } = await readSourceFile(file);
  if (bootstrap === undefined) return fileSource(file);
  const { DirectorySource } = await import('./directory-source.ts'); // the LDAP client, only where it is needed
  return DirectorySource.open({ bootstrap, file, node: options.node ?? bootstrap.node ?? '', role: options.role, environment: options.environment });
}

function fileSource(file: string): Source {
  const version = (text: string): SourceVersion => ({ text, label: file, file, base: {}, number: undefined });
  return {
    kind: 'file', publishes: false, node: undefined,
    first: async ({ accept }) => {
      const first = version((await readSourceFile(file)).text);
      accept(first);
      return first;
    },
    follow: ({ log, inUse, onVersion, onRefused, onUndone }) => watchConfig(file, {
      initialText: inUse.text, log,
      onVersion: async (text) => onVersion(version(text)),
      onRefused: (why) => onRefused({ number: undefined, why }),
      onUndone,
    }),
  };
}
