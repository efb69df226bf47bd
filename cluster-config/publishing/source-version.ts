/** The text of a configuration with what it needs to be understood, whatever source it is from. */
import type { Tree } from '../layers.ts';
import { ownParameters } from './bootstrap.ts';
import type { Bootstrap } from './bootstrap.ts';

/** A text to be checked and run, with what belongs to it. */
export interface SourceVersion {
  readonly text: string;
  /** How problems name it: the file, or the version in the directory. */
  readonly label: string;
  /** Relative file names count from the folder of this file. */
  readonly file: string;
  /** Parameters of this node's bootstrap file, below all layers. */
  readonly base: Tree;
  /** Of a published version. */
  readonly number: number | undefined;
}

/** A published text as this node sees it. */
export function asSourceVersion(bootstrap: Bootstrap, file: string, published: { readonly number: number; readonly text: string }): SourceVersion {
  return { text: published.text, number: published.number, label: `version ${String(published.number)}`, file, base: ownParameters(bootstrap) };
}
