/** `waybill map export` and `map import`: files of users from and for the directory, on a node's machine or, with --server, from elsewhere. */
import { readFile } from 'node:fs/promises';
import { joinRecords } from '../../shared/directory/ldif.ts';
import { accountOperations } from '../admin/contract/accounts.ts';
import { longestPart, userMapOperations } from '../admin/contract/user-map.ts';
import { importHosts } from '../host-import.ts';
import { changesOf, compareUsers, formatOf, leaveHost, userFile } from '../user-files.ts';
import type { Mistake, UserChanges, UserFile, UserFileFormat, WrittenEntry } from '../user-files.ts';
import type { SilentNode } from '../admin/address-news.ts';
import type { NodesText } from './ask-nodes.ts';
import { openApi } from './api-client.ts';
import type { ApiClient, ServerOptions } from './api-client.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions } from './cluster-view.ts';
import { pagesOf } from './api-pages.ts';
import { complaintOf } from './session-command.ts';
import { tellAudit } from './tell-audit.ts';
import { UsageError } from './usage-error.ts';
import { partsOf } from './user-file-parts.ts';

export type MapExportOptions = ClusterOptions & ServerOptions & { readonly format: string };
export type MapImportOptions = ClusterOptions & ServerOptions & { readonly write?: boolean };

/** What was done or would be, and who did not hear of it. */
type Imported = UserChanges & Pick<NodesText, 'complaints'>;

/** All users with an address. @throws Failure, UsageError */
export async function mapExportText(options: MapExportOptions): Promise<string> {
  const { format } = options;
  if (format !== 'csv' && format !== 'ldif') throw new UsageError(`the format is csv or ldif, not "${format}"`);
  if (options.server !== undefined) return userFile(format, await entriesFrom(await openApi(options)));
  return withCluster(options, async ({ directory }) => userFile(format, await directory.list()));
}

async function entriesFrom(api: ApiClient): Promise<readonly WrittenEntry[]> {
  const all: WrittenEntry[] = [];
  const pages = pagesOf(async (query) => accountOperations.searchDirectory.answer.parse(await api.ask(`/directory?${query}`)));
  for await (const { entries } of pages) for (const { dn, addresses, mailHost, names } of entries) all.push({ dn, addresses, mailHost, names });
  return all;
}

/**
 * Compares a file with the directory. Nothing is changed unless `write`, and then hosts only: aliases stay in the LDIF.
 * @throws UsageError that names every bad line; then nothing was changed
 */
export async function mapImport(file: string, options: MapImportOptions): Promise<Imported> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => { throw new UsageError(`${file} can't be read: ${error instanceof Error ? error.message : ''}`); });
  const given = { name: file, text, format: formatOf(text) };
  const manner = options.write === true ? 'write' : 'show';
  if (options.server !== undefined) return importFrom(await openApi(options), given, manner);
  return withCluster(options, async ({ cluster, config, directory, frontends }) => {
    const { mistakes, pairs } = compareUsers(config, await directory.list(), { ...given, firstLine: 1 });
    refuseMistakes(file, mistakes);
    if (manner === 'show') return { ...await changesOf(pairs, leaveHost), complaints: [] };
    return imported(await importHosts({
      directory, frontends,
      note: async ({ hosts, first }) => (hosts === 0 ? undefined : tellAudit(cluster, { what: 'importMap', facts: { hosts, first: [...first] } })),
    }, pairs));
  });
}

interface GivenFile {
  readonly name: string;
  readonly text: string;
  readonly format: UserFileFormat;
}

/** All parts are compared before anything is written. */
async function importFrom(api: ApiClient, { name, text, format }: GivenFile, manner: 'show' | 'write'): Promise<Imported> {
  const parts = partsOf({ format, text }, longestPart);
  const compared = await each(parts, async (body) => userMapOperations.compareMap.answer.parse(await api.ask('/directory/compare', { method: 'POST', body })));
  refuseMistakes(name, compared.flatMap(({ mistakes }) => mistakes));
  if (manner === 'show') return together(compared.map((changes) => ({ ...changes, complaints: [] })));
  return together(await each(parts, async (body) => imported(userMapOperations.importMap.answer.parse(await api.ask('/directory/import', { method: 'POST', body }).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}\nIt was part ${String(parts.indexOf(body) + 1)} of ${String(parts.length)}: hosts of it may be written, those of the parts before it are. The audit says which; the same import again does the rest.`);
  })))));
}

/** One after the other. */
async function each<T>(parts: readonly UserFile[], ask: (part: UserFile) => Promise<T>): Promise<readonly T[]> {
  const answers: T[] = [];
  for (const part of parts) answers.push(await ask(part));
  return answers;
}

function together(parts: readonly Imported[]): Imported {
  const records = parts.flatMap(({ ldif }) => (ldif === '' ? [] : [ldif.slice(joinRecords([]).length)]));
  return { told: parts.flatMap(({ told }) => told), ldif: records.length === 0 ? '' : joinRecords(records), complaints: [...new Set(parts.flatMap(({ complaints }) => complaints))] };
}

function imported({ told, ldif, silent }: UserChanges & { readonly silent: readonly SilentNode[] }): Imported {
  return { told, ldif, complaints: silent.map(({ node, reason }) => `${complaintOf(node, reason)}: it may go on with the hosts of before until routing.positiveAgeSeconds are over`) };
}

function refuseMistakes(file: string, mistakes: readonly Mistake[]): void {
  if (mistakes.length > 0) throw new UsageError([`${file} has faults, nothing was changed:`, ...mistakes.map(({ where, what }) => `${where}: ${what}`)].join('\n'));
}
