/** What a mail service of a front-end may offer for logging in, computed from the configuration. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { localDomains } from '../cluster-config/effective.ts';
import { mapSelection } from '../cluster-config/proxy-maps.ts';
import type { MapSelection } from '../cluster-config/proxy-maps.ts';
import type { AuthType } from '../shared/sasl/auth-types.ts';
import type { AuthPolicy } from './authentication/authentication.ts';

export function authPolicyOf(config: NodeConfig, name: 'smtpProxy' | 'imapProxy' | 'pop3Proxy'): AuthPolicy {
  const service = config.services[name];
  return {
    verifiable: verifiableTypes(config, mapSelection(config, name), service),
    secure: service.secureConnAuthTypes,
    plain: service.plainConnAuthTypes,
    clearTextLogin: service.allowClearTextLogin ? 'yes' : 'no',
  };
}

/**
 * What every user of the service can be checked by: whose map it is isn't known when a client asks, and clients don't fall back.
 * Where back-ends check passwords only mechanisms that bring them are left; where only some do (of users whom no LDAP map
 * knows) those by which the proxy itself proves who it is.
 */
function verifiableTypes(config: NodeConfig, selection: MapSelection, { authenticateOnProxy }: Pick<NodeConfig['services']['imapProxy'], 'authenticateOnProxy'>): readonly AuthType[] {
  const passwords: readonly AuthType[] = ['PLAIN', 'LOGIN'];
  if (authenticateOnProxy !== 'only' || (selection.defaultBackend?.kind === 'host' && config.foreignBackends.masterUser === undefined)) return passwords;
  const scram = (['SCRAM-SHA-256', 'SCRAM-SHA-1'] as const).filter((name) => !hasLocalAccounts(config, selection) && selection.maps.every((map) => map.type === 'ldapPassword' && map.scram.includes(name)));
  const tokens: readonly AuthType[] = config.oauth.issuers.length > 0 ? ['OAUTHBEARER', 'XOAUTH2'] : [];
  const certificates: readonly AuthType[] = config.tls.userCertificates === undefined ? [] : ['EXTERNAL'];
  return [...certificates, ...scram, ...tokens, ...passwords];
}

/** Whether there may be users of whom only a back-end has the password: a map of a file has them, or a domain without map. */
function hasLocalAccounts(config: NodeConfig, { maps, defaultBackend }: MapSelection): boolean {
  const isMapped = (domain: string): boolean => maps.some(({ domains }) => domains?.includes(domain) ?? true);
  return maps.some(({ type }) => type === 'localFile') || (defaultBackend !== undefined && !localDomains(config).every(isMapped));
}
