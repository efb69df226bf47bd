/** An LDAP connector as it is used: what it leaves open comes from the kind of its directory. */
import type { Parameters } from './schema.ts';
import { serverDefaults } from './server-defaults.ts';

type Given = Parameters['ldapConnectors'][number];

/** Attributes that are not asked for unless they are named. */
type Optional = 'status' | 'services' | 'quotaBytes' | 'quotaMessages';

/** A connector with nothing left open. */
export interface ConnectorParameters extends Omit<Given, 'attributes' | 'searchPattern' | 'groups'> {
  readonly attributes: Readonly<Record<Exclude<keyof Given['attributes'], Optional>, string>> & Readonly<Record<Optional, string | undefined>>;
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
      quotaBytes: attributes.quotaBytes,
      quotaMessages: attributes.quotaMessages,
      language: attributes.language ?? defaults.attributes.language,
      routingAddress: attributes.routingAddress ?? defaults.attributes.routingAddress,
    },
    searchPattern: searchPattern ?? defaults.searchPattern,
    groups: groups === undefined ? undefined : { ...groups, searchPattern: groups.searchPattern ?? defaults.groupPattern },
  };
}
