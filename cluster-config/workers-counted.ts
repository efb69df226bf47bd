/** What the workers of a node have counted of the user map, as nodes answer it to each other and to commands. */
import { z } from 'zod';
import { Failure } from '../shared/base/failure.ts';
import { workerStatisticsSchema } from './admin/contract/user-map.ts';

export type WorkerStatistics = z.output<typeof workerStatisticsSchema>;

/** A worker of an older program knows no counters. */
const answerSchema = z.object({ workers: z.array(workerStatisticsSchema.nullable()) });

/** @throws Failure('bad-input') for what this program does not understand */
export function workersCounted(node: string, answer: unknown): readonly WorkerStatistics[] {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw new Failure('bad-input', `${node} gave an answer that this program does not understand; is it of another version?`);
  return parsed.data.workers.filter((worker) => worker !== null);
}
