/** `waybill backup …` and `waybill account restore`: what is asked of the admin API, and how its answers are shown. */
import { z } from 'zod';
import { counted } from '../../shared/base/counted.ts';
import { sizeText } from '../../shared/page/dates.ts';
import { backupSchema } from '../admin/contract/jobs.ts';
import { accountOperations } from '../admin/contract/accounts.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { followJob } from './follow-job.ts';
import type { Job } from './follow-job.ts';
import { checkText } from './storage-command.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

type Options = ApiOptions & { readonly json?: boolean };

export interface Told {
  readonly text: string;
  readonly code: number;
}

/** Of a restore that could not bring everything. */
const notAllCode = 2;

/** @throws UsageError */
export async function backupMakeText(node: string, options: Options & { readonly name?: string }): Promise<string> {
  const { backup } = await followJob({ node, path: '/backups', body: options.name === undefined ? {} : { name: options.name } }, options);
  if (backup === undefined) throw new UsageError('the node tells of no backup');
  if (options.json === true) return JSON.stringify(backup, null, 2);
  const packs = backup.parts.reduce((sum, part) => sum + part.packs, 0);
  const shared = backup.parts.reduce((sum, part) => sum + part.sharedPacks, 0);
  return `backup ${backup.name} is whole: ${sizeText(backup.bytes)}, ${counted(packs, 'pack')}, ${String(shared)} of them shared with the one before`;
}

/** @throws UsageError */
export async function backupListText(node: string, options: Options): Promise<string> {
  const { backups } = z.object({ backups: z.array(backupSchema) }).parse(await (await openApi(options)).ask(`/nodes/${encodeURIComponent(node)}/backups`));
  if (options.json === true) return JSON.stringify(backups, null, 2);
  if (backups.length === 0) return 'there are no backups';
  return table([['BACKUP', 'MADE', 'OF', 'SIZE'], ...backups.map(({ name, madeAt, node: of, bytes }) => [name, madeAt, of, sizeText(bytes)])]);
}

/** @throws UsageError */
export async function backupCheckText({ node, name }: { readonly node: string; readonly name: string }, options: Options): Promise<Told> {
  return checkText(await followJob({ node, path: `/backups/${encodeURIComponent(name)}/check` }, options), options);
}

/** @throws UsageError */
export async function backupDeleteText({ node, name }: { readonly node: string; readonly name: string }, options: ApiOptions): Promise<string> {
  await (await openApi(options)).ask(`/nodes/${encodeURIComponent(node)}/backups/${encodeURIComponent(name)}`, { method: 'DELETE' });
  return `backup ${name} is deleted`;
}

/** @throws UsageError */
export async function backupRestoreText({ node, name }: { readonly node: string; readonly name: string }, options: Options): Promise<Told> {
  return restoredText(await followJob({ node, path: `/backups/${encodeURIComponent(name)}/restore` }, options), options);
}

/** At the back-end that has the account, or is to have it. @throws UsageError */
export async function accountRestoreText(address: string, options: Options & { readonly from: string; readonly mailbox?: string; readonly node?: string }): Promise<Told> {
  const node = options.node ?? await keeperOf(address, options);
  const body = { from: options.from, ...(options.mailbox === undefined ? {} : { mailbox: options.mailbox }) };
  return restoredText(await followJob({ node, path: `/accounts/${encodeURIComponent(address)}/restore`, body }, options), options);
}

async function keeperOf(address: string, options: ApiOptions): Promise<string> {
  const { records, directory } = accountOperations.showAccount.answer.parse(await (await openApi(options)).ask(`/accounts/${encodeURIComponent(address)}`));
  const live = Object.entries(records).find(([, { at }]) => at === 'live' || at === 'withdrawn')?.[0];
  const node = live ?? directory?.node;
  if (node === undefined) throw new UsageError(`no back-end has ${address}, and no directory says which is to have it: name it by --node`);
  return node;
}

const words = { 'as-it-was': 'as it was, with its UIDs', anew: 'made anew, with new UIDs', filled: 'was there; what it lacked has new UIDs' } as const;

function restoredText({ restored = [] }: Job, { json }: { readonly json?: boolean }): Told {
  const isWhole = restored.every(({ account, mailboxes }) => account !== 'failed' && mailboxes.every(({ damaged }) => damaged.length === 0));
  const code = isWhole ? 0 : notAllCode;
  if (json === true) return { text: JSON.stringify(restored, null, 2), code };
  return { text: restored.map(linesOf).join('\n'), code };
}

function linesOf({ address, account, failure, mailboxes }: NonNullable<Job['restored']>[number]): string {
  if (account === 'failed') return `${address}: not brought back: ${failure ?? ''}`;
  const messages = mailboxes.reduce((sum, one) => sum + one.messages, 0);
  const head = `${address}: ${counted(messages, 'message')} brought back; the account ${account === 'made' ? 'was made' : 'was there'}`;
  const rows = mailboxes.filter((one) => one.messages > 0 || one.how !== 'filled' || one.damaged.length > 0)
    .map(({ name, how, messages: count, damaged }) => [`  ${name}`, String(count), words[how], damaged.length === 0 ? '' : `not whole in the backup: UID ${damaged.join(', ')}`]);
  return rows.length === 0 ? head : `${head}\n${table(rows)}`;
}
