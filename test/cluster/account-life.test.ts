/** The life of a directory's accounts on a running cluster, from outside: barred, limited to services, deleted and back, renamed in use, gone from the directory. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import type { CommandOutcome } from '../harness/command.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession } from '../harness/smtp-session.ts';
import { WebClient } from '../harness/web-client.ts';

let cluster: Cluster;
let commands: CommandRunner;

before(async () => {
  cluster = await startCluster({
    changeConfig: (yaml) => yaml
      .replace(/^ {6}searchBase: /m, '      attributes: { status: accountStatus, services: mailEnabledService }\n      searchBase: ')
      .replace(/^cluster:\n/m, 'cluster:\n  accounts: { reconcileSeconds: 1, confirmVanished: 2, maxVanishedPercent: 40 }\n'),
  });
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
});

async function waybill(...words: readonly string[]): Promise<CommandOutcome> {
  return commands.run(words);
}

async function done(...words: readonly string[]): Promise<string> {
  const { code, output, complaint } = await waybill(...words);
  assert.equal(code, 0, `${words.join(' ')}: ${output}${complaint}`);
  return output;
}

async function modify(ldif: string): Promise<void> {
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const { code, complaint } = await runTool('ldapmodify', { uri, as: [adminDn, adminPassword], input: ldif });
  assert.equal(code, 0, complaint);
}

function entryOf(name: string): string {
  return `uid=${name},ou=people,dc=example,dc=com`;
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; !await holds();) {
    assert.ok(Date.now() < deadline, `${what}: not within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function letter(to: string, subject: string): Promise<string> {
  const session = await SmtpSession.connect(cluster, 'fe1');
  const reply = await session.send({ from: 'someone@example.net', to: [to], bytes: Buffer.from(`From: someone@example.net\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nHello.\r\n`) });
  session.dialogue.close();
  return reply;
}

async function imapLogin(name: string, node: NodeName = 'fe2'): Promise<string> {
  const session = await ImapSession.connect(cluster, node);
  const { completion } = await session.run(`LOGIN ${name} ${cluster.password}`);
  session.close();
  return completion;
}

async function pop3Login(name: string): Promise<string> {
  const session = await Pop3Session.connect(cluster, 'fe1');
  await session.ok(`USER ${name}`);
  const line = await session.run(`PASS ${cluster.password}`);
  session.dialogue.close();
  return line;
}

async function smtpLogin(name: string): Promise<string> {
  const session = await SmtpSession.connect(cluster, 'fe1', 'submissions');
  const reply = await session.authenticate(name, cluster.password);
  session.dialogue.close();
  return reply;
}

async function webLogin(name: string): Promise<string> {
  const answer = await new WebClient().post(`https://127.0.0.1:${String(cluster.port('fe2', 'https'))}/api/sign-in`, { name, password: cluster.password });
  return answer.status === 200 ? 'ok' : `${String(answer.status)} ${answer.kind ?? ''}`;
}

async function logins(name: string): Promise<readonly string[]> {
  return Promise.all([imapLogin(name), pop3Login(name), smtpLogin(name), webLogin(name)]);
}

test('a disabled account refuses every login in the protocol\'s words, its sessions end, and it takes mail unless that is forbidden, too', async () => {
  const name = `${await addPerson(cluster, 'be1')}@example.com`;
  const open = await ImapSession.logIn(cluster, { node: 'fe1', user: name });
  assert.match(await done('account', 'disable', name), /is disabled; it goes on getting mail/);
  await open.dialogue.closed();
  const [imap, pop3, smtp, web] = await logins(name);
  assert.match(imap ?? '', /^NO \[CONTACTADMIN\] .*disabled/);
  assert.match(pop3 ?? '', /^-ERR \[AUTH\] .*disabled/);
  assert.match(smtp ?? '', /^525 5\.7\.13 .*disabled/);
  assert.equal(web, '403 account-disabled');
  assert.match(await letter(name, 'while disabled'), /^250 /);
  await done('account', 'disable', name, '--refuse-mail');
  await until('mail is refused', async () => (await letter(name, 'refused')).startsWith('550 5.2.1 '));
  await done('account', 'enable', name);
  const session = await ImapSession.logIn(cluster, { node: 'fe2', user: name });
  await session.findSoon('while disabled');
  session.close();
});

test('a service must be allowed by the account: each of them refused alone, in its own words', async () => {
  const name = `${await addPerson(cluster, 'be2')}@example.com`;
  assert.deepEqual((await logins(name)).map((said) => said.split(' ', 1)[0]), ['OK', '+OK', '235', 'ok']);
  const refusals = { imap: /^NO \[CONTACTADMIN\] .*may not use IMAP/, pop3: /^-ERR \[AUTH\] .*may not use POP3/, submission: /^525 5\.7\.1 .*may not send mail/, webmail: /^403 service-denied$/ };
  for (const [index, denied] of (['imap', 'pop3', 'submission', 'webmail'] as const).entries()) {
    const others = ['smtp', 'imap', 'pop3', 'webmail', 'submission', 'relay'].filter((service) => service !== denied);
    await modify(`dn: ${entryOf(name.split('@')[0] ?? '')}\nchangetype: modify\nreplace: mailEnabledService\n${others.map((service) => `mailEnabledService: ${service}\n`).join('')}`);
    const said = await logins(name);
    assert.match(said[index] ?? '', refusals[denied]);
    assert.deepEqual(said.filter((one) => /^(?:OK|\+OK|235|ok)\b/.test(one)).length, 3, `without ${denied}: ${said.join(' | ')}`);
  }
  await done('account', 'services', name, 'imap,pop3');
  await until('mail is refused', async () => (await letter(name, 'no smtp')).startsWith('550 5.2.1 '));
  await done('account', 'services', name, 'all');
  assert.equal(await webLogin(name), 'ok');
});

/** Without what is told of mailboxes that are open. */
function statusOf({ untagged }: Awaited<ReturnType<ImapSession['ok']>>): string[] {
  return untagged.map(({ text }) => text).filter((text) => text.startsWith('* STATUS'));
}

