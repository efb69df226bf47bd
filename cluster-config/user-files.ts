/**
 * Files of users (`waybill map export`): addresses, hosts and aliases as CSV or LDIF, and what of such a file is to be changed in the
 * directory. Hosts can be written; aliases are told as LDIF.
 */
import { Failure } from '../shared/base/failure.ts';
import { LdifError, formatLdif, formatRecord, joinRecords, parseLdif } from '../shared/directory/ldif.ts';
import type { LdifRecord } from '../shared/directory/ldif.ts';
import { addressIn, isTyped, typedAddress } from '../shared/user-map/typed-address.ts';
import type { DirectoryAccess } from './directory-access.ts';
import type { ListedEntry } from './directory-listing.ts';
import { nodeOfMailHost } from './effective.ts';
import type { NodeConfig } from './effective.ts';
import { splitHostAndPort } from './values.ts';

export type UserFileFormat = 'csv' | 'ldif';

const csvHead = 'address,node,aliases';

/** A file of users, or a part of one: whole lines or records. */
export interface UserFile {
  readonly format: UserFileFormat;
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly firstLine: number;
}

/** What can't be used, and where: a line, or the DN of a record. */
export interface Mistake {
  readonly where: string;
  readonly what: string;
}

export function formatOf(text: string): UserFileFormat {
  return /^(?:version:|dn:)/mu.test(text) ? 'ldif' : 'csv';
}

/** What is written of an entry. */
export type WrittenEntry = Pick<ListedEntry, 'dn' | 'addresses' | 'mailHost' | 'names'>;

export function userFile(format: UserFileFormat, given: readonly WrittenEntry[]): string {
  const entries = given.toSorted((one, other) => ((one.addresses[0] ?? '') < (other.addresses[0] ?? '') ? -1 : 1));
  if (format === 'ldif') return formatLdif(entries.map(ldifOf)).trimEnd();
  return [csvHead, ...entries.map(({ addresses: [address = '', ...aliases], mailHost }) => `${address},${mailHost ?? ''},${aliases.join(' ')}`)].join('\n');
}

function ldifOf({ dn, addresses: [address = '', ...aliases], mailHost, names }: WrittenEntry): LdifRecord {
  const given: readonly (readonly [string, readonly string[]])[] = [[names.address, [address]], [names.host, mailHost === undefined ? [] : [mailHost]], [names.alias, aliases.map((alias) => typedAddress(names.alias, alias))]];
  return { dn, attributes: given.map(([name, values]) => ({ name, values: values.map((value) => Buffer.from(value)) })) };
}

/** One user as a file has it. */
interface Wanted {
  readonly place: string;
  readonly address: string;
  readonly host: string;
  readonly aliases: readonly string[];
}

export interface Pair {
  readonly one: Wanted;
  readonly entry: ListedEntry;
}

export interface Compared {
  readonly mistakes: readonly Mistake[];
  readonly pairs: readonly Pair[];
}

/** @param entries all that may be touched */
export function compareUsers({ nodes }: Pick<NodeConfig, 'nodes'>, entries: readonly ListedEntry[], file: UserFile): Compared {
  const byAddress = new Map(entries.map((entry) => [entry.addresses[0] ?? '', entry]));
  const wanted = file.format === 'ldif' ? readLdif(file, entries) : fromCsv(file);
  if (!Array.isArray(wanted)) return { mistakes: [wanted], pairs: [] };
  return {
    mistakes: wanted.flatMap((one) => mistakesOf(nodes, one, byAddress.get(one.address))),
    pairs: wanted.flatMap((one) => {
      const entry = byAddress.get(one.address);
      return entry === undefined ? [] : [{ one, entry }];
    }),
  };
}

function fromCsv({ text, firstLine }: UserFile): Wanted[] {
  return text.split(/\r?\n/u).flatMap((line, index): Wanted[] => {
    if (line.trim() === '' || line.startsWith('#') || line.trim().toLowerCase() === csvHead) return [];
    const [address = '', host = '', aliases = ''] = line.split(',').map((field) => field.trim());
    return [{ place: `line ${String(index + firstLine)}`, address: address.toLowerCase(), host, aliases: aliases.toLowerCase().split(/\s+/u).filter((alias) => alias !== '') }];
  });
}

/** Or what makes it no LDIF. */
function readLdif(file: UserFile, entries: readonly ListedEntry[]): Wanted[] | Mistake {
  try {
    return fromLdif(file, entries);
  } catch (error) {
    if (!(error instanceof LdifError)) throw error;
    const [, where = 'the text', what = error.message] = /^(line \d+): (.*)$/s.exec(error.message) ?? [];
    return { where, what };
  }
}

