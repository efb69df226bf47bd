/** All operations of the admin API: what every node knows, whichever it can do itself. */
import type { Operation } from '../../../shared/admin-api/operation.ts';
import { nodeOperations } from './nodes.ts';
import { sessionOperations } from './session.ts';

export const operations = [sessionOperations, nodeOperations].flatMap((group) => Object.values(group)) as unknown as readonly Operation[];
