/**
 * What the embedded directory knows of attributes: other names, matching rules, which have one value only. It is light on
 * purpose: an attribute that is not listed is kept as text whose letter case doesn't matter.
 */

/** How values are compared, by the rules of RFC 4517 that slapd's schema gives these attributes. */
export type Matching = 'caseIgnore' | 'octets' | 'dn' | 'time' | 'uuid';

export interface AttributeType {
  readonly name: string;
  readonly otherNames: readonly string[];
  readonly matching: Matching;
  readonly values: 'one' | 'several';
  /** `operational` ones are kept by the server and returned on request only (RFC 4512 section 3.4). */
  readonly usage: 'user' | 'operational';
  readonly oid: string;
}

function define(oid: string, names: string, rules: { readonly matching?: Matching; readonly values?: 'one' } = {}): AttributeType {
  const [name = '', ...otherNames] = names.split(' ');
  return { name, otherNames, matching: rules.matching ?? 'caseIgnore', values: rules.values ?? 'several', usage: 'user', oid };
}

function operational(oid: string, name: string, matching: Matching): AttributeType {
  return { name, otherNames: [], matching, values: 'one', usage: 'operational', oid };
}

export const attributeTypes: readonly AttributeType[] = [
  define('2.5.4.0', 'objectClass'),
  define('2.5.4.3', 'cn commonName'),
  define('2.5.4.4', 'sn surname'),
  define('2.5.4.7', 'l localityName'),
  define('2.5.4.10', 'o organizationName'),
  define('2.5.4.11', 'ou organizationalUnitName'),
  define('2.5.4.12', 'title'),
  define('2.5.4.13', 'description'),
  define('2.5.4.20', 'telephoneNumber'),
  define('2.5.4.31', 'member', { matching: 'dn' }),
  define('2.5.4.34', 'seeAlso', { matching: 'dn' }),
  define('2.5.4.35', 'userPassword', { matching: 'octets' }),
  define('2.5.4.42', 'givenName gn'),
  define('0.9.2342.19200300.100.1.1', 'uid userid'),
  define('0.9.2342.19200300.100.1.3', 'mail rfc822Mailbox'),
  define('0.9.2342.19200300.100.1.25', 'dc domainComponent', { values: 'one' }),
  define('0.9.2342.19200300.100.1.60', 'jpegPhoto', { matching: 'octets' }),
  define('2.16.840.1.113730.3.1.241', 'displayName', { values: 'one' }),
  define('2.16.840.1.113730.3.1.13', 'mailLocalAddress'),
  define('2.16.840.1.113730.3.1.18', 'mailHost', { values: 'one' }),
  define('2.16.840.1.113730.3.1.47', 'mailRoutingAddress', { values: 'one' }),
  define('2.25.96852099498063866732089191096895479224.1.4', 'waybillVersion', { values: 'one' }),
  define('2.25.96852099498063866732089191096895479224.1.5', 'waybillDocument', { matching: 'octets', values: 'one' }),
  define('2.25.96852099498063866732089191096895479224.1.6', 'waybillFact', { matching: 'octets' }),
  operational('1.3.6.1.1.16.4', 'entryUUID', 'uuid'),
  operational('2.5.18.1', 'createTimestamp', 'time'),
  operational('2.5.18.2', 'modifyTimestamp', 'time'),
  operational('2.5.18.10', 'subschemaSubentry', 'dn'),
  operational('1.3.6.1.1.20', 'entryDN', 'dn'),
];

const byName: ReadonlyMap<string, AttributeType> = new Map(
  attributeTypes.flatMap((type) => [type.name, type.oid, ...type.otherNames].map((name) => [name.toLowerCase(), type])),
);

/** The type of an attribute description (options such as `;binary` aside); undefined when it is not listed. */
export function attributeType(description: string): AttributeType | undefined {
  return byName.get(description.toLowerCase().split(';', 1)[0] ?? '');
}

/** The key under which an attribute is kept: its first name in lower case, with its options. */
export function attributeKey(description: string): string {
  const [base = '', ...options] = description.toLowerCase().split(';');
  return [byName.get(base)?.name.toLowerCase() ?? base, ...options].join(';');
}

/** The form of a value in which equal values are the same text (RFC 4518: letter case and runs of spaces). */
export function normaliseValue(attribute: string, value: string): string {
  switch (attributeType(attribute)?.matching) {
    case 'octets':
      return value;
    case 'time':
      return value.replace(/\.0+Z$/, 'Z');
    default:
      return value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
  }
}

/** The name as the schema writes it, options kept; unlisted ones as they came. */
export function canonicalName(description: string): string {
  const [base = '', ...options] = description.split(';');
  return [byName.get(base.toLowerCase())?.name ?? base, ...options].join(';');
}
