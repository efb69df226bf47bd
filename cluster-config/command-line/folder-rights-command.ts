/** `waybill folder rights …`: what others may do with folders of an account: asked of the admin API. */
import { levels } from '../../shared/imap/rights-levels.ts';
import type { Level } from '../../shared/imap/rights-levels.ts';
import { rightMeanings } from '../../shared/imap/rights.ts';
import { folderRightsOperations } from '../admin/contract/folder-rights.ts';
import type { ActOutcome } from './account-life-command.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

export interface FolderRightsOptions extends ApiOptions {
  readonly json?: boolean;
}

export interface SetFolderRightsOptions extends FolderRightsOptions {
  readonly level?: string;
  readonly allow?: string;
  readonly deny?: string;
  readonly subfolders?: boolean;
}

/** Of one folder also what holds from those above. @throws Failure, UsageError */
export async function listFolderRights(given: string, folder: string | undefined, options: FolderRightsOptions): Promise<ActOutcome> {
  const api = await openApi(options);
  const { entries } = folderRightsOperations.listFolderRights.answer.parse(await api.ask(`${pathOf(await api.complete(given))}${queryOf({ folder })}`));
  const rows = entries.map((entry) => [entry.folder, entry.who, entry.level, entry.allow, entry.deny, entry.subfolders ? 'and those below' : '']);
  return done(options.json === true ? JSON.stringify({ entries }) : table([['FOLDER', 'WHO', 'LEVEL', 'ALLOWED', 'DENIED', ''], ...rows]));
}

/** @throws Failure, UsageError */
export async function setFolderRights(given: string, what: { readonly folder: string; readonly who: string }, options: SetFolderRightsOptions): Promise<ActOutcome> {
  const { level, deny = '', subfolders = false } = options;
  if ((level === undefined) === (options.allow === undefined) && (level !== undefined || deny === '')) throw new UsageError('say what: --level, or --allow and --deny');
  if (level !== undefined && !isLevel(level)) throw new UsageError(`there is no level ${level}: there are ${Object.keys(levels).join(', ')}`);
  const allow = level === undefined ? (options.allow ?? '') : levels[level];
  const api = await openApi(options);
  const entry = folderRightsOperations.setFolderRights.answer.parse(await api.ask(pathOf(await api.complete(given)), { method: 'PUT', body: { ...what, allow, deny, subfolders } }));
  if (options.json === true) return done(JSON.stringify(entry));
  return done(`${entry.who} at ${entry.folder}${entry.subfolders ? ' and below' : ''}: ${entry.level}${entry.allow === '' ? '' : ` (${entry.allow})`}${entry.deny === '' ? '' : `, denied ${entry.deny}`}`);
}

/** @throws Failure, UsageError */
export async function removeFolderRights(given: string, { folder, who }: { readonly folder: string; readonly who: string }, options: FolderRightsOptions): Promise<ActOutcome> {
  const api = await openApi(options);
  const { removed } = folderRightsOperations.removeFolderRights.answer.parse(await api.ask(`${pathOf(await api.complete(given))}${queryOf({ folder, who })}`, { method: 'DELETE' }));
  if (options.json === true) return done(JSON.stringify({ removed }));
  return done(removed ? `nothing is said of ${who} at ${folder} any more` : `nothing was said of ${who} at ${folder}`);
}

/** @throws Failure, UsageError */
export async function effectiveRights(given: string, { folder, user }: { readonly folder: string; readonly user: string }, options: FolderRightsOptions): Promise<ActOutcome> {
  const api = await openApi(options);
  const [address, asked] = [await api.complete(given), await api.complete(user)];
  const answer = folderRightsOperations.showEffectiveRights.answer.parse(await api.ask(`${pathOf(address)}/effective${queryOf({ folder, user: asked })}`));
  if (options.json === true) return done(JSON.stringify(answer));
  const may = [...answer.rights].map((right) => `  ${right}  ${rightMeanings[right] ?? ''}`);
  const because = answer.because.map((entry) => [`  ${entry.folder}`, entry.who, `allows ${entry.allow === '' ? 'nothing' : entry.allow}`, entry.deny === '' ? '' : `denies ${entry.deny}`]);
  return done([`${asked} at ${folder} of ${address}: ${answer.level}`, ...may, ...(because.length === 0 ? [] : ['because of', table(because)])].join('\n'));
}

function isLevel(text: string): text is Level {
  return Object.hasOwn(levels, text);
}

function pathOf(address: string): string {
  return `/accounts/${encodeURIComponent(address)}/folder-rights`;
}

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

function done(text: string): ActOutcome {
  return { text, complaints: [], exitCode: 0 };
}
