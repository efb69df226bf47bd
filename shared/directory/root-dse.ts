/** The two entries that describe the server: the root DSE (RFC 4512 section 5.1) and the subschema (section 4.2). */
import { pagedResultsOid } from '../ldap/ldapjs-paging.ts';
import { formatDn, parseDn } from './dn.ts';
import type { DistinguishedName } from './dn.ts';
import { makeEntry, treeKey } from './entry.ts';
import type { DirectoryEntry } from './entry.ts';
import { attributeTypes } from './schema.ts';
import type { Matching } from './schema.ts';

export const passwordModifyOid = '1.3.6.1.4.1.4203.1.11.1';
export const whoAmIOid = '1.3.6.1.4.1.4203.1.11.3';

const subschemaDn = 'cn=Subschema';

/** The entry of that name if it is one of the two; they exist for searches of scope base only. */
export function specialEntry(dn: DistinguishedName, base: DistinguishedName): DirectoryEntry | undefined {
  if (dn.length === 0) return rootDse(base);
  return treeKey(dn) === treeKey(parseDn(subschemaDn)) ? subschema() : undefined;
}

/** Attributes of the two entries are operational, except for the class. */
export function isDescriptive(attribute: string): boolean {
  return descriptive.has(attribute.toLowerCase());
}

const descriptive = new Set([
  'namingcontexts', 'supportedldapversion', 'supportedextension', 'supportedcontrol', 'supportedfeatures', 'vendorname', 'subschemasubentry', 'attributetypes', 'objectclasses',
]);

function rootDse(base: DistinguishedName): DirectoryEntry {
  return describe([], {
    objectClass: ['top'],
    namingContexts: [formatDn(base)],
    supportedLDAPVersion: ['3'],
    supportedControl: [pagedResultsOid],
    supportedExtension: [passwordModifyOid, whoAmIOid],
    supportedFeatures: ['1.3.6.1.4.1.4203.1.5.1'], // all operational attributes by "+": RFC 3673
    vendorName: ['Waybill'],
    subschemaSubentry: [subschemaDn],
  });
}

const rules: Readonly<Record<Matching, string>> = {
  caseIgnore: 'EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15',
  octets: 'EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40',
  dn: 'EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12',
  time: 'EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24',
  uuid: 'EQUALITY UUIDMatch SYNTAX 1.3.6.1.1.16.1',
};

function subschema(): DirectoryEntry {
  return describe(parseDn(subschemaDn), {
    objectClass: ['top', 'subentry', 'subschema', 'extensibleObject'],
    cn: ['Subschema'],
    attributeTypes: attributeTypes.map(({ oid, name, otherNames, matching, values, usage }) => {
      const names = [name, ...otherNames].map((each) => `'${each}'`).join(' ');
      const single = values === 'one' ? ' SINGLE-VALUE' : '';
      return `( ${oid} NAME ( ${names} ) ${rules[matching]}${single}${usage === 'operational' ? ' NO-USER-MODIFICATION USAGE directoryOperation' : ''} )`;
    }),
  });
}

function describe(dn: DistinguishedName, attributes: Readonly<Record<string, readonly string[]>>): DirectoryEntry {
  return makeEntry(dn, Object.entries(attributes).map(([name, values]) => ({ name, values: values.map((value) => Buffer.from(value)) })));
}
