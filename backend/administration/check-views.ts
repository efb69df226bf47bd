/** Checks storages one after the other, as the admin API tells of it. */
import { checkStorage, isLoss } from '../storage/storage.ts';
import type { KeptFolder } from '../storage/storage.ts';
import type { JobGround, JobResult } from './jobs.ts';

export async function checksOf(folders: readonly KeptFolder[], { report, signal }: JobGround): Promise<JobResult> {
  const checks: NonNullable<JobResult['checks']> = [];
  for (const folder of folders) {
    const { findings, ...found } = await checkStorage(folder, { signal, report: (text, { bytes, of }) => report(text, { done: bytes, of }) });
    checks.push({ ...found, findings: findings.map((finding) => ({ ...finding, loss: isLoss(finding) })) });
  }
  return { checks };
}