/** Each record by the names of its own directory: there may be several. */
function fromLdif({ text, firstLine }: UserFile, entries: readonly ListedEntry[]): Wanted[] {
  const namesOf = new Map(entries.map(({ dn, names }) => [dn, names]));
  return parseLdif(text, firstLine).map(({ dn, attributes }) => {
    const names = namesOf.get(dn) ?? entries[0]?.names;
    const values = (name: string | undefined): string[] => attributes.filter((one) => one.name.toLowerCase() === name?.toLowerCase()).flatMap((one) => one.values.map((value) => value.toString()));
    const [address = '', ...more] = values(names?.address).map((value) => value.toLowerCase());
    return { place: dn, address, host: values(names?.host)[0] ?? '', aliases: [...more, ...values(names?.alias).flatMap((value) => addressIn(names?.alias ?? '', value)?.toLowerCase() ?? [])] };
  });
}

function mistakesOf(nodes: NodeConfig['nodes'], { place, address, host }: Wanted, entry: ListedEntry | undefined): Mistake[] {
  if (entry === undefined) return [{ where: place, what: `no entry has the address "${address}"` }];
  const known = host === '' || nodeOfMailHost(nodes, host) !== undefined || host === entry.mailHost || splitHostAndPort(host) !== undefined;
  return known ? [] : [{ where: place, what: `"${host}" is no node of this cluster` }];
}

/** What is to be done, or was. */
export interface UserChanges {
  /** LDIF for `ldapmodify`: what is still to be done. */
  readonly ldif: string;
  /** What was done, or would be, in words. */
  readonly told: readonly string[];
}

/** @param writeHost says what became of a host that differs. @throws what it throws; then those before are written */
export async function changesOf(pairs: readonly Pair[], writeHost: (address: string, host: string) => Promise<'written' | 'by-hand'>): Promise<UserChanges> {
  const records: LdifRecord[] = [];
  const told: string[] = [];
  for (const { one, entry } of pairs) {
    const [, ...aliases] = entry.addresses;
    if (one.host !== '' && one.host !== entry.mailHost) {
      told.push(`${one.address}: ${entry.mailHost ?? 'no host'} -> ${one.host}`);
      if ((await writeHost(one.address, one.host)) === 'by-hand') records.push(change(entry.dn, { operation: 'replace', attribute: entry.names.host, values: [one.host] }));
    }
    if (one.aliases.toSorted().join(' ') === aliases.toSorted().join(' ')) continue;
    told.push(`${one.address}: aliases ${aliases.join(' ') || 'none'} -> ${one.aliases.join(' ') || 'none'}`);
    records.push(...aliasChanges(entry, { from: aliases, to: one.aliases }));
  }
  return { told, ldif: records.length === 0 ? '' : joinRecords(records.map(formatRecord)) };
}

/** For `changesOf`: nothing is written. */
export async function leaveHost(): Promise<'by-hand'> {
  return Promise.resolve('by-hand');
}

/** For `changesOf`: hosts are written where somebody may. */
export function hostWriter({ maps, setHost }: Pick<DirectoryAccess, 'maps' | 'setHost'>): (address: string, host: string) => Promise<'written' | 'by-hand'> {
  return async (address, host) => {
    const entry = await maps.lookUp(address);
    if (entry === undefined) throw new Failure('directory-unavailable', `${address} has gone from the directory`);
    return (await setHost(entry, host)).kind === 'by-hand' ? 'by-hand' : 'written';
  };
}

/** Among typed addresses are values that are no aliases of ours: there only what differs is taken out and put in. */
function aliasChanges({ dn, names }: ListedEntry, { from, to }: { readonly from: readonly string[]; readonly to: readonly string[] }): LdifRecord[] {
  if (!isTyped(names.alias)) return [change(dn, { operation: 'replace', attribute: names.alias, values: to })];
  const typed = (list: readonly string[], other: readonly string[]): string[] => list.filter((alias) => !other.includes(alias)).map((alias) => typedAddress(names.alias, alias));
  const [gone, fresh] = [typed(from, to), typed(to, from)];
  return [...(gone.length === 0 ? [] : [change(dn, { operation: 'delete', attribute: names.alias, values: gone })]), ...(fresh.length === 0 ? [] : [change(dn, { operation: 'add', attribute: names.alias, values: fresh })])];
}

/** A change record (RFC 2849) for one attribute; `replace` takes all values that it has. */
function change(dn: string, { operation, attribute, values }: { readonly operation: 'add' | 'delete' | 'replace'; readonly attribute: string; readonly values: readonly string[] }): LdifRecord {
  const lines: readonly (readonly [string, readonly string[]])[] = [['changetype', ['modify']], [operation, [attribute]], [attribute, values]];
  return { dn, attributes: lines.map(([name, texts]) => ({ name, values: texts.map((text) => Buffer.from(text)) })) };
}
