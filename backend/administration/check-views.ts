/** Checks and repairs storages, and checks the queue, one after the other, as the admin API tells of it. */
import { checkStorage, isLoss } from '../storage/storage.ts';
import type { Finding, KeptFolder, StorageCare } from '../storage/storage.ts';
import { checkQueue } from '../processing/processing.ts';
import type { JobGround, JobResult } from './jobs.ts';

export async function checksOf(folders: readonly KeptFolder[], { report, signal }: JobGround): Promise<JobResult> {
  const checks: NonNullable<JobResult['checks']> = [];
  for (const folder of folders) {
    const { findings, ...found } = await (folder.kind.name === 'storage' ? checkStorage : checkQueue)(folder, { signal, report: (text, { bytes, of }) => report(text, { done: bytes, of }) });
    checks.push({ ...found, findings: findings.map(viewOf) });
  }
  return { checks };
}

export async function repairsOf({ care, folders }: { readonly care: StorageCare; readonly folders: readonly KeptFolder[] }, lost: 'keep' | 'remove', { report, signal }: JobGround): Promise<JobResult> {
  const repaired: NonNullable<JobResult['repaired']> = [];
  for (const { directory } of folders) {
    const { mended, left, found } = await care.repair(directory, { lost, signal, report: (text, { bytes, of }) => report(text, { done: bytes, of }) });
    repaired.push({ directory, found, mended: [...mended], left: left.map(viewOf) });
  }
  return { repaired };
}

/** Numbers of the index are nobody's business outside. */
function viewOf(finding: Finding): NonNullable<JobResult['checks']>[number]['findings'][number] {
  const { at: _inside, ...said } = finding;
  return { ...said, loss: isLoss(finding) };
}
