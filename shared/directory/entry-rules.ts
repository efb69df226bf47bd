/** What every entry must fulfil before it is stored: the light schema of the embedded directory (pure). */
import type { DirectoryEntry, StoredAttribute } from './entry.ts';
import { valueKey } from './matching.ts';
import { Refusal } from './result.ts';
import { attributeKey, attributeType } from './schema.ts';

/** Attributes that a class demands (MUST of RFC 4519 and RFC 2798), superior classes included. */
const demanded: ReadonlyMap<string, readonly string[]> = new Map([
  ['person', ['cn', 'sn']], ['organizationalperson', ['cn', 'sn']], ['inetorgperson', ['cn', 'sn']],
  ['organization', ['o']], ['organizationalunit', ['ou']], ['dcobject', ['dc']], ['domain', ['dc']],
]);

/** @throws Refusal that names the rule */
export function checkEntry(entry: DirectoryEntry): void {
  const classes = entry.attributes.get('objectclass')?.values ?? [];
  if (classes.length === 0) throw new Refusal('objectClassViolation', 'no objectClass attribute');
  for (const attribute of entry.attributes.values()) checkAttribute(attribute);
  for (const name of classes.map((value) => value.toString('utf8'))) {
    const missing = demanded.get(name.toLowerCase())?.find((attribute) => !entry.attributes.has(attribute));
    if (missing !== undefined) throw new Refusal('objectClassViolation', `object class '${name}' requires attribute '${missing}'`);
  }
  for (const { attribute, value } of entry.dn[0] ?? []) {
    if (!hasValue(entry, attribute, Buffer.from(value))) {
      throw new Refusal('namingViolation', `naming attribute '${attribute}' is not present in entry`);
    }
  }
}

export function hasValue(entry: DirectoryEntry, attribute: string, value: Buffer): boolean {
  const wanted = valueKey(attribute, value);
  return entry.attributes.get(attributeKey(attribute))?.values.some((known) => valueKey(attribute, known) === wanted) ?? false;
}

/** Refuses what only the server itself may set. */
export function checkUserModifiable(attribute: string): void {
  if (attributeType(attribute)?.usage === 'operational') {
    throw new Refusal('constraintViolation', `${attribute}: no user modification allowed`);
  }
}

function checkAttribute({ name, values }: StoredAttribute): void {
  if (!/^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)(?:;[A-Za-z0-9-]+)*$/.test(name)) {
    throw new Refusal('undefinedAttributeType', `${name}: not an attribute`);
  }
  if (attributeType(name)?.values === 'one' && values.length > 1) {
    throw new Refusal('constraintViolation', `${name}: multiple values provided`);
  }
  if (new Set(values.map((value) => valueKey(name, value))).size !== values.length) {
    throw new Refusal('attributeOrValueExists', `${name}: value provided more than once`);
  }
}
