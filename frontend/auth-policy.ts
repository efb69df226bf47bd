/** What a mail service of a front-end may offer for logging in, computed from the configuration. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { mapSelection } from '../cluster-config/proxy-maps.ts';
import type { MapSelection } from '../cluster-config/proxy-maps.ts';
import type { AuthType } from '../shared/sasl/auth-types.ts';
import type { AuthPolicy } from './authentication/authentication.ts';

export function authPolicyOf(config: NodeConfig, name: 'smtpProxy' | 'imapProxy' | 'pop3Proxy'): AuthPolicy {
  const service = config.services[name];
  return {
    verifiable: verifiableTypes(config, mapSelection(config, name)),
    secure: service.secureConnAuthTypes,
    plain: service.plainConnAuthTypes,
    clearTextLogin: service.allowClearTextLogin ? 'yes' : 'no',
  };
}

/**
 * What every map of the service that has passwords can check: which one a client belongs to isn't known when it asks, and clients don't fall back.
 * A default back-end that wants the users' own passwords leaves only mechanisms that bring them.
 */
function verifiableTypes(config: NodeConfig, selection: MapSelection): readonly AuthType[] {
  const passwords: readonly AuthType[] = ['PLAIN', 'LOGIN'];
  if (selection.defaultBackend?.kind === 'host' && config.foreignBackends.masterUser === undefined) return passwords;
  const maps = selection.maps.filter(({ type }) => type !== 'localFile');
  const scram = (['SCRAM-SHA-256', 'SCRAM-SHA-1'] as const).filter((name) => maps.length > 0 && maps.every((map) => map.type === 'ldapPassword' && map.scram.includes(name)));
  const tokens: readonly AuthType[] = config.oauth.issuers.length > 0 ? ['OAUTHBEARER', 'XOAUTH2'] : [];
  return [...scram, ...tokens, ...passwords];
}
