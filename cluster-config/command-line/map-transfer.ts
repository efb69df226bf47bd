/** `waybill map export` and `map import`: addresses, hosts and aliases of all users as CSV or LDIF, and what of such a file is to be changed in the directory. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../../shared/base/failure.ts';
import { formatLdif, formatRecord, joinRecords, parseLdif } from '../../shared/directory/ldif.ts';
import type { LdifRecord } from '../../shared/directory/ldif.ts';
import { addressIn, isTyped, typedAddress } from '../../shared/user-map/typed-address.ts';
import type { ListedEntry } from '../directory-listing.ts';
import { nodeOfMailHost } from '../effective.ts';
import { splitHostAndPort } from '../values.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { tellAudit } from './tell-audit.ts';
import { UsageError } from './usage-error.ts';

const csvHead = 'address,node,aliases';

/** One user as a file has it. `place` names the line or the record for complaints. */
interface Wanted {
  readonly place: string;
  readonly address: string;
  readonly host: string;
  readonly aliases: readonly string[];
}

/** All users with an address. @throws Failure, UsageError */
export async function mapExportText(options: ClusterOptions & { readonly format: string }): Promise<string> {
  const { format } = options;
  if (format !== 'csv' && format !== 'ldif') throw new UsageError(`the format is csv or ldif, not "${format}"`);
  return withCluster(options, async ({ directory }) => {
    const entries = (await directory.list()).toSorted((one, other) => ((one.addresses[0] ?? '') < (other.addresses[0] ?? '') ? -1 : 1));
    if (format === 'ldif') return formatLdif(entries.map(ldifOf)).trimEnd();
    return [csvHead, ...entries.map(({ addresses: [address = '', ...aliases], mailHost }) => `${address},${mailHost ?? ''},${aliases.join(' ')}`)].join('\n');
  });
}

function ldifOf({ dn, addresses: [address = '', ...aliases], mailHost, names }: ListedEntry): LdifRecord {
  const given: readonly (readonly [string, readonly string[]])[] = [[names.address, [address]], [names.host, mailHost === undefined ? [] : [mailHost]], [names.alias, aliases.map((alias) => typedAddress(names.alias, alias))]];
  return { dn, attributes: given.map(([name, values]) => ({ name, values: values.map((value) => Buffer.from(value)) })) };
}

export interface MapImport {
  /** LDIF for `ldapmodify`: what is still to be done. */
  readonly ldif: string;
  /** What was done, or would be. */
  readonly told: readonly string[];
}

/**
 * Compares a file with the directory. Nothing is changed unless `write`, and then hosts only: aliases stay in the LDIF.
 * @throws UsageError that names every bad line; then nothing was changed
 */
export async function mapImport(file: string, options: ClusterOptions & { readonly write?: boolean }): Promise<MapImport> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => { throw new UsageError(`${file} can't be read: ${error instanceof Error ? error.message : ''}`); });
  return withCluster(options, async (view) => {
    const entries = await view.directory.list();
    const byAddress = new Map(entries.map((entry) => [entry.addresses[0] ?? '', entry]));
    const wanted = /^(?:version:|dn:)/mu.test(text) ? fromLdif(text, entries) : fromCsv(text);
    const faults = wanted.flatMap((one) => faultsOf(view, one, byAddress.get(one.address)));
    if (faults.length > 0) throw new UsageError([`${file} has faults, nothing was changed:`, ...faults].join('\n'));
    const pairs = wanted.flatMap((one) => {
      const entry = byAddress.get(one.address);
      return entry === undefined ? [] : [{ one, entry }];
    });
    return apply(view, pairs, options.write === true ? 'write' : 'show');
  });
}

function fromCsv(text: string): Wanted[] {
  return text.split(/\r?\n/u).flatMap((line, index): Wanted[] => {
    if (line.trim() === '' || line.startsWith('#') || line.trim().toLowerCase() === csvHead) return [];
    const [address = '', host = '', aliases = ''] = line.split(',').map((field) => field.trim());
    return [{ place: `line ${String(index + 1)}`, address: address.toLowerCase(), host, aliases: aliases.toLowerCase().split(/\s+/u).filter((alias) => alias !== '') }];
  });
}

/** Each record by the names of its own directory: there may be several. */
function fromLdif(text: string, entries: readonly ListedEntry[]): Wanted[] {
  const namesOf = new Map(entries.map(({ dn, names }) => [dn, names]));
  return parseLdif(text).map(({ dn, attributes }) => {
    const names = namesOf.get(dn) ?? entries[0]?.names;
    const values = (name: string | undefined): string[] => attributes.filter((one) => one.name.toLowerCase() === name?.toLowerCase()).flatMap((one) => one.values.map((value) => value.toString()));
    const [address = '', ...more] = values(names?.address).map((value) => value.toLowerCase());
    return { place: dn, address, host: values(names?.host)[0] ?? '', aliases: [...more, ...values(names?.alias).flatMap((value) => addressIn(names?.alias ?? '', value)?.toLowerCase() ?? [])] };
  });
}

function faultsOf({ config }: ClusterView, { place, address, host }: Wanted, entry: ListedEntry | undefined): string[] {
  if (entry === undefined) return [`${place}: no entry has the address "${address}"`];
  const known = host === '' || nodeOfMailHost(config.nodes, host) !== undefined || host === entry.mailHost || splitHostAndPort(host) !== undefined;
  return known ? [] : [`${place}: "${host}" is no node of this cluster`];
}

async function apply(view: ClusterView, pairs: readonly { readonly one: Wanted; readonly entry: ListedEntry }[], manner: 'show' | 'write'): Promise<MapImport> {
  const records: LdifRecord[] = [];
  const told: string[] = [];
  for (const { one, entry } of pairs) {
    const [, ...aliases] = entry.addresses;
    if (one.host !== '' && one.host !== entry.mailHost) {
      told.push(`${one.address}: ${entry.mailHost ?? 'no host'} -> ${one.host}`);
      if (manner === 'show' || (await writeHost(view, one)) === 'by-hand') records.push(change(entry.dn, { operation: 'replace', attribute: entry.names.host, values: [one.host] }));
    }
    if (one.aliases.toSorted().join(' ') === aliases.toSorted().join(' ')) continue;
    told.push(`${one.address}: aliases ${aliases.join(' ') || 'none'} -> ${one.aliases.join(' ') || 'none'}`);
    records.push(...aliasChanges(entry, { from: aliases, to: one.aliases }));
  }
  if (manner === 'write' && told.length > 0) await tellAudit(view.cluster, { what: 'importMap', facts: { changes: told.length } });
  return { told, ldif: records.length === 0 ? '' : joinRecords(records.map(formatRecord)) };
}

async function writeHost({ directory }: ClusterView, { address, host }: Wanted): Promise<'written' | 'by-hand'> {
  const entry = await directory.maps.lookUp(address);
  if (entry === undefined) throw new Failure('directory-unavailable', `${address} has gone from the directory`);
  return (await directory.setHost(entry, host)).kind === 'by-hand' ? 'by-hand' : 'written';
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
