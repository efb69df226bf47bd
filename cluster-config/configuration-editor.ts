/**
 * Changes the cluster configuration where it lies: in a file, or published in the directory. Who changes it looks at what it says at that
 * moment; what results is checked whole, and nothing is written when it is no good or somebody else was faster.
 */
import { parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { Failure } from '../shared/base/failure.ts';
import { editConfig } from './document-edit.ts';
import { parseVersion } from './load.ts';
import type { ClusterConfig } from './load.ts';
import { inlineSecrets } from './publishing/inline-secrets.ts';
import { Publication } from './publishing/publication.ts';
import type { Surroundings } from './publishing/publication.ts';
import { publish } from './publishing/publisher.ts';
import { readSourceFile } from './publishing/source-file.ts';
import { asSourceVersion } from './publishing/source-version.ts';

/** Where a change stands now. */
export type Written = { readonly at: 'file'; readonly file: string } | { readonly at: 'directory'; readonly version: number };

/** Looks at the present configuration and answers how the document is to be edited. Throws for what can't be done. */
export type Change = (config: ClusterConfig) => (document: Document) => void;

export interface ConfigurationEditor {
  /** @throws ConfigurationRefused, Failure('directory-unavailable') */
  read(): Promise<ClusterConfig>;
  /** @throws ConfigurationRefused for what would be no good configuration, Failure `in-use` when somebody else was faster, `forbidden`, `directory-unavailable`, and what the change throws */
  change(change: Change, told: { readonly by: string; readonly message: string }): Promise<Written>;
}

/** What nodes have to say before a version is published, and after. */
export interface NodesAsked {
  /** @throws Failure('bad-input') that names the nodes which can't read the text */
  check(text: string): Promise<void>;
  /** Makes them look for it now. */
  look(): Promise<void>;
}

export function fileEditor(file: string, nodes?: Pick<NodesAsked, 'look'>): ConfigurationEditor {
  return {
    read: async () => parseVersion({ text: (await readSourceFile(file)).text, label: file, file, base: {} }),
    change: async (change) => {
      await editConfig(file, change).catch((error: unknown) => {
        throw isSystemError(error) ? new Failure('forbidden', `${file} can't be written by this node (${error.code ?? ''}): change it there, or publish the configuration in the directory`, { cause: error }) : error;
      });
      await nodes?.look();
      return { at: 'file', file };
    },
  };
}

/** @param file the bootstrap file that leads to the directory */
export function publishedEditor(file: string, nodes: NodesAsked, surroundings: Surroundings): ConfigurationEditor {
  const present = async (): Promise<{ readonly bootstrap: NonNullable<Awaited<ReturnType<typeof readSourceFile>>['bootstrap']>; readonly number: number; readonly text: string }> => {
    const { bootstrap } = await readSourceFile(file);
    if (bootstrap === undefined) throw new Failure('in-use', `${file} does not lead to a published configuration any more`);
    const publication = await Publication.open(bootstrap, surroundings);
    try {
      const head = await publication.head();
      if (head === undefined) throw new Failure('bad-input', `nothing is published at ${bootstrap.directory.entry}`);
      return { bootstrap, number: head.number, text: head.text };
    } finally {
      publication.close();
    }
  };
  return {
    read: async () => {
      const { bootstrap, ...head } = await present();
      return parseVersion(asSourceVersion(bootstrap, file, head));
    },
    change: async (change, { by, message }) => {
      const { bootstrap, ...head } = await present();
      const document = parseDocument(head.text);
      change(parseVersion(asSourceVersion(bootstrap, file, head)))(document);
      const text = document.toString({ lineWidth: 0 });
      parseVersion(asSourceVersion(bootstrap, file, { number: head.number + 1, text }));
      if (inlineSecrets(document.toJS()).length > inlineSecrets(parseDocument(head.text).toJS()).length) throw new Failure('bad-input', 'a published configuration names secrets by file or environment');
      await nodes.check(text);
      const { number } = await publish(bootstrap, { text, by, message, after: head.number }, surroundings.environment);
      await nodes.look();
      return { at: 'directory', version: number };
    },
  };
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
