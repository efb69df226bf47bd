/** Mailing groups as entries of a directory: made and removed where it can be written, told as LDIF where not. */
import { Failure } from '../shared/base/failure.ts';
import { formatDn, parseDn } from '../shared/directory/dn.ts';
import type { NewAttribute } from '../shared/ldap/result-message.ts';
import { withWriter } from '../shared/ldap/value-writer.ts';
import type { WriterOptions } from '../shared/ldap/value-writer.ts';
import type { ConnectorParameters } from './connector-parameters.ts';
import type { DirectoryChange } from './directory-changes.ts';
import { serverDefaults } from './server-defaults.ts';

export interface NewGroup {
  readonly address: string;
  readonly members: readonly GroupMember[];
}

/** Named by the entry that it has in the directory of that map, else by the address. */
export interface GroupMember {
  readonly address: string;
  readonly dn?: string | undefined;
  readonly map?: string | undefined;
}

export interface GroupPlace {
  readonly parameters: ConnectorParameters;
  /** Whether a member's entry is in this very directory. */
  readonly isOwn: (member: GroupMember) => boolean;
  /** Undefined where the connector names nobody who may write. */
  readonly writer: WriterOptions | undefined;
}

/** @throws Failure('bad-input') for what the directory has no place for, Failure('directory-unavailable') with what it says against it */
export async function addGroupEntry(place: GroupPlace, group: NewGroup): Promise<{ readonly dn: string; readonly change: DirectoryChange }> {
  const { writer } = place;
  const { dn, attributes } = groupEntry(place, group);
  if (writer === undefined) return { dn, change: { kind: 'by-hand', ldif: `dn: ${dn}\nchangetype: add\n${attributes.flatMap(({ attribute, values }) => values.map((value) => `${attribute}: ${String(value)}\n`)).join('')}` } };
  await withWriter(writer, `the new entry ${dn}`, async (connection) => connection.add(dn, attributes));
  return { dn, change: { kind: 'written' } };
}

/** @throws Failure('directory-unavailable') */
export async function removeGroupEntry({ writer }: Pick<GroupPlace, 'writer'>, dn: string): Promise<DirectoryChange> {
  if (writer === undefined) return { kind: 'by-hand', ldif: `dn: ${dn}\nchangetype: delete\n` };
  await withWriter(writer, `the entry ${dn}`, async (connection) => connection.delete(dn));
  return { kind: 'written' };
}

/** Pure. */
export function groupEntry({ parameters, isOwn }: Omit<GroupPlace, 'writer'>, { address, members }: NewGroup): { readonly dn: string; readonly attributes: readonly NewAttribute[] } {
  const { groups, searchBase, serverType, attributes: names } = parameters;
  if (groups === undefined) throw noGroups(parameters);
  const cn = address.slice(0, address.lastIndexOf('@'));
  const dn = formatDn([[{ attribute: 'cn', value: cn }], ...parseDn(groups.newEntries?.base ?? groups.searchBase ?? searchBase)]);
  const entries = members.filter(isOwn).flatMap((member) => member.dn ?? []);
  const addresses = members.filter((member) => !isOwn(member)).map((member) => member.address);
  const [foreign] = addresses;
  if (foreign !== undefined && groups.addressAttribute === undefined) throw new Failure('bad-input', `${foreign} has no entry in the directory, and the connector ${parameters.name} names no attribute for addresses of members (ldapConnectors[].groups.addressAttribute)`);
  const objectClasses = groups.newEntries?.objectClasses ?? serverDefaults[serverType].groupClasses;
  if (entries.length === 0 && objectClasses.some((one) => /^groupOf(?:Unique)?Names$/i.test(one))) throw new Failure('bad-input', 'a group in this directory needs a member with an entry of its own (RFC 4519 section 3.5): name one');
  const optional = (attribute: string | undefined, values: readonly string[]): NewAttribute[] => (attribute === undefined || values.length === 0 ? [] : [{ attribute, values }]);
  return {
    dn,
    attributes: [
      { attribute: 'objectClass', values: objectClasses }, { attribute: 'cn', values: [cn] }, { attribute: names.address, values: [address] },
      // A universal distribution group: for mail only, it grants nothing ([MS-ADTS] section 2.2.12).
      ...(serverType === 'activeDirectory' ? [{ attribute: 'groupType', values: ['8'] }, { attribute: 'sAMAccountName', values: [address.replaceAll(/["/\\[\]:;|=,+*?<>@]/g, '-').slice(0, 64)] }] : []),
      ...optional(groups.memberAttribute, entries), ...optional(groups.addressAttribute, addresses),
    ],
  };
}

function noGroups({ name }: ConnectorParameters): Failure {
  return new Failure('bad-input', `the connector ${name} knows no groups (ldapConnectors[].groups)`);
}
