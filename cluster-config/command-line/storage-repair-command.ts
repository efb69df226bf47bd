/** `waybill storage repair` over the admin API: what is asked, and how its answer is shown. */
import { counted } from '../../shared/base/counted.ts';
import { definite } from '../../shared/base/definite.ts';
import type { ApiOptions } from './api-client.ts';
import { followJob } from './follow-job.ts';
import type { Job } from './follow-job.ts';
import { table } from './table.ts';

type Repaired = NonNullable<Job['repaired']>[number];

/** Of a repair after which something is wrong still. */
const leftCode = 2;
/** What may have lost its bytes for good. */
const withoutBytes: ReadonlySet<string> = new Set(['pack-lost', 'record-torn', 'message-missing']);

/** @throws UsageError */
export async function storageRepairText(node: string, options: ApiOptions & { readonly directory?: string; readonly removeLost?: true; readonly json?: boolean }): Promise<{ readonly text: string; readonly code: number }> {
  const body = definite({ directory: options.directory, lost: options.removeLost === true ? 'remove' : undefined });
  const { repaired = [] } = await followJob({ node, path: '/storages/repair', body }, options);
  const code = repaired.every(({ left }) => left.length === 0) ? 0 : leftCode;
  const isLost = repaired.some(({ left }) => left.some(({ kind }) => withoutBytes.has(kind)));
  const next = isLost && options.removeLost !== true ? [`Next: waybill storage repair ${node} --remove-lost takes out what has no bytes any more; waybill account restore brings it back from a backup`] : [];
  return { code, text: options.json === true ? JSON.stringify(repaired, null, 2) : [...repaired.flatMap(linesOf), ...next].join('\n') };
}

function linesOf({ directory, found, mended, left }: Repaired): readonly string[] {
  const head = found === 0 ? `${directory}: sound, nothing to do` : `${directory}: ${counted(found, 'fault')}; mended: ${String(mended.length)}, wrong still: ${String(left.length)}`;
  const rows = [...mended.map((one) => ({ ...one, kind: 'mended' })), ...left].map(({ kind, account = '', mailbox = '', uid, subject, messageId, text }) =>
    [`  ${kind}`, account, mailbox, uid === undefined ? '' : `UID ${String(uid)}`, text, subject ?? '', messageId ?? '']);
  return [head, ...(rows.length === 0 ? [] : [table(rows)])];
}
