/** What administrators change of users in a directory: address, whether and for what the account is in use. Written where it can be, told as LDIF where not. */
import { Failure } from '../shared/base/failure.ts';
import type { AccountService, AccountStatus } from '../shared/access/account-use.ts';
import { writeEntry } from '../shared/ldap/value-writer.ts';
import type { EntryValues, WriterOptions } from '../shared/ldap/value-writer.ts';
import type { ConnectorParameters } from './connector-parameters.ts';

export type UserChange =
  | { readonly kind: 'terms'; readonly status?: AccountStatus | undefined; readonly services?: readonly AccountService[] | 'all' | undefined }
  /** A member of a group, by the name of its entry, or by its address where it has none. */
  | { readonly kind: 'member'; readonly change: 'add' | 'remove'; readonly member: { readonly dn: string } | { readonly address: string } }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly oldAddress: 'kept' | 'dropped' };

/** What came of it. */
export type DirectoryChange =
  | { readonly kind: 'written' | 'already' }
  /** Nobody may write it from here: LDIF for `ldapmodify`. */
  | { readonly kind: 'by-hand'; readonly ldif: string }
  /** The directory has no place for it; `why` names the parameter that would give it one. */
  | { readonly kind: 'no-place'; readonly why: string };

export interface ChangedEntry {
  readonly dn: string;
  readonly parameters: ConnectorParameters;
  /** Undefined where the connector names nobody who may write. */
  readonly writer: WriterOptions | undefined;
}

/** @throws Failure('directory-unavailable') with what the directory says against it */
export async function changeUser({ dn, parameters, writer }: ChangedEntry, change: UserChange): Promise<DirectoryChange> {
  const plan = planOf(parameters, change);
  if (plan.missing.length > 0 && plan.attributes.length === 0) {
    return { kind: 'no-place', why: `the connector ${parameters.name} names no attribute for it (ldapConnectors[].${plan.missing.map((name) => (name.includes('.') ? name : `attributes.${name}`)).join(', ')})` };
  }
  if (writer === undefined) return { kind: 'by-hand', ldif: ldifOf(dn, plan.sketch, change.kind === 'member' ? (change.change === 'add' ? 'add' : 'delete') : 'replace') };
  return { kind: await writeEntry(writer, { dn, attributes: plan.attributes, next: plan.next }) };
}

function planOf(parameters: ConnectorParameters, change: UserChange): Plan {
  switch (change.kind) {
    case 'rename': return renamePlan(parameters, change);
    case 'terms': return termsPlan(parameters, change);
    case 'member': return memberPlan(parameters, change);
  }
}

interface Plan {
  readonly attributes: readonly string[];
  /** Parameters without which a part of the change has no place. */
  readonly missing: readonly string[];
  readonly next: (present: EntryValues) => EntryValues;
  /** For people: values by attribute, as they are to be. */
  readonly sketch: EntryValues;
}

function termsPlan({ attributes: names }: ConnectorParameters, { status, services }: Extract<UserChange, { kind: 'terms' }>): Plan {
  const wanted: Record<string, readonly string[]> = {};
  const missing: string[] = [];
  if (status !== undefined) {
    if (names.status === undefined) missing.push('status');
    else wanted[names.status] = status === 'active' ? [] : [status];
  }
  if (services !== undefined) {
    if (names.services === undefined) missing.push('services');
    else wanted[names.services] = services === 'all' ? [] : services;
  }
  return { attributes: Object.keys(wanted), missing, next: () => wanted, sketch: wanted };
}

function memberPlan({ groups }: ConnectorParameters, { change, member }: Extract<UserChange, { kind: 'member' }>): Plan {
  const [attribute, value] = 'dn' in member ? [groups?.memberAttribute, member.dn] : [groups?.addressAttribute, member.address];
  if (attribute === undefined) return { attributes: [], missing: ['groups.addressAttribute'], next: (present) => present, sketch: {} };
  const isIt = (one: string): boolean => one.trim().toLowerCase() === value.toLowerCase();
  const next = (present: EntryValues): EntryValues => {
    const others = (present[attribute] ?? []).filter((one) => !isIt(one));
    return { [attribute]: change === 'add' ? [...others, value] : others };
  };
  return { attributes: [attribute], missing: [], next, sketch: { [attribute]: [value] } };
}

function renamePlan({ attributes: { address, alias }, serverType }: ConnectorParameters, { from, to, oldAddress }: Extract<UserChange, { kind: 'rename' }>): Plan {
  // Active Directory's proxyAddresses say of each address of what kind it is.
  const typed = serverType === 'activeDirectory' && alias.toLowerCase() === 'proxyaddresses' ? 'smtp:' : '';
  const isOf = (value: string, wanted: string): boolean => value.trim().toLowerCase().replace(/^smtp:/, '') === wanted;
  const next = (present: EntryValues): EntryValues => {
    const addresses = present[address] ?? [];
    if (!addresses.some((value) => isOf(value, from)) && !addresses.some((value) => isOf(value, to))) {
      throw new Failure('in-use', `the entry's ${address} was changed by somebody else meanwhile`);
    }
    const others = addresses.filter((value) => !isOf(value, from) && !isOf(value, to));
    const aliases = (present[alias] ?? []).filter((value) => !isOf(value, from) && !isOf(value, to));
    return { [address]: [to, ...others], [alias]: oldAddress === 'kept' ? [...aliases, `${typed}${from}`] : aliases };
  };
  return { attributes: [address, alias], missing: [], next, sketch: { [address]: [to], ...(oldAddress === 'kept' ? { [alias]: [`${typed}${from}`] } : {}) } };
}

function ldifOf(dn: string, values: EntryValues, how: 'add' | 'delete' | 'replace'): string {
  const changes = Object.entries(values).map(([attribute, wanted]) => `${how}: ${attribute}\n${wanted.map((value) => `${attribute}: ${value}\n`).join('')}-\n`);
  return `dn: ${dn}\nchangetype: modify\n${changes.join('')}`;
}
