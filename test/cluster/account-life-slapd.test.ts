/** Accounts of a real slapd: what the commands change in its entries, what they keep where it has no place, and what can't be written is said. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { slapdBase } from '../harness/slapd.ts';

let cluster: Cluster;
let commands: CommandRunner;
let folder: string;

before(async () => {
  // Two attributes that inetOrgPerson has, in the place of those that a schema of one's own would give.
  cluster = await startCluster({
    directory: 'slapd', nodes: ['be1', 'fe1'],
    changeConfig: (yaml) => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-account-life-'));
      fs.writeFileSync(path.join(folder, 'admin'), slapdBase.adminPassword);
      const uri = /uris: \["(?<uri>[^"]+)"\]/.exec(yaml)?.groups?.['uri'] ?? '';
      return yaml.replace(/^ {6}write: .*$/m, `      write: { uri: "${uri}", bindDn: "${slapdBase.adminDn}", bindPassword: { file: "${folder}/admin" } }`).replace(/^ {6}searchBase: /m, '      attributes: { status: employeeType }\n      groups: {}\n      searchBase: ');
    },
  });
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
  fs.rmSync(folder, { recursive: true });
});

async function entry(name: string): Promise<string> {
  const { uri, adminDn, adminPassword } = cluster.ldap;
  return (await runTool('ldapsearch', { uri, as: [adminDn, adminPassword], parameters: ['-LLL', '-b', `uid=${name},ou=people,dc=example,dc=com`, '-s', 'base', 'mail', 'mailLocalAddress', 'employeeType', 'departmentNumber'] })).output;
}

async function done(...words: readonly string[]): Promise<string> {
  const { code, output, complaint } = await commands.run(words);
  assert.match(complaint, /^(?:waybill: (?:be2|fe2) .*\n)*$/, `${words.join(' ')}: ${complaint}`); // nodes that don't run here
  assert.ok(code === 0 || complaint !== '', output);
  return output;
}

async function login(name: string): Promise<string> {
  const session = await ImapSession.connect(cluster, 'fe1');
  const { completion } = await session.run(`LOGIN ${name} ${cluster.password}`);
  session.close();
  return completion;
}

test('the entry bears what the connector names an attribute for; the rest is kept with the mailbox, and said', async () => {
  const name = await addPerson(cluster, 'be1');
  assert.match(await login(name), /^OK/);
  await done('account', 'disable', `${name}@example.com`);
  assert.match(await entry(name), /^employeeType: noaccess$/m);
  assert.match(await login(name), /^NO \[CONTACTADMIN\] .*disabled/);
  await done('account', 'enable', `${name}@example.com`);
  assert.doesNotMatch(await entry(name), /employeeType/);
  assert.match(await done('account', 'services', `${name}@example.com`, 'smtp,pop3'), /names no attribute for it \(ldapConnectors\[\]\.attributes\.services\)/);
  assert.match(await login(name), /^NO \[CONTACTADMIN\] .*may not use IMAP/);
  await done('account', 'services', `${name}@example.com`, 'all');
  await done('account', 'delete', `${name}@example.com`);
  assert.match(await entry(name), /^employeeType: deleted$/m);
  assert.match(await login(name), /^NO \[AUTHENTICATIONFAILED\]/);
  await done('account', 'undelete', `${name}@example.com`);
  assert.match(await login(name), /^OK/);
});

test('a rename changes address and aliases of the entry; what slapd refuses changes nothing, and its reason is told', async () => {
  const name = await addPerson(cluster, 'be1');
  assert.match(await login(name), /^OK/);
  await done('account', 'rename', `${name}@example.com`, `new.${name}@example.com`, '--alias');
  assert.match(await entry(name), new RegExp(`^mail: new.${name}@example.com$`, 'm'));
  assert.match(await entry(name), new RegExp(`^mailLocalAddress: ${name}@example.com$`, 'm'));
  assert.match(await login(`new.${name}@example.com`), /^OK/);
  const { uri, adminDn, adminPassword } = cluster.ldap;
  // No class allows it any more: slapd refuses the change as a whole.
  const withoutClass = `dn: uid=${name},ou=people,dc=example,dc=com\nchangetype: modify\ndelete: mailLocalAddress\n-\ndelete: mailHost\n-\ndelete: objectClass\nobjectClass: inetLocalMailRecipient\n`;
  assert.equal((await runTool('ldapmodify', { uri, as: [adminDn, adminPassword], input: withoutClass })).code, 0);
  const before = await entry(name);
  const refused = await commands.run(['account', 'rename', `new.${name}@example.com`, `last.${name}@example.com`, '--alias']);
  assert.equal(refused.code, 1);
  assert.match(refused.complaint, /the directory refused to change mail, mailLocalAddress .*not allowed/i);
  assert.equal(await entry(name), before);
  assert.match((await commands.run(['account', 'list'])).output, new RegExp(`^new.${name}@example.com +be1 +active`, 'm'));
});

test('members of a group in the directory are added and removed there; one that has no place there is said', async () => {
  const names = [await addPerson(cluster, 'be1'), await addPerson(cluster, 'be1')] as const;
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const group = `dn: cn=team,dc=example,dc=com\nobjectClass: groupOfNames\nobjectClass: extensibleObject\ncn: team\nmail: team@example.com\nmember: uid=${names[0]},ou=people,dc=example,dc=com\n`;
  assert.equal((await runTool('ldapadd', { uri, as: [adminDn, adminPassword], input: group })).code, 0);
  await done('group', 'member', 'add', 'team@example.com', `${names[1]}@example.com`);
  assert.equal(await done('group', 'show', 'team@example.com'), names.map((name) => `uid=${name},ou=people,dc=example,dc=com\n`).join(''));
  assert.equal((await commands.run(['group', 'member', 'add', 'team@example.com', `${names[1]}@example.com`])).code, 1);
  const foreign = await commands.run(['group', 'member', 'add', 'team@example.com', 'friend@example.net']);
  assert.equal(foreign.code, 1);
  assert.match(foreign.complaint, /no entry in the directory .*groups\.addressAttribute/);
  await done('group', 'member', 'remove', 'team@example.com', `UID=${names[0]},ou=people,dc=example,dc=com`); // as `group show` names it
  const last = await commands.run(['group', 'member', 'remove', 'team@example.com', `${names[1]}@example.com`]);
  assert.match(last.complaint, /the directory refused to change member .*requires attribute/);
  assert.equal((await commands.run(['group', 'add', 'empty@example.com'])).code, 1, 'groupOfNames needs a member');
  assert.match(await done('group', 'add', 'staff@example.com', `${names[0]}@example.com`), /in the directory: cn=staff,/);
  assert.equal(await done('group', 'show', 'staff@example.com'), `uid=${names[0]},ou=people,dc=example,dc=com\n`);
  assert.match((await commands.run(['group', 'add', 'staff@example.com', `${names[0]}@example.com`])).complaint, /there is something with the address/);
  await done('group', 'delete', 'staff@example.com');
  assert.match((await commands.run(['group', 'show', 'staff@example.com'])).complaint, /staff@example\.com/);
});

test('without a place to write, the change is told as LDIF with exit code 2, and nothing is changed', async () => {
  const name = await addPerson(cluster, 'be1');
  assert.match(await login(name), /^OK/);
  fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace(/^ {6}write: .*\n/m, ''));
  for (const deadline = Date.now() + 60_000; (await commands.run(['account', 'enable', `${name}@example.com`])).code !== 2;) {
    assert.ok(Date.now() < deadline, 'the configuration was not picked up');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { code, output } = await commands.run(['account', 'disable', `${name}@example.com`]);
  assert.equal(code, 2, output);
  assert.match(output, /not done yet[\s\S]*replace: employeeType\nemployeeType: noaccess\n/);
  assert.doesNotMatch(await entry(name), /employeeType/);
  assert.match(await login(name), /^OK/);
});
