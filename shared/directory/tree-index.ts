/** An equality index over one state of the tree, for the attributes that mail systems search by. */
import type { Filter } from '../ldap/filter.ts';
import type { DirectoryEntry, Tree } from './entry.ts';
import { valueKey } from './matching.ts';
import { attributeKey } from './schema.ts';

const indexed: ReadonlySet<string> = new Set(['mail', 'maillocaladdress', 'uid', 'cn', 'entryuuid']);

export class TreeIndex {
  readonly #entries = new Map<string, DirectoryEntry[]>();

  constructor(tree: Tree) {
    for (const entry of tree.values()) {
      for (const attribute of indexed) {
        for (const value of entry.attributes.get(attribute)?.values ?? []) this.#put(`${attribute}=${valueKey(attribute, value)}`, entry);
      }
    }
  }

  /** Every entry that can match, perhaps more; undefined when only a walk over all entries can tell. */
  candidates(filter: Filter): Iterable<DirectoryEntry> | undefined {
    switch (filter.kind) {
      case 'equal': {
        const attribute = attributeKey(filter.attribute);
        if (!indexed.has(attribute)) return undefined;
        return this.#entries.get(`${attribute}=${valueKey(attribute, Buffer.from(filter.value))}`) ?? [];
      }
      case 'and':
        return filter.filters.map((inner) => this.candidates(inner)).find((found) => found !== undefined);
      case 'or': {
        const found = filter.filters.map((inner) => this.candidates(inner));
        return found.includes(undefined) ? undefined : new Set(found.flatMap((entries) => [...(entries ?? [])]));
      }
      default:
        return undefined;
    }
  }

  #put(key: string, entry: DirectoryEntry): void {
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, [entry]);
    else known.push(entry);
  }
}
