/** Users, groups, barred accounts and passwords in Active Directory: a real Samba domain controller, and nodes that ask it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openDirectoryAccess } from '../../cluster-config/directory-access.ts';
import type { DirectoryAccess } from '../../cluster-config/directory-access.ts';
import { configOfNode } from '../../cluster-config/load.ts';
import { loadConfig } from '../../cluster-config/command-line/load-config.ts';
import { Publication } from '../../cluster-config/publishing/publication.ts';
import { publish } from '../../cluster-config/publishing/publisher.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import { createConnector } from '../../shared/ldap/connector.ts';
import type { Connector, ConnectorOptions } from '../../shared/ldap/connector.ts';
import { wholeValues } from '../../shared/ldap/ranged-values.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import { bootstrapFolder } from '../harness/bootstrap-folder.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { replaceConnector } from '../harness/cluster-connector.ts';
import { runCommand } from '../harness/command.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { keepingLog } from '../harness/people.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { sambaDomain, sambaObstacle, sambaUser, sambaUsersPassword as password, startSamba } from '../harness/samba.ts';
import type { Samba } from '../harness/samba.ts';
import { deliver, SmtpSession } from '../harness/smtp-session.ts';
import { newMessage } from '../harness/messages.ts';
import { WebClient } from '../harness/web-client.ts';

const users = `CN=Users,${sambaDomain.baseDn}`;
const group = (name: string, members: readonly string[]): string =>
  [`dn: CN=${name},${users}`, 'objectClass: group', `cn: ${name}`, `sAMAccountName: ${name}`, `mail: ${name}@example.com`, ...members.map((dn) => `member: ${dn}`), '', ''].join('\n');
const set = (dn: string, attribute: string, value: string): string => `dn: ${dn}\nchangetype: modify\nreplace: ${attribute}\n${attribute}: ${value}\n\n`;
/** More than one page of a listing. Samba has none of AD's own limits, so more would prove no more. */
const crowd = Array.from({ length: 420 }, (_, index) => `crowd${String(index)}`);
const longAgo = '116444736000000000';

const people = [
  sambaUser('alice', ['proxyAddresses: SMTP:alice@example.com', 'proxyAddresses: smtp:Al@example.com', 'proxyAddresses: X500:/o=Example/cn=alice']),
  ...['bob', 'off', 'must', 'late', 'lock', 'changer', 'mover', 'hours', 'place', 'web'].map((name) => sambaUser(name)),
  group('inner', [`CN=bob,${users}`]), group('team', [`CN=alice,${users}`, `CN=inner,${users}`]),
  set(sambaDomain.baseDn, 'minPwdAge', '0'), set(sambaDomain.baseDn, 'lockoutThreshold', '5'),
  set(`CN=place,${users}`, 'userWorkstations', 'OTHERBOX'),
  `dn: CN=hours,${users}\nchangetype: modify\nreplace: logonHours\nlogonHours:: ${Buffer.alloc(21).toString('base64')}\n\n`, set(`CN=off,${users}`, 'userAccountControl', '514'), set(`CN=must,${users}`, 'pwdLastSet', '0'), set(`CN=late,${users}`, 'accountExpires', longAgo),
].join('');