test('a deleted account is as if there were none, and comes back whole: UIDs, flags, mail; removed for good only when asked', async () => {
  const name = `${await addPerson(cluster, 'be1')}@example.com`;
  assert.match(await letter(name, 'to be kept'), /^250 /);
  const first = await ImapSession.logIn(cluster, { node: 'fe1', user: name });
  const [uid] = await first.findSoon('to be kept');
  await first.ok(`UID STORE ${String(uid)} +FLAGS (\\Flagged kept)`);
  const before = await first.ok('STATUS INBOX (UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ)');
  assert.match(await done('account', 'delete', name), /is deleted; be1 keeps its mail/);
  await first.dialogue.closed();
  assert.match(await imapLogin(name), /^NO \[AUTHENTICATIONFAILED\]/);
  assert.match(await letter(name, 'too late'), /^550 5\.1\.1 /);
  assert.match(await done('account', 'list', '--held'), new RegExp(`${name} +be1 +deleted since`));
  assert.equal((await waybill('account', 'delete', name)).code, 1);
  await done('account', 'undelete', name);
  const again = await ImapSession.logIn(cluster, { node: 'fe2', user: name });
  const after = await again.ok('STATUS INBOX (UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ)');
  assert.deepEqual(statusOf(after), statusOf(before));
  await again.ok('SELECT INBOX');
  assert.match((await again.ok(`UID FETCH ${String(uid)} FLAGS`)).untagged.map(({ text }) => text).join(), /\\Flagged kept/);
  again.close();
  assert.match(await done('account', 'delete', name, '--purge'), /removed for good/);
  assert.doesNotMatch(await done('account', 'list'), new RegExp(name));
  assert.match((await waybill('account', 'undelete', name)).complaint + await done('account', 'show', name), /be1 +nothing/);
});

test('an account is renamed in use: the mailbox stays, sessions end, the old address leads to it as an alias or to nobody', async () => {
  const old = `${await addPerson(cluster, 'be2')}@example.com`;
  const fresh = `new.${old}`;
  assert.match(await letter(old, 'before'), /^250 /);
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: old });
  const [uid] = await session.findSoon('before');
  assert.equal((await waybill('account', 'rename', old, 'bob@example.com')).code, 1, 'bob is there already');
  await done('account', 'rename', old, fresh, '--alias');
  await session.dialogue.closed();
  assert.match(await letter(old, 'by the alias'), /^250 /);
  assert.match(await letter(fresh, 'by the new name'), /^250 /);
  const renamed = await ImapSession.logIn(cluster, { node: 'fe2', user: fresh });
  assert.deepEqual(await renamed.find('before'), [uid]);
  await renamed.findSoon('by the alias');
  await renamed.findSoon('by the new name');
  renamed.close();
  const last = `last.${old}`;
  await done('account', 'rename', fresh, last);
  assert.match(await letter(fresh, 'nobody'), /^550 5\.1\.1 /);
  const listed = JSON.parse(await done('account', 'list', '--json')) as { readonly accounts: readonly { readonly address: string; readonly node: string; readonly aliases: readonly string[] }[] };
  assert.deepEqual(listed.accounts.filter(({ address }) => address.endsWith(old)).map(({ address, node, aliases }) => ({ address, node, aliases })), [{ address: last, node: 'be2', aliases: [] }]);
});

