/** Which attributes of an entry a search returns (RFC 4511 section 4.5.1.8, RFC 3673 for "+") (pure). */
import { formatDn } from './dn.ts';
import type { DirectoryEntry, StoredAttribute } from './entry.ts';
import { isDescriptive } from './root-dse.ts';
import { attributeKey, attributeType } from './schema.ts';

/** @param wanted the names asked for; none means all user attributes; `1.1` alone none at all. */
export function selectAttributes(entry: DirectoryEntry, wanted: readonly string[], typesOnly: 'yes' | 'no'): StoredAttribute[] {
  const allUser = wanted.length === 0 || wanted.includes('*');
  const allOperational = wanted.includes('+');
  const keys = new Set(wanted.map(attributeKey));
  const virtual: StoredAttribute[] = [
    { name: 'entryDN', values: [Buffer.from(formatDn(entry.dn))] },
    { name: 'subschemaSubentry', values: [Buffer.from('cn=Subschema')] },
  ];
  const present = [...entry.attributes.values(), ...virtual.filter(({ name }) => !entry.attributes.has(attributeKey(name)))];
  return present
    .filter(({ name }) => {
      const key = attributeKey(name);
      // Asking for "cn" also returns "cn;lang-de" (RFC 4511 section 4.5.1.8: subtypes).
      if (keys.has(key) || keys.has(key.split(';', 1)[0] ?? '')) return true;
      return isOperational(name) ? allOperational : allUser;
    })
    .map(({ name, values }) => ({ name, values: typesOnly === 'yes' ? [] : values }));
}

function isOperational(name: string): boolean {
  return attributeType(name)?.usage === 'operational' || isDescriptive(name);
}
