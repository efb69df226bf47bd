/** A process that takes care of a storage under torture: `node care-worker.ts '<CareTask as JSON>'`. */
import { takeCare } from './care.ts';
import type { CareTask } from './care.ts';

await takeCare(JSON.parse(process.argv[2] ?? '{}') as CareTask);
