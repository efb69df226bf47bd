/** The changes that LDAP knows (RFC 4511 sections 4.6 to 4.9), each a pure function from one tree to the next. */
import { formatDn } from './dn.ts';
import type { DistinguishedName, RelativeName } from './dn.ts';
import type { DirectoryEntry, StoredAttribute, Tree } from './entry.ts';
import { isBelow, treeKey } from './entry.ts';
import { checkEntry, checkUserModifiable, hasValue } from './entry-rules.ts';
import { valueKey } from './matching.ts';
import { Refusal } from './result.ts';
import { attributeKey, canonicalName } from './schema.ts';

export interface Modification {
  readonly operation: 'add' | 'delete' | 'replace';
  readonly attribute: string;
  readonly values: readonly Buffer[];
}

/** The entry of that name. @throws Refusal noSuchObject with the nearest entry above */
export function entryAt(tree: Tree, dn: DistinguishedName): DirectoryEntry {
  const entry = tree.get(treeKey(dn));
  if (entry !== undefined) return entry;
  const above = dn.map((_, index) => tree.get(treeKey(dn.slice(index)))).find((candidate) => candidate !== undefined);
  throw new Refusal('noSuchObject', '', above === undefined ? '' : formatDn(above.dn));
}

/** Adds an entry; naming values that were left out are added, as slapd does. */
export function addEntry(tree: Tree, given: DirectoryEntry, base: DistinguishedName): Tree {
  for (const { name } of given.attributes.values()) checkUserModifiable(name);
  const entry = withNamingValues(given, [], 'no');
  checkEntry(entry);
  const key = treeKey(entry.dn);
  if (tree.has(key)) throw new Refusal('entryAlreadyExists', '');
  if (key !== treeKey(base)) {
    if (!isBelow(entry.dn, base)) throw new Refusal('unwillingToPerform', 'not below the base of this directory');
    entryAt(tree, entry.dn.slice(1));
  }
  return new Map([...tree, [key, withOperational(entry, 'new')]]);
}

export function deleteEntry(tree: Tree, dn: DistinguishedName): Tree {
  const entry = entryAt(tree, dn);
  if ([...tree.values()].some((other) => isBelow(other.dn, entry.dn))) {
    throw new Refusal('notAllowedOnNonLeaf', 'subordinate objects must be deleted first');
  }
  const next = new Map(tree);
  next.delete(treeKey(dn));
  return next;
}

export function modifyEntry(tree: Tree, dn: DistinguishedName, modifications: readonly Modification[]): Tree {
  const entry = entryAt(tree, dn);
  const attributes = new Map(entry.attributes);
  for (const modification of modifications) {
    checkUserModifiable(modification.attribute);
    applyModification(attributes, modification);
  }
  const changed = { dn: entry.dn, attributes };
  checkEntry(changed);
  return new Map([...tree, [treeKey(dn), withOperational(changed, 'changed')]]);
}

/** Renames an entry, and with it all that lies below (RFC 4511 section 4.9). */
export function renameEntry(tree: Tree, dn: DistinguishedName, change: {
  readonly newName: RelativeName; readonly deleteOldName: 'yes' | 'no'; readonly newParent: DistinguishedName | undefined;
}): Tree {
  const entry = entryAt(tree, dn);
  const parent = change.newParent ?? entry.dn.slice(1);
  const newDn = [change.newName, ...parent];
  if (tree.has(treeKey(newDn)) && treeKey(newDn) !== treeKey(dn)) throw new Refusal('entryAlreadyExists', '');
  if (parent.length > 0) entryAt(tree, parent);
  if (isBelow(newDn, entry.dn) || treeKey(parent) === treeKey(entry.dn)) throw new Refusal('unwillingToPerform', 'an entry can\'t be moved below itself');
  const renamed = withNamingValues({ ...entry, dn: newDn }, entry.dn[0] ?? [], change.deleteOldName);
  checkEntry(renamed);
  return new Map([...tree.values()].map((other): [string, DirectoryEntry] => {
    if (other === entry) return [treeKey(newDn), withOperational(renamed, 'changed')];
    if (!isBelow(other.dn, entry.dn)) return [treeKey(other.dn), other];
    const moved = [...other.dn.slice(0, other.dn.length - entry.dn.length), ...newDn];
    return [treeKey(moved), { ...other, dn: moved }];
  }));
}

function applyModification(attributes: Map<string, StoredAttribute>, { operation, attribute, values }: Modification): void {
  const key = attributeKey(attribute);
  const known = attributes.get(key)?.values ?? [];
  const named = new Set(values.map((value) => valueKey(attribute, value)));
  const set = (next: readonly Buffer[]): void => {
    if (next.length === 0) attributes.delete(key);
    else attributes.set(key, { name: canonicalName(attribute), values: next });
  };
  switch (operation) {
    case 'replace':
      set(values);
      return;
    case 'add':
      if (values.length === 0) throw new Refusal('protocolError', `modify/add: ${attribute}: no values given`);
      if (known.some((value) => named.has(valueKey(attribute, value)))) {
        throw new Refusal('attributeOrValueExists', `modify/add: ${attribute}: value already exists`);
      }
      set([...known, ...values]);
      return;
    case 'delete': {
      const kept = known.filter((value) => !named.has(valueKey(attribute, value)));
      if (known.length === 0) throw new Refusal('noSuchAttribute', `modify/delete: ${attribute}: no such attribute`);
      if (known.length - kept.length !== named.size) throw new Refusal('noSuchAttribute', `modify/delete: ${attribute}: no such value`);
      set(values.length === 0 ? [] : kept);
    }
  }
}

function withNamingValues(entry: DirectoryEntry, oldName: RelativeName, deleteOld: 'yes' | 'no'): DirectoryEntry {
  const newName = entry.dn[0] ?? [];
  const attributes = new Map(entry.attributes);
  const stays = (attribute: string, value: string): boolean => newName.some((part) =>
    attributeKey(part.attribute) === attributeKey(attribute)
    && valueKey(attribute, Buffer.from(part.value)) === valueKey(attribute, Buffer.from(value)));
  for (const { attribute, value } of deleteOld === 'yes' ? oldName : []) {
    if (!stays(attribute, value)) applyModification(attributes, { operation: 'delete', attribute, values: [Buffer.from(value)] });
  }
  for (const { attribute, value } of newName) {
    if (!hasValue({ dn: entry.dn, attributes }, attribute, Buffer.from(value))) {
      applyModification(attributes, { operation: 'add', attribute, values: [Buffer.from(value)] });
    }
  }
  return { dn: entry.dn, attributes };
}

/** The attributes that the server keeps (RFC 4512 section 3.4, RFC 4530). */
export function withOperational(entry: DirectoryEntry, how: 'new' | 'changed'): DirectoryEntry {
  const now = new Date().toISOString().replace(/[-:T]|\.\d+/g, '');
  const set = (name: string, value: string): [string, StoredAttribute] => [attributeKey(name), { name, values: [Buffer.from(value)] }];
  return {
    dn: entry.dn,
    attributes: new Map([
      ...entry.attributes,
      ...(how === 'new' ? [set('entryUUID', crypto.randomUUID()), set('createTimestamp', now)] : []),
      set('modifyTimestamp', now),
    ]),
  };
}
