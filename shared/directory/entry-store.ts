/** The entries in memory and on disk. Changes are made one after the other and are seen by nobody before they are on disk. */
import type { DirectoryEntry, Tree } from './entry.ts';
import { fileVersion, loadTree, saveTree } from './entry-file.ts';
import type { Filter } from '../ldap/filter.ts';
import { TreeIndex } from './tree-index.ts';

export class EntryStore {
  readonly #file: string;
  #tree: Tree;
  #version: string;
  #index: TreeIndex | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: string, state: { readonly tree: Tree; readonly version: string }) {
    this.#file = file;
    this.#tree = state.tree;
    this.#version = state.version;
  }

  /**
   * Reads the file. Where `prepare` makes another entry of one, the file is replaced.
   * @throws when the file can't be read or understood
   */
  static async open(file: string, prepare: (entry: DirectoryEntry) => DirectoryEntry): Promise<EntryStore> {
    const version = await fileVersion(file);
    const found = await loadTree(file);
    const prepared = new Map([...found].map(([key, entry]) => [key, prepare(entry)]));
    const store = new EntryStore(file, { tree: prepared, version });
    if ([...found].some(([key, entry]) => prepared.get(key) !== entry)) await store.change(() => prepared);
    return store;
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

  /**
   * Makes one change; resolves when it is on stable storage. What `change` throws is thrown, and nothing is changed; so too when
   * the file isn't as we left it: what somebody wrote there by hand, or another process, is not written over.
   */
  async change(change: (tree: Tree) => Tree): Promise<void> {
    const turn = this.#last.then(async () => {
      const next = change(this.#tree);
      if (await fileVersion(this.#file) !== this.#version) throw new Error(`${this.#file} was changed by somebody else; start the directory again to use it`);
      await saveTree(this.#file, next);
      this.#version = await fileVersion(this.#file);
      this.#tree = next;
      this.#index = undefined;
    });
    this.#last = turn.catch(() => undefined); // the caller hears of it; the next change must not
    await turn;
  }
}
