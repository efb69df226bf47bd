/** The worker processes of a node, as the system knows them. */
import { readFileSync } from 'node:fs';

/** Children of the supervisor. */
export function workersOf(supervisor: number): number[] {
  return readFileSync(`/proc/${String(supervisor)}/task/${String(supervisor)}/children`, 'utf8').trim().split(' ').filter((pid) => pid !== '').map(Number);
}
