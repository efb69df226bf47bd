/** The first entries of the demo's directory: the base, the demo users, and the account by which nodes search. */
import { hashPassword } from '../../shared/ldap/password-hash.ts';
import { formatLdif } from '../../shared/directory/ldif.ts';
import type { LdifRecord } from '../../shared/directory/ldif.ts';
import { backendOfUser, demoBaseDn, demoDomain, demoPassword, demoUsers } from './layout.ts';

/** How a password is stored; another directory server may know other schemes. */
type Hash = (password: string) => string;

/** The LDIF text (RFC 2849); passwords stand in it hashed. */
export function demoDirectoryText(readerPassword: string, hash: Hash = hashPassword): string {
  const people = [...demoUsers, 'postmaster'].map((uid, index) => person(uid, backendOfUser(index), hash));
  return formatLdif([base(), reader(readerPassword, hash), container('people'), ...people]);
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

function reader(password: string, hash: Hash): LdifRecord {
  return entry(`cn=waybill,${demoBaseDn}`, {
    objectClass: ['top', 'organizationalRole', 'simpleSecurityObject'],
    cn: 'waybill',
    description: 'The account by which the nodes search this directory',
    userPassword: hash(password),
  });
}

function person(uid: string, backend: string, hash: Hash): LdifRecord {
  const name = uid.charAt(0).toUpperCase() + uid.slice(1);
  return entry(`uid=${uid},ou=people,${demoBaseDn}`, {
    objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson', 'inetLocalMailRecipient'],
    uid,
    cn: `${name} Example`,
    sn: 'Example',
    mail: `${uid}@${demoDomain}`,
    userPassword: hash(demoPassword),
    mailHost: backend,
  });
}
