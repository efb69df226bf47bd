/** docs/examples/several-domains.yaml: two domains with a directory each. */
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareExample } from '../../harness/example-cluster.ts';
import type { Example } from '../../harness/example-cluster.ts';
import { directoryLdif } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import type { Slapd } from '../../harness/slapd.ts';
import { isGood, tried, worksFromOutside } from './from-outside.ts';

const node = '10.0.0.11';
let company: Slapd;
let school: Slapd;
let example: Example;

before(async () => {
  [company, school] = await Promise.all([
    startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1' }]) }),
    startSlapd({ ldif: directoryLdif([{ name: 'alice', mail: 'alice@example.org', mailHost: 'be1' }]).replaceAll('userPassword: waybill-demo', 'userPassword: school-secret') }),
  ]);
  example = await prepareExample({
    file: 'several-domains.yaml', secrets: { 'company-directory': slapdBase.adminPassword, 'school-directory': slapdBase.adminPassword },
    replace: {
      'ldap://10.0.1.11:389': company.uri, 'ldap://10.0.1.12:389': company.uri.replace('127.0.0.1', 'localhost'), 'ldap://10.0.2.11:389': school.uri,
      'cn=waybill,dc=example,dc=com': slapdBase.adminDn,
    },
  });
  for (const words of [['backend', '--node', 'be1'], ['frontend', '--node', 'fe1']]) await example.start(words);
});
after(async () => {
  await example.stop();
  await Promise.all([company.stop(), school.stop()]);
});

test('its configuration is good', async () => {
  await isGood(example);
});

test('the same name in both domains is two users, each with a password and a mailbox of its own', async () => {
  await worksFromOutside(example, { node, address: 'alice@example.com' });
  await worksFromOutside(example, { node, address: 'alice@example.org', password: 'school-secret' });
  await tried(example, 'imap', { node, address: 'alice@example.com', password: 'school-secret', expect: 'refused', from: '127.66.6.7' });
  await tried(example, 'mx', { node, address: 'alice@example.com', subject: 'for-the-company' });
  await tried(example, 'imap', { node, address: 'alice@example.com', subject: 'for-the-company' });
  await tried(example, 'imap', { node, address: 'alice@example.org', password: 'school-secret', subject: 'for-the-company', expect: 'empty' });
});

test('a name without a domain is the primary domain\'s', async () => {
  await tried(example, 'imap', { node, address: 'alice', subject: 'for-the-company' });
});

test('while one directory is away the other\'s users and strangers hear no difference', async () => {
  await school.halt();
  await worksFromOutside(example, { node, address: 'alice@example.com' });
  await tried(example, 'mx', { node, address: 'nobody@example.com', expect: 'refused' });
  await tried(example, 'mx', { node, address: 'nobody@example.org', expect: 'temporary' });
  await school.resume();
  await sleep(6500); // the longest pause of an address
  await tried(example, 'mx', { node, address: 'nobody@example.org', expect: 'refused' });
});
