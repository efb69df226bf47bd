/** The first entries of the demo's directory: the base, the demo users, and the account by which nodes search. */
import { hashPassword } from '../../shared/ldap/password-hash.ts';
import { formatLdif } from '../../shared/directory/ldif.ts';
import type { LdifRecord } from '../../shared/directory/ldif.ts';
import { backendOfUser, demoBaseDn, demoDomain, demoPassword, demoUsers } from './layout.ts';

/** The LDIF text (RFC 2849); passwords stand in it hashed. */
export function demoDirectoryText(readerPassword: string): string {
  const people = [...demoUsers, 'postmaster'].map((uid, index) => person(uid, backendOfUser(index)));
  return formatLdif([base(), reader(readerPassword), container('people'), ...people]);
}

function entry(dn: string, attributes: Readonly<Record<string, string | readonly string[]>>): LdifRecord {
  return {
    dn,
    attributes: Object.entries(attributes).map(([name, values]) => ({ name, values: [values].flat().map((value) => Buffer.from(value)) })),
  };
}

function base(): LdifRecord {
  return entry(demoBaseDn, { objectClass: ['top', 'dcObject', 'organization'], dc: 'example', o: 'Waybill demo' });
}

function container(name: string): LdifRecord {
  return entry(`ou=${name},${demoBaseDn}`, { objectClass: ['top', 'organizationalUnit'], ou: name });
}

function reader(password: string): LdifRecord {
  return entry(`cn=waybill,${demoBaseDn}`, {
    objectClass: ['top', 'organizationalRole', 'simpleSecurityObject'],
    cn: 'waybill',
    description: 'The account by which the nodes search this directory',
    userPassword: hashPassword(password),
  });
}

function person(uid: string, backend: string): LdifRecord {
  const name = uid.charAt(0).toUpperCase() + uid.slice(1);
  return entry(`uid=${uid},ou=people,${demoBaseDn}`, {
    objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson', 'inetLocalMailRecipient'],
    uid,
    cn: `${name} Example`,
    sn: 'Example',
    mail: `${uid}@${demoDomain}`,
    userPassword: hashPassword(demoPassword),
    mailHost: backend,
  });
}
