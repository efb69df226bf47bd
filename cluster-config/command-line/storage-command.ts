/** `waybill storage …`: what is asked of the admin API, and how its answers are shown. */
import { z } from 'zod';
import { counted } from '../../shared/base/counted.ts';
import { definite } from '../../shared/base/definite.ts';
import { sizeText } from '../../shared/page/dates.ts';
import { storageSchema } from '../admin/contract/storages.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { followJob } from './follow-job.ts';
import type { Job } from './follow-job.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

const storagesSchema = z.object({ storages: z.array(storageSchema) });
const lockedSchema = z.object({ until: z.string(), directories: z.array(z.string()) });
const unlockedSchema = z.object({ held: z.enum(['held', 'ended', 'none']) });
/** Of a check that has found something. */
const foundCode = 2;

/** @throws UsageError */
export async function storageStatsText(node: string, options: ApiOptions & { readonly json?: boolean }): Promise<string> {
  const { storages } = storagesSchema.parse(await (await openApi(options)).ask(`/nodes/${encodeURIComponent(node)}/storages`));
  if (options.json === true) return JSON.stringify(storages, null, 2);
  const size = (bytes: number | undefined): string => (bytes === undefined ? '' : sizeText(bytes));
  const dead = ({ packBytes, liveBytes }: z.output<typeof storageSchema>): string => (packBytes === undefined || liveBytes === undefined ? '' : sizeText(Math.max(0, packBytes - liveBytes)));
  const rows = storages.map((one) => [one.directory, [one.state, one.reason, one.lockedUntil === undefined ? undefined : `locked until ${one.lockedUntil}`].filter((word) => word !== undefined).join(', '), String(one.accounts ?? ''), size(one.mailBytes), size(one.liveBytes), dead(one), size(one.indexBytes), size(one.freeBytes)]);
  return table([['STORAGE', 'STATE', 'ACCOUNTS', 'CHARGED', 'LIVE', 'DEAD', 'INDEX', 'FREE'], ...rows]);
}

/** @throws UsageError for seconds that can't be one, or as the API refuses */
export async function storageLockText(node: string, options: ApiOptions & { readonly seconds?: string }): Promise<string> {
  const { seconds } = options;
  if (seconds !== undefined && !/^[1-9]\d{0,3}$/.test(seconds)) throw new UsageError('--seconds is a number from 1 to 3600');
  const { until, directories } = lockedSchema.parse(await (await openApi(options)).ask(`/nodes/${encodeURIComponent(node)}/storages/lock`, { method: 'POST', body: seconds === undefined ? {} : { seconds: Number(seconds) } }));
  return `locked until ${until}:\n${directories.join('\n')}`;
}

/** @throws UsageError also when the lock had not held until now */
export async function storageUnlockText(node: string, options: ApiOptions): Promise<string> {
  const { held } = unlockedSchema.parse(await (await openApi(options)).ask(`/nodes/${encodeURIComponent(node)}/storages/lock`, { method: 'DELETE' }));
  if (held === 'ended') throw new UsageError(`the lock of ${node} had ended by itself: what was copied meanwhile is not of one moment. Copy again, with a longer --seconds`);
  if (held === 'none') throw new UsageError(`${node} was not locked`);
  return `${node} is unlocked; it was locked until now`;
}

/** What was found, and the exit code for it. @throws UsageError */
export async function storageCheckText(node: string, options: ApiOptions & { readonly directory?: string; readonly json?: boolean }): Promise<{ readonly text: string; readonly code: number }> {
  const job = await followJob({ node, path: '/storages/check', body: options.directory === undefined ? {} : { directory: options.directory } }, options);
  const { text, code } = checkText(job, options);
  return { code, text: code === foundCode && options.json !== true ? `${text}\nNext: waybill storage repair ${node} (what to do about the queue stands in its --help)` : text };
}

/** What was rewritten. @throws UsageError */
export async function storageCompactText(node: string, options: ApiOptions & { readonly directory?: string; readonly deadPercent?: string; readonly json?: boolean }): Promise<string> {
  const { directory, deadPercent } = options;
  if (deadPercent !== undefined && !/^[1-9]\d?$/.test(deadPercent)) throw new UsageError('--dead-percent is a number from 1 to 99');
  const body = definite({ directory, deadPercent: deadPercent === undefined ? undefined : Number(deadPercent) });
  const { compacted = [] } = await followJob({ node, path: '/storages/compact', body }, options);
  if (options.json === true) return JSON.stringify(compacted, null, 2);
  return compacted.map(({ directory: of, packs, messages, bytes, freed, damaged }) => {
    const left = damaged === 0 ? '' : `; damaged, and left in its place: ${counted(damaged, 'message')}; see storage check`;
    return `${of}: ${packs === 0 ? 'no file has so much that is dead' : `${counted(packs, 'file')} rewritten (${counted(messages, 'message')}, ${sizeText(bytes)}); their ${sizeText(freed)} are free in some minutes`}${left}`;
  }).join('\n');
}

export function checkText({ checks = [] }: Job, { json }: { readonly json?: boolean }): { readonly text: string; readonly code: number } {
  const code = checks.every(({ found }) => found === 0) ? 0 : foundCode;
  if (json === true) return { text: JSON.stringify(checks, null, 2), code };
  return { text: checks.flatMap(linesOf).join('\n'), code };
}

function linesOf({ directory, accounts, messages, bytes, packs, found, findings, lost = findings.filter(({ loss }) => loss).length }: NonNullable<Job['checks']>[number]): readonly string[] {
  const verdict = found === 0 ? 'sound' : `${counted(found, 'fault')}, ${lost === 0 ? 'no mail is lost' : `mail is lost in ${counted(lost, 'place')}`}`;
  const head = `${directory}: ${counted(accounts, 'account')}, ${counted(messages, 'message')}, ${sizeText(bytes)} in ${counted(packs, 'pack')}: ${verdict}`;
  const rows = findings.map(({ kind, account = '', mailbox = '', uid, text }) => [`  ${kind}`, account, mailbox, uid === undefined ? '' : `UID ${String(uid)}`, text]);
  const more = found > findings.length ? [`  and ${String(found - findings.length)} more`] : [];
  return [head, ...(rows.length === 0 ? [] : [table(rows)]), ...more];
}
