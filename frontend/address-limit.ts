/** How many connections a service takes from one client address, as the configuration says. */
import type { NodeContext } from '../cluster-config/run-node.ts';
import type { AddressLimitOptions } from '../shared/access/address-limit.ts';

/** Undefined: no limit. */
export function addressLimit({ config, siblings, notices }: Pick<NodeContext, 'config' | 'siblings' | 'notices'>, service: { readonly maxConnectionsPerAddress?: number | undefined }): AddressLimitOptions | undefined {
  const max = service.maxConnectionsPerAddress;
  return max === undefined ? undefined : { max, ipv6Prefix: config.guessing.ipv6PrefixBits, workers: config.workers, siblings, notices };
}
