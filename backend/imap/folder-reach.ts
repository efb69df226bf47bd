/** Of which folders of others a client was told that they are out of reach, and which are again (RFC 5465 sections 3.1 and 5.9). */
import { tellingOf } from './seen-folders.ts';
import type { Seen, Telling, Wants } from './seen-folders.ts';

/** Names that are remembered as told to be out of reach. */
const mostLost = 1000;

export class FolderReach {
  /** Told of, at the last look. */
  #told = new Set<string>();
  /** Those that were out of reach at a look and are not back. */
  readonly #lost = new Set<string>();

  /** What is out of reach from the beginning, and noted as said to the client. */
  begin(folders: Iterable<Seen>, wants: Wants): readonly string[] {
    const closed = [...folders].filter((folder) => tellingOf(folder, wants) === 'closed').map(({ name }) => name);
    this.#note(closed);
    return closed;
  }

  /** What is out of reach since the last look, and what is back. @param isOwn whether the client did that to a name itself */
  compare(folders: Iterable<Seen>, wants: Wants, isOwn: (name: string) => boolean): { readonly gone: readonly string[]; readonly back: readonly string[] } {
    const now = new Map<string, Telling>(Array.from(folders, (folder) => [folder.name, tellingOf(folder, wants)]));
    const gone = [...this.#told].filter((name) => (now.get(name) ?? 'closed') === 'closed' && !isOwn(name));
    this.#told = new Set([...now].filter(([, telling]) => telling === 'told').map(([name]) => name));
    const back = [...this.#lost].filter((name) => this.#told.has(name));
    for (const name of back) this.#lost.delete(name);
    this.#note(gone);
    return { gone, back: back.filter((name) => !isOwn(name)) };
  }

  /** Another node tells of it now. */
  forget(name: string): void {
    this.#told.delete(name);
    this.#lost.delete(name);
  }

  #note(names: readonly string[]): void {
    for (const name of names) this.#lost.add(name);
    for (const name of [...this.#lost].slice(0, Math.max(0, this.#lost.size - mostLost))) this.#lost.delete(name);
  }
}
