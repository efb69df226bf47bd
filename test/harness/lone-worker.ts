/** The siblings of a worker that is alone on its node. */
import { WorkerSiblings } from '../../shared/service/siblings.ts';

export function loneWorker(): WorkerSiblings {
  const siblings: WorkerSiblings = new WorkerSiblings((report) => {
    if (report.kind === 'ask') siblings.receive({ kind: 'asked', round: report.round, others: [] });
  });
  return siblings;
}
