/** The entries in memory and on disk. Changes are made one after the other and are seen by nobody before they are on disk. */
import type { DirectoryEntry, Tree } from './entry.ts';
import { loadTree, saveTree } from './entry-file.ts';
import type { Filter } from '../ldap/filter.ts';
import { TreeIndex } from './tree-index.ts';

export class EntryStore {
  readonly #file: string;
  #tree: Tree;
  #index: TreeIndex | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: string, tree: Tree) {
    this.#file = file;
    this.#tree = tree;
  }

  /**
   * Reads the file. Where `prepare` makes another entry of one, the file is replaced.
   * @throws when the file can't be read or understood
   */
  static async open(file: string, prepare: (entry: DirectoryEntry) => DirectoryEntry): Promise<EntryStore> {
    const found = await loadTree(file);
    const prepared = new Map([...found].map(([key, entry]) => [key, prepare(entry)]));
    if ([...found].some(([key, entry]) => prepared.get(key) !== entry)) await saveTree(file, prepared);
    return new EntryStore(file, prepared);
  }

  /** The committed state. */
  get tree(): Tree {
    return this.#tree;
  }

  /** A superset of the entries that can match: found by index where the filter allows it. */
  candidates(filter: Filter): Iterable<DirectoryEntry> {
    this.#index ??= new TreeIndex(this.#tree);
    return this.#index.candidates(filter) ?? this.#tree.values();
  }

  /** Resolves when no change is under way any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Makes one change; resolves when it is on stable storage. What `change` throws is thrown, and nothing is changed. */
  async change(change: (tree: Tree) => Tree): Promise<void> {
    const turn = this.#last.then(async () => {
      const next = change(this.#tree);
      await saveTree(this.#file, next);
      this.#tree = next;
      this.#index = undefined;
    });
    this.#last = turn.catch(() => undefined); // the caller hears of it; the next change must not
    await turn;
  }
}
