/** Where a back-end keeps its queue. */
import { dirname, join } from 'node:path';
import type { NodeConfig } from '../cluster-config/effective.ts';

/** As configured, else `queue` beside the first storage. */
export function queueDirectoryOf({ services, storage }: NodeConfig): string {
  return services.processing.queueDirectory ?? join(dirname(storage.directories[0] ?? '.'), 'queue');
}
