/** `waybill admin …`: hashes and secrets for administrators, as they are put into files that the configuration names. */
import { randomBytes } from 'node:crypto';
import { effectiveCapabilities } from '../../shared/admin-api/capability.ts';
import { encodeTotpSecret, otpauthUri } from '../../shared/admin-api/totp.ts';
import { hashPasswordSlowly } from '../../shared/ldap/password-hash.ts';
import { loadConfig } from '../command-line/load-config.ts';
import { readNewPassword } from './new-password.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

/** RFC 4226 section 4 recommends 160 bits. */
const totpSecretBytes = 20;

/** The hash of a new password. @throws UsageError */
export async function adminPasswordHash(name: string, options: { readonly stdin?: boolean }): Promise<string> {
  return hashPasswordSlowly(await readNewPassword(options.stdin === true ? 'standard input' : 'terminal', name));
}

/** What is to be put where for a new administrator. @throws UsageError */
export async function adminAddText(name: string, options: { readonly stdin?: boolean }): Promise<string> {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) throw new UsageError('a name has letters, digits, "_", "-" and "." only');
  const hash = await adminPasswordHash(name, options);
  return `Put this line into a file that only Waybill can read, for example secrets/admin-${name}:

${hash}

and this into the configuration, with the permissions that are meant (docs/admin-api.md):

cluster:
  administration:
    administrators:
      - { name: ${name}, password: { file: secrets/admin-${name} }, allow: [all] }`;
}

/** A new secret of an authenticator, and what the authenticator reads. */
export async function adminTotpText(name: string, options: { readonly config: string }): Promise<string> {
  const cluster = (await loadConfig(options.config)).clusterName;
  const secret = encodeTotpSecret(randomBytes(totpSecretBytes));
  return `Put this line into a file that the administrator's entry names under totp:

${secret}

and this into the authenticator:

${otpauthUri(secret, cluster, name)}`;
}

/** The configured administrators and what they may do. @throws ConfigurationRefused */
export async function adminListText(options: { readonly config: string }): Promise<string> {
  const [node] = Object.values((await loadConfig(options.config)).nodes);
  const { administrators = [], groups = [] } = node?.administration ?? {};
  if (administrators.length === 0) return 'the configuration names no administrator';
  const rows = administrators.map((one) => {
    const capabilities = effectiveCapabilities([one, ...groups.filter(({ name }) => one.groups.includes(name))], one.domains);
    const by = [...(one.password === undefined ? [] : ['password']), ...(one.totp === undefined ? [] : ['code']), ...(one.password === undefined ? ['certificate'] : [])];
    return [one.name, by.join(' + '), one.domains.length === 0 ? 'all' : one.domains.join(' '), [...capabilities].join(' ')];
  });
  return table([['NAME', 'BY', 'DOMAINS', 'PERMISSIONS'], ...rows]);
}
