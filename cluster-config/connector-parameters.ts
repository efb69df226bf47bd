/** An LDAP connector as it is used: what it leaves open comes from the kind of its directory. */
import type { Parameters } from './schema.ts';
import { serverDefaults } from './server-defaults.ts';

type Given = Parameters['ldapConnectors'][number];

/** A connector with nothing left open. */
export interface ConnectorParameters extends Omit<Given, 'attributes' | 'searchPattern' | 'groups'> {
  readonly attributes: Readonly<Record<Exclude<keyof Given['attributes'], 'status' | 'services'>, string>> & Readonly<Record<'status' | 'services', string | undefined>>;
  readonly searchPattern: string;
  readonly groups: (Omit<NonNullable<Given['groups']>, 'searchPattern'> & { readonly searchPattern: string }) | undefined;
}

export function completeConnector(given: Given): ConnectorParameters {
  const defaults = serverDefaults[given.serverType];
  const { attributes, searchPattern, groups } = given;
  return {
    ...given,
    attributes: {
      address: attributes.address ?? defaults.attributes.address,
      alias: attributes.alias ?? defaults.attributes.alias,
      password: attributes.password ?? defaults.attributes.password,
      host: attributes.host ?? defaults.attributes.host,
      status: attributes.status,
      services: attributes.services,
      language: attributes.language ?? defaults.attributes.language,
      routingAddress: attributes.routingAddress ?? defaults.attributes.routingAddress,
    },
    searchPattern: searchPattern ?? defaults.searchPattern,
    groups: groups === undefined ? undefined : { ...groups, searchPattern: groups.searchPattern ?? defaults.groupPattern },
  };
}