test('an account whose entry is gone is held and comes back with it; it goes for good only when it was held long enough; a mass disappearance is an alarm', async () => {
  const people = await Promise.all(Array.from({ length: 5 }, async () => addPerson(cluster, 'be2')));
  for (const name of people) assert.match(await letter(`${name}@example.com`, 'mine'), /^250 /);
  const [gone = ''] = people;
  const ldif = await removed(gone);
  await until('it is held', () => /"audit":"account-held"/.test(cluster.log('be2')));
  assert.match(await letter(`${gone}@example.com`, 'unknown'), /^550 5\.1\.1 /);
  assert.match(await done('account', 'list', '--held', '--node', 'be2'), new RegExp(`${gone}@example.com +be2 +held, no entry since`));
  await add(ldif);
  await until('it is back', () => /"audit":"account-restored"/.test(cluster.log('be2')));
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: gone });
  assert.equal((await session.findSoon('mine')).length, 1);
  session.close();

  const all = await Promise.all(people.map(removed));
  await until('the alarm', () => /"alert":"mass-disappearance"/.test(cluster.log('be2')));
  await until('two more comparisons', () => (cluster.log('be2').match(/"alert":"mass-disappearance"/g)?.length ?? 0) > 2);
  assert.doesNotMatch(await done('account', 'list', '--held', '--node', 'be2'), /held, no entry/);
  for (const entry of all) await add(entry);

  await removed(gone);
  await until('it is held again', () => (cluster.log('be2').match(/"audit":"account-held"/g)?.length ?? 0) === 2);
  fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace('accounts: { ', 'accounts: { keepVanishedDays: 0, '));
  await until('it is removed', () => /"audit":"account-purged".*"by":"age","why":"vanished"/.test(cluster.log('be2')));
  assert.doesNotMatch(await done('account', 'list', '--node', 'be2'), new RegExp(gone));
});

test('a directory that is away says nothing of anybody', async () => {
  const heldBefore = cluster.log('be2').match(/"audit":"account-held"/g)?.length ?? 0;
  await cluster.stopDirectory();
  await until('two comparisons fail', () => (cluster.log('be2').match(/were not compared with the directory/g)?.length ?? 0) > 1);
  await cluster.startDirectory();
  assert.equal(cluster.log('be2').match(/"audit":"account-held"/g)?.length ?? 0, heldBefore);
});

test('what can\'t be done is said, with exit code 1, and nothing changes', async () => {
  const before = await done('account', 'list', '--json');
  const bad = [
    ['account', 'disable', 'nobody@example.com'], ['account', 'services', 'alice', 'imap,telepathy'], ['account', 'undelete', 'alice'], ['account', 'rename', 'alice', 'alice@elsewhere.example'],
    ['account', 'rename', 'alice', 'no address'], ['account', 'alias', 'add', 'alice', 'al@example.com'], ['account', 'list', '--node', 'fe1'],
  ];
  for (const words of bad) {
    const { code, complaint } = await waybill(...words);
    assert.equal(code, 1, `${words.join(' ')}: ${complaint}`);
    assert.match(complaint, /^waybill: \S.+\n$/);
  }
  const addresses = (text: string): unknown => (JSON.parse(text) as { readonly accounts: readonly { readonly address: string }[] }).accounts.filter(({ address }) => !address.startsWith('alice'));
  assert.deepEqual(addresses(await done('account', 'list', '--json')), addresses(before));
});

/** Deletes an entry; answers it for `add`. */
async function removed(name: string): Promise<string> {
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const as = [adminDn, adminPassword] as const;
  const { output } = await runTool('ldapsearch', { uri, as, parameters: ['-LLL', '-b', entryOf(name), '-s', 'base'] });
  const { code, complaint } = await runTool('ldapdelete', { uri, as, parameters: [entryOf(name)] });
  assert.equal(code, 0, complaint);
  return output;
}

async function add(ldif: string): Promise<void> {
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const { code, complaint } = await runTool('ldapadd', { uri, as: [adminDn, adminPassword], input: ldif });
  assert.equal(code, 0, complaint);
}
