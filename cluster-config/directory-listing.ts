/** All entries of a directory that have an address, as the commands look at them that compare directory and nodes. */
import type { Connector } from '../shared/ldap/connector.ts';
import { addressIn } from '../shared/user-map/typed-address.ts';
import type { ConnectorParameters } from './connector-parameters.ts';

export interface ListedEntry {
  readonly dn: string;
  /** All its addresses, in lower case; the canonical one first. */
  readonly addresses: readonly string[];
  readonly mailHost: string | undefined;
  /** A group, or an address that only forwards, needs no host. */
  readonly needsHost: 'yes' | 'no';
  /** The domains that this directory is asked for; all when undefined. Nobody finds its addresses of others. */
  readonly domains: readonly string[] | undefined;
  /** The attributes that these stand in. */
  readonly names: Pick<ConnectorParameters['attributes'], 'address' | 'alias' | 'host'>;
}

/** Any number of them, whatever a server's size limit is. @throws Failure('directory-unavailable'), never a part of them */
export async function listEntries(connector: Connector, { attributes, groups }: ConnectorParameters, domains: ListedEntry['domains']): Promise<readonly ListedEntry[]> {
  const { address, alias, host, routingAddress } = attributes;
  const groupClasses = new Set(groups?.objectClasses.map((name) => name.toLowerCase()));
  const wanted = [address, alias, host, routingAddress, 'objectClass'];
  const bases = groups?.searchBase === undefined ? [undefined] : [undefined, groups.searchBase];
  const lists = await Promise.all(bases.map(async (base) => connector.list({ having: address, base }, wanted)));
  const entries = new Map(lists.flat().map((entry) => [entry.dn, entry]));
  return [...entries.values()].map((entry) => {
    const values = (name: string): string[] => (entry.attributes.get(name.toLowerCase()) ?? []).map((value) => value.toString('utf8').trim());
    const isMailOnly = values(routingAddress).length > 0 || values('objectClass').some((name) => groupClasses.has(name.toLowerCase()));
    const aliases = values(alias).flatMap((value) => addressIn(alias, value) ?? []);
    return {
      dn: entry.dn, domains, needsHost: isMailOnly ? 'no' : 'yes', mailHost: values(host)[0], names: { address, alias, host },
      addresses: [...new Set([...values(address), ...aliases].map((text) => text.toLowerCase()))],
    };
  });
}
