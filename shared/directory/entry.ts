/** Entries of the embedded directory and the tree they form; both are never changed in place, so a search sees one state. */
import { formatDn, normaliseDn, parseDn } from './dn.ts';
import type { DistinguishedName } from './dn.ts';
import type { LdifRecord } from './ldif.ts';
import { attributeKey, canonicalName } from './schema.ts';

/** One attribute: its name as it was written, and at least one value. */
export interface StoredAttribute { readonly name: string; readonly values: readonly Buffer[] }

export interface DirectoryEntry {
  readonly dn: DistinguishedName;
  /** By the key of the attribute (`attributeKey`). */
  readonly attributes: ReadonlyMap<string, StoredAttribute>;
}

/** All entries by their normalised names. Parents come before their children. */
export type Tree = ReadonlyMap<string, DirectoryEntry>;

/** The key of an entry in the tree. */
export function treeKey(dn: DistinguishedName): string {
  return normaliseDn(dn);
}

/** Whether an entry lies below another, at any depth. */
export function isBelow(dn: DistinguishedName, ancestor: DistinguishedName): boolean {
  return dn.length > ancestor.length && treeKey(dn.slice(dn.length - ancestor.length)) === treeKey(ancestor);
}

/** Makes an entry of names and values as they came; values under two names of one attribute are joined. */
export function makeEntry(dn: DistinguishedName, given: Iterable<StoredAttribute>): DirectoryEntry {
  const attributes = new Map<string, StoredAttribute>();
  for (const { name, values } of given) {
    const key = attributeKey(name);
    attributes.set(key, { name: canonicalName(name), values: [...(attributes.get(key)?.values ?? []), ...values] });
  }
  return { dn, attributes };
}

export function entryFromRecord(record: LdifRecord): DirectoryEntry {
  return makeEntry(parseDn(record.dn), record.attributes);
}

export function recordFromEntry(entry: DirectoryEntry): LdifRecord {
  return { dn: formatDn(entry.dn), attributes: [...entry.attributes.values()] };
}
