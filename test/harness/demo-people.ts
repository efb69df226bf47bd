/** People added to and changed in the directory of a running cluster, as an administrator would: with OpenLDAP's tools. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Cluster } from './cluster.ts';
import { runTool } from './ldap-utils.ts';
import { personLdif } from './people.ts';

/** Where wrong passwords come from in tests: front-ends slow a network down that guesses, and other tests shall not wait. */
export const guesser = '127.66.6.6';

/** `ldapadd` of somebody whom nobody has heard of before; answers the name. `mail`: where it is not NAME@example.com. */
export async function addPerson(cluster: Cluster, mailHost: string, mail?: string): Promise<string> {
  const name = `p${randomUUID().slice(0, 8)}`;
  await change(cluster, 'ldapadd', personLdif({ name, mailHost, ...(mail === undefined ? {} : { mail }) }));
  return name;
}

/** `ldapmodify` of the attribute that says where the mailbox is. */
export async function setMailHost(cluster: Cluster, name: string, mailHost: string): Promise<void> {
  await change(cluster, 'ldapmodify', `dn: uid=${name},ou=people,dc=example,dc=com\nchangetype: modify\nreplace: mailHost\nmailHost: ${mailHost}\n`);
}

async function change(cluster: Cluster, tool: 'ldapadd' | 'ldapmodify', input: string): Promise<void> {
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const { code, complaint } = await runTool(tool, { uri, as: [adminDn, adminPassword], input });
  assert.equal(code, 0, complaint);
}
