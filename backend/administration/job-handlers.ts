/** What the admin API tells of checks, backups and restores of this back-end. */
import { jobOperations } from '../../cluster-config/admin/contract/jobs.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { Jobs } from './jobs.ts';

export function jobHandlers(jobs: Jobs): readonly Handled[] {
  return [
    handled(jobOperations.listJobs, async () => ({ jobs: [...await jobs.list()] })),
    handled(jobOperations.showJob, async ({ params }) => jobs.show(params.job)),
  ];
}
