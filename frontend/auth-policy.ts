/** What a mail service of a front-end may offer for logging in, computed from the configuration. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { splitHostAndPort } from '../cluster-config/values.ts';
import { nodeOfMailHost } from '../cluster-config/effective.ts';
import type { AuthType } from '../shared/sasl/auth-types.ts';
import type { AuthPolicy } from './authentication/authentication.ts';

type Service = Pick<NodeConfig['services']['imapProxy'], 'secureConnAuthTypes' | 'plainConnAuthTypes' | 'allowClearTextLogin'>;

export function authPolicyOf(config: NodeConfig, service: Service): AuthPolicy {
  return {
    verifiable: verifiableTypes(config),
    secure: service.secureConnAuthTypes,
    plain: service.plainConnAuthTypes,
    clearTextLogin: service.allowClearTextLogin ? 'yes' : 'no',
  };
}

/**
 * What every map with passwords can check: which one a client belongs to isn't known when it asks, and clients don't fall back.
 * A default back-end that wants the users' own passwords leaves only mechanisms that bring them.
 */
function verifiableTypes(config: NodeConfig): readonly AuthType[] {
  const passwords: readonly AuthType[] = ['PLAIN', 'LOGIN'];
  if (wantsPasswords(config)) return passwords;
  const maps = config.userMaps.filter(({ type }) => type !== 'localFile');
  const scram = (['SCRAM-SHA-256', 'SCRAM-SHA-1'] as const).filter((name) => maps.length > 0 && maps.every((map) => map.type === 'ldapPassword' && map.scram.includes(name)));
  const tokens: readonly AuthType[] = config.oauth.issuers.length > 0 ? ['OAUTHBEARER', 'XOAUTH2'] : [];
  return [...scram, ...tokens, ...passwords];
}

function wantsPasswords({ routing: { mappingHost }, nodes, foreignBackends }: NodeConfig): boolean {
  if (mappingHost === undefined || foreignBackends.masterUser !== undefined) return false;
  return nodeOfMailHost(nodes, splitHostAndPort(mappingHost)?.host ?? mappingHost) === undefined;
}
