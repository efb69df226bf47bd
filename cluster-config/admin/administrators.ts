/** The configured administrators with what they are known by, as the admin API needs them. */
import { effectiveCapabilities } from '../../shared/admin-api/capability.ts';
import type { AdministratorRecord } from '../../shared/admin-api/sign-in.ts';
import { decodeTotpSecret } from '../../shared/admin-api/totp.ts';
import { Failure } from '../../shared/base/failure.ts';
import { isHashed } from '../../shared/ldap/password-hash.ts';
import type { NodeConfig } from '../effective.ts';
import { readSecret } from '../secret.ts';

/** By name. @throws Failure('bad-input') that names the administrator whose secret can't be read or is none */
export async function loadAdministrators(config: Pick<NodeConfig, 'administration'>, environment: Readonly<Record<string, string | undefined>>): Promise<ReadonlyMap<string, AdministratorRecord>> {
  const { administrators, groups } = config.administration;
  const records = await Promise.all(administrators.map(async (one): Promise<AdministratorRecord> => {
    const grants = [one, ...groups.filter(({ name }) => one.groups.includes(name))];
    const { password, totp, name, domains } = one;
    try {
      const hash = password === undefined ? undefined : await readSecret(password, environment);
      if (hash !== undefined && !isHashed(hash)) throw new Failure('bad-input', 'the password is to be given as its hash; waybill admin passwd makes one');
      const totpSecret = totp === undefined ? undefined : decodeTotpSecret(await readSecret(totp, environment));
      return { name, domains, capabilities: effectiveCapabilities(grants, domains), passwordHash: hash, totpSecret };
    } catch (cause) {
      throw new Failure('bad-input', `administrator ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }));
  return new Map(records.map((record) => [record.name, record]));
}
