/** Where a back-end keeps its queue. */
import { dirname, join } from 'node:path';
import type { NodeConfig } from '../cluster-config/effective.ts';

/** What the configuration says of where a node keeps mail. */
export interface KeptPlaces {
  readonly nodeName: string;
  readonly storage: Pick<NodeConfig['storage'], 'directories'>;
  readonly services: { readonly processing: Pick<NodeConfig['services']['processing'], 'queueDirectory'> };
}

/** As configured, else `queue` beside the first storage. */
export function queueDirectoryOf({ services, storage }: KeptPlaces): string {
  return services.processing.queueDirectory ?? join(dirname(storage.directories[0] ?? '.'), 'queue');
}