describe('Active Directory', { skip: sambaObstacle() ?? false }, () => {
  let cluster: Cluster;
  let samba: Samba;
  let access: DirectoryAccess;
  const { log, lines } = keepingLog();

  before(async () => {
    cluster = await startCluster({ nodes: [] });
    const tls = (name: string): string => path.join(cluster.folder, 'tls', name);
    samba = await startSamba({ tls: { certFile: tls('server.pem'), keyFile: tls('server-key.pem'), caFile: tls('authority.pem') } });
    await samba.change(people);
    fs.writeFileSync(path.join(cluster.folder, 'secrets', 'ad'), `${samba.adminPassword}\n`);
    replaceConnector(cluster, [
      'serverType: activeDirectory', `uris: ["${samba.uris.ldaps}"]`, 'ca: tls/authority.pem', `bindDn: ${samba.adminName}`, 'bindPassword: { file: secrets/ad }',
      `searchBase: ${samba.baseDn}`, 'groups: {}', `write: { uri: "${samba.uris.ldaps}", bindDn: "${samba.adminName}", bindPassword: { file: secrets/ad } }`,
    ]);
    const passing = ['imapProxy', 'pop3Proxy', 'smtpProxy', 'webmailProxy'];
    const yaml = fs.readFileSync(cluster.configFile, 'utf8');
    fs.writeFileSync(cluster.configFile, yaml.replace('  userMaps:\n', '  guessing: { trustedNetworks: [127.0.0.0/8] } # so many wrong passwords would make every next one wait longer\n  userMaps:\n').replace(/( {2}fe2:[\s\S]*?)( {2}be1:)/, (_, fe2: string, next: string) => passing.reduce((text, name) => text.replace(`${name}:\n`, `${name}:\n        authenticateOnProxy: "no"\n`), fe2) + next));
    await Promise.all((['be1', 'be2', 'fe1', 'fe2'] as const).map(async (node) => cluster.startNode(node)));
    const config = configOfNode(await loadConfig(cluster.configFile), 'fe1', cluster.configFile);
    access = await openDirectoryAccess(config, { log, environment: {} });
  });
  after(async () => {
    access?.close();
    await samba?.stop();
    await cluster?.stop();
  });

  const user = async (address: string): Promise<UserEntry> => {
    const entry = await access.maps.lookUp(address);
    assert.ok(entry !== undefined, address);
    return entry;
  };
  const withConnector = async (options: Pick<ConnectorOptions, 'uris' | 'startTls'>, use: (connector: Connector) => Promise<void>): Promise<void> => {
    const ca = fs.readFileSync(path.join(cluster.folder, 'tls', 'authority.pem'), 'utf8');
    const connector = createConnector({ name: 'other', ...options, ca, bindDn: samba.adminName, bindPassword: samba.adminPassword, searchBase: samba.baseDn, scope: 'sub', timeoutMs: 4_000, connections: 1, log });
    await use(connector).finally(() => { connector.close(); });
  };
  const failsWith = (kind: FailureKind, text?: RegExp) => (error: unknown): boolean => isFailure(error, kind) && (text === undefined || text.test(error.message));

  test('a user is found by address, proxy address, sAMAccountName and user principal name', async () => {
    for (const name of ['alice@example.com', 'ALICE@example.com', 'al@example.com', 'alice@example.test', 'alice@example.org']) {
      assert.equal((await user(name)).dn, `CN=alice,${users}`, name);
    }
    const alice = await user('al@example.com');
    assert.deepEqual([alice.address, alice.mailHost, alice.aliases, alice.via], ['alice@example.com', 'be1', ['al@example.com'], 'alias']);
    assert.equal(await access.maps.lookUp('nobody@example.com'), undefined);
    assert.equal(await access.maps.lookUp('/o=example/cn=alice'), undefined);
  });

  test('an alias that another directory would have as text is not taken for an address', async () => {
    await samba.change(`dn: CN=alice,${users}\nchangetype: modify\nadd: proxyAddresses\nproxyAddresses: sip:voice@example.com\n\n`);
    assert.equal(await access.maps.lookUp('voice@example.com'), undefined);
  });

  test('mail for a group reaches its members, nested ones too, at their back-end', async () => {
    const expansion = await access.maps.expand(await user('team@example.com'));
    assert.deepEqual(expansion.kind === 'addresses' ? expansion.addresses.toSorted() : [], ['alice@example.com', 'bob@example.com']);
    const { subject, bytes } = newMessage();
    assert.match(await deliver(cluster, 'fe1', { from: 'sender@example.net', to: ['team@example.com'], bytes }), /^250 /);
    for (const name of ['alice', 'bob@example.com']) {
      const imap = await ImapSession.connect(cluster, 'fe1');
      await imap.ok(`LOGIN ${name} ${password}`);
      assert.equal((await imap.findSoon(subject)).length, 1, name);
    }
  });

  describe('accounts that nobody gets into', () => {
    const cases = [
      { name: 'off', kind: 'account-disabled', imap: /^NO \[CONTACTADMIN\] .*disabled/, pop3: /^-ERR \[AUTH\] .*disabled/, smtp: /^525 5\.7\.13 .*disabled/, state: 'disabled' },
      { name: 'late', kind: 'account-disabled', imap: /^NO \[CONTACTADMIN\] .*expired/, pop3: /^-ERR \[AUTH\] .*expired/, smtp: /^525 5\.7\.13 .*expired/, state: 'account-expired' },
      { name: 'hours', kind: 'account-disabled', imap: /^NO \[CONTACTADMIN\] .*at this time/, pop3: /^-ERR \[AUTH\] .*at this time/, smtp: /^525 5\.7\.13 .*at this time/, state: 'not-now' },
      { name: 'place', kind: 'account-disabled', imap: /^NO \[CONTACTADMIN\] .*log in here/, pop3: /^-ERR \[AUTH\] .*log in here/, smtp: /^525 5\.7\.13 .*log in here/, state: 'not-from-here' },
      { name: 'must', kind: 'password-expired', imap: /^NO \[EXPIRED\] .*must be changed/, pop3: /^-ERR \[AUTH\] .*must be changed/, smtp: /^535 5\.7\.8 .*must be changed/, state: 'must-change' },
    ] as const;

    for (const { name, kind, imap, pop3, smtp, state } of cases) {
      test(`${state}: the right password is told so in every protocol, a wrong one hears nothing`, async () => {
        for (const [given, isRight] of [[password, true], ['wrong', false]] as const) {
          const said = await words(name, given);
          if (isRight) for (const [word, wanted] of [[said.imap, imap], [said.pop3, pop3], [said.smtp, smtp]] as const) assert.match(word, wanted);
          else assert.deepEqual(said, await words('nobody', given));
          assert.equal(said.web, isRight ? kind : 'bad-credentials');
        }
        // The front-end that leaves the check to the back-end has the same words.
        const passed = await words(name, password, 'fe2');
        for (const [word, wanted] of [[passed.imap, imap], [passed.pop3, pop3], [passed.smtp, smtp]] as const) assert.match(word, wanted);
        assert.equal(passed.web, kind);
        const logged = cluster.log('fe1').split('\n').filter((line) => line.includes(`CN=${name},`) && line.includes(`"state":"${state}"`));
        assert.ok(logged.length > 0, 'the log says why');
      });
    }

    test('a locked account is told of only to who has shown the password before', async () => {
      const first = await ImapSession.connect(cluster, 'fe1');
      await first.ok(`LOGIN lock ${password}`);
      const lock = await user('lock@example.com');
      for (let attempt = 0; attempt < 6; attempt += 1) await access.maps.authenticate(lock, 'wrong').catch(() => 'locked');
      await assert.rejects(access.maps.authenticate(lock, password), failsWith('account-locked'));
      await assert.rejects(access.maps.authenticate(lock, 'wrong'), failsWith('account-locked'), 'the directory says so whatever the password is');
      const said = await words('lock', password);
      assert.match(said.imap, /^NO \[CONTACTADMIN\] .*locked/);
      assert.match(said.pop3, /^-ERR \[AUTH\] .*locked/);
      assert.match(said.smtp, /^525 5\.7\.13 .*locked/);
      assert.equal(said.web, 'account-locked');
      assert.deepEqual(await words('lock', 'wrong'), await words('nobody', 'wrong'));
    });

    test('who must change the password does so, and gets in again', async () => {
      await access.maps.changePassword(await user('must@example.com'), { kind: 'own', old: password }, 'Brand-new-pass-2');
      assert.match((await words('must', 'Brand-new-pass-2')).imap, /^OK/);
    });

    async function words(name: string, given: string, node: 'fe1' | 'fe2' = 'fe1'): Promise<{ imap: string; pop3: string; smtp: string; web: string | undefined }> {
      const imap = await ImapSession.connect(cluster, node);
      const pop3 = await Pop3Session.connect(cluster, node);
      const smtp = await SmtpSession.connect(cluster, node, 'submissions');
      await pop3.ok(`USER ${name}`);
      const web = await new WebClient().ask(`https://localhost:${String(cluster.port(node, 'https'))}/api/sign-in`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, password: given }) });
      return { imap: (await imap.run(`LOGIN ${name} ${given}`)).completion, pop3: await pop3.run(`PASS ${given}`), smtp: await smtp.authenticate(name, given), web: web.kind };
    }
  });

  test('passwords: a user\'s own change, an administrator\'s, refusals with the directory\'s reason', async () => {
    const changer = await user('changer@example.com');
    await assert.rejects(access.maps.changePassword(changer, { kind: 'own', old: 'wrong' }, 'Another-pass-3'), failsWith('bad-credentials'));
    await assert.rejects(access.maps.changePassword(changer, { kind: 'own', old: password }, 'short'), failsWith('password-refused', /too short/));
    await access.maps.changePassword(changer, { kind: 'own', old: password }, 'Änother-"pass"-3');
    assert.equal(await access.maps.authenticate(changer, 'Änother-"pass"-3'), 'ok');
    await assert.rejects(access.maps.changePassword(changer, { kind: 'own', old: 'Änother-"pass"-3' }, password), failsWith('password-refused'), 'it is in the history');
    await assert.rejects(access.maps.changePassword(changer, { kind: 'reset' }, 'x'), failsWith('password-refused'));
    await access.maps.changePassword(changer, { kind: 'reset' }, 'Set-by-admin-4');
    assert.equal(await access.maps.authenticate(changer, 'Set-by-admin-4'), 'ok');
    assert.ok(!JSON.stringify(lines).includes('Set-by-admin-4'));
  });

  test('a user changes the password in WebMail, and the directory has the new one', async () => {
    const url = `https://localhost:${String(cluster.port('fe1', 'https'))}`;
    const web = new WebClient();
    assert.equal((await web.post(`${url}/api/sign-in`, { name: 'web', password })).status, 200);
    assert.equal((await web.post(`${url}/api/password`, { old: 'wrong', new: 'Page-made-pass-5' })).kind, 'bad-credentials');
    const weak = await web.post(`${url}/api/password`, { old: password, new: 'short' });
    assert.deepEqual([weak.status, weak.kind], [422, 'password-refused']);
    assert.equal((await web.post(`${url}/api/password`, { old: password, new: 'Page-made-pass-5' })).status, 200);
    assert.equal(await access.maps.authenticate(await user('web@example.com'), 'Page-made-pass-5'), 'ok');
    assert.equal((await new WebClient().post(`${url}/api/sign-in`, { name: 'web', password: 'Page-made-pass-5' })).status, 200);
  });

  test('an account moves: the new host is written into the directory', async () => {
    const imap = await ImapSession.connect(cluster, 'fe1');
    await imap.ok(`LOGIN mover ${password}`);
    await imap.append('INBOX', newMessage().bytes);
    const moved = await runCommand(cluster, ['account', 'move', 'mover@example.com', 'be2']);
    assert.equal(moved.code, 0, moved.output + moved.complaint);
    assert.equal((await user('mover@example.com')).mailHost, 'be2');
    const again = await ImapSession.connect(cluster, 'fe1');
    await again.ok(`LOGIN mover ${password}`);
    assert.match((await again.ok('STATUS INBOX (MESSAGES)')).untagged.map(({ text }) => text).join(' '), /MESSAGES 1/);
  });

  test('StartTLS, and the global catalogue as one more address', async () => {
    for (const options of [{ uris: [samba.uris.ldap], startTls: 'yes' }, { uris: ['ldaps://127.0.0.1:1', samba.uris.catalogue] }] as const) {
      await withConnector(options, async (connector) => {
        const found = await connector.search({ kind: 'equal', attribute: 'sAMAccountName', value: 'alice' }, ['mail'], { sizeLimit: 2 });
        assert.deepEqual(found.map(({ attributes }) => String(attributes.get('mail')?.[0])), ['alice@example.com']);
        assert.equal(await connector.bind(found[0]?.dn ?? '', password), 'ok');
      });
    }
  });

  test('the files for administrators of Active Directory can be loaded, and mean what they say', async () => {
    const load = async (file: string): Promise<void> => {
      const text = fs.readFileSync(path.resolve(import.meta.dirname, '..', '..', 'docs', 'directory', 'active-directory', file), 'utf8');
      await samba.change(text.replaceAll('DC=X', samba.baseDn)).catch((error: unknown) => { throw new Error(file, { cause: error }); });
    };
    await load('users.ldif');
    assert.deepEqual((await user('a.example@example.com')).address, 'alice@example.com');
    await load('service-account.ldif');
    await load('schema.ldif');
    await load('users-own-schema.ldif');
    await withConnector({ uris: [samba.uris.ldaps] }, async (connector) => {
      const found = await connector.search({ kind: 'equal', attribute: 'waybillHost', value: 'be1' }, ['waybillHost'], { sizeLimit: 2 });
      assert.deepEqual(found.map(({ dn }) => dn), [`CN=alice,${users}`]);
    });
  });

  test(`${String(crowd.length)} entries and a group of all of them are seen whole, in parts`, async () => {
    const contact = (name: string): string => `dn: CN=${name},${users}\nobjectClass: contact\ncn: ${name}\nmail: ${name}@example.com\n\n`;
    await samba.change(crowd.map(contact).join(''));
    await samba.change(group('everybody', crowd.map((name) => `CN=${name},${users}`)));
    const listed = await access.list();
    assert.equal(listed.filter(({ dn }) => dn.startsWith('CN=crowd')).length, crowd.length);
    const everybody = await user('everybody@example.com');
    assert.equal(new Set(everybody.group?.members).size, crowd.length);
    await withConnector({ uris: [samba.uris.ldaps] }, async (connector) => {
      // AD itself does so for 1500 members and more; Samba gives parts to who asks for them.
      const part = await connector.read(everybody.dn ?? '', ['member;range=0-99']);
      assert.ok(part !== undefined);
      const { values, more } = await wholeValues(connector, part, 'member');
      assert.deepEqual([new Set(values.map(String)).size, more], [crowd.length, 'no']);
    });
    const check = await runCommand(cluster, ['map', 'check', '--json']);
    assert.equal((JSON.parse(check.output) as { entries: number }).entries, listed.length, check.complaint);
  });

  test('the configuration is published without a new schema: one publisher is first, old versions stay', async (context) => {
    const entry = `CN=waybill-configuration,CN=Users,${samba.baseDn}`;
    const { bootstrap } = await bootstrapFolder(context, {
      uris: [samba.uris.ldaps], writeUri: samba.uris.ldaps, admin: [samba.adminName, samba.adminPassword], entry,
      more: ['serverType: activeDirectory', `ca: ${path.join(cluster.folder, 'tls', 'authority.pem')}`],
    });
    // As long as a large cluster's.
    const text = (number: number): string => `# ${String(number)}: für alle\n${'nodes: {}  # and so on\n'.repeat(4000)}`;
    for (const after of [0, 1]) {
      const all = await Promise.allSettled(['ann', 'bert'].map(async (by) => publish(bootstrap, { text: text(after + 1), by, message: 'm = n', after }, {})));
      assert.deepEqual(all.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'], JSON.stringify(all).slice(0, 2000));
    }
    const publication = await Publication.open(bootstrap, { log, environment: {} });
    context.after(() => publication.close());
    assert.deepEqual((await publication.history()).map(({ number, message }) => [number, message]), [[2, 'm = n'], [1, 'm = n']]);
    for (const number of [1, 2]) assert.equal((await publication.version(number))?.text, text(number));
  });
});
