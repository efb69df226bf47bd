/** The life of domains, accounts and groups over the admin API of a running cluster, and by the command line from elsewhere. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAdmin, auditOf, basic, bearer, me } from '../harness/admin-api.ts';
import type { AdminAnswer, AdminQuestion } from '../harness/admin-api.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { SmtpSession } from '../harness/smtp-session.ts';

type Facts = Readonly<Record<string, unknown>>;
type Kept = Facts & { readonly messagesLimit: number; readonly aliases: readonly string[]; readonly withdrawn?: object };

export function adminLifeSuite(cluster: () => Cluster): void {
  describe('life of domains, accounts and groups over the admin API', () => {
    let commands: CommandRunner;
    let headers: Readonly<Record<string, string>>;
    before(async () => {
      commands = new CommandRunner(cluster().configFile);
      headers = await bearer(cluster(), 'be2', me);
    });
    after(() => commands.stop());
    const ask = async (path: string, question: AdminQuestion = {}, node: NodeName = 'fe1'): Promise<AdminAnswer> => askAdmin(cluster(), [node, `/api/v1${path}`], { headers, ...question });
    const done = async (path: string, question: AdminQuestion = {}, node: NodeName = 'fe1'): Promise<Facts> => {
      const { status, body } = await ask(path, question, node);
      assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
      return body;
    };
    const refused = async (path: string, question: AdminQuestion): Promise<string> => {
      const { status, body } = await ask(path, question);
      return `${String(status)} ${String(body['kind'])}`;
    };
    const kept = async (address: string, at: NodeName): Promise<Kept | undefined> => ((await done(`/accounts/${address}`))['records'] as Record<string, { account?: Kept }>)[at]?.account;
    const reply = async (to: string): Promise<string> => {
      const session = await SmtpSession.connect(cluster(), 'fe1');
      const line = await session.send({ from: 'x@example.net', to: [to], bytes: newMessage().bytes });
      session.close();
      return line;
    };
    const login = async (user: string): Promise<string> => {
      const session = await ImapSession.connect(cluster(), 'fe1');
      const { completion } = await session.run(`LOGIN ${user} ${cluster().password}`);
      session.close();
      return completion;
    };

    test('a user of the directory is barred, limited and let in again, whichever node is asked; it is done and written down where the account is', async () => {
      const user = await addPerson(cluster(), 'be1');
      const address = `${user}@example.com`;
      const barred = await done(`/accounts/${address}/terms`, { method: 'POST', body: { status: 'noaccess' } }, 'be2');
      assert.deepEqual([barred['node'], (barred['silent'] as readonly { node: string }[]).map(({ node }) => node)], ['be1', ['fe2']]);
      assert.match(await login(user), /^NO \[CONTACTADMIN\]/);
      await done(`/accounts/${address}/terms`, { method: 'POST', body: { status: 'active' } });
      assert.match(await login(user), /^OK/);
      await done(`/accounts/${address}/quota`, { method: 'PUT', body: { maxMessages: 1 } });
      assert.match(await reply(address), /^250/);
      assert.match(await reply(address), /^[45]\d\d .*(?:full|quota)/i);
      await done(`/accounts/${address}/quota`, { method: 'PUT', body: {} });
      assert.match(await reply(address), /^250/);
      assert.deepEqual(auditOf(cluster(), 'be1').filter(({ facts }) => (facts as Facts)['address'] === address).map(({ what, who, result }) => [what, who, result]),
        [['setAccountTerms', 'admin', 'done'], ['setAccountTerms', 'admin', 'done'], ['setQuota', 'admin', 'done'], ['setQuota', 'admin', 'done']]);
      assert.equal(await refused(`/accounts/${address}/quota`, { method: 'PUT', body: { maxMessages: -1 } }), '400 bad-input');
      assert.equal(await refused(`/accounts/${address}/terms`, { method: 'POST', body: { status: 'noaccess' }, headers: basic('elsewhere', me.password) }), '403 forbidden');
    });

    test('rights on folders are given, explained and taken back by administrators, over the API and by the command line, and written down', async () => {
      const [owner, friend] = [`${await addPerson(cluster(), 'be1')}@example.com`, `${await addPerson(cluster(), 'be2')}@example.com`];
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user: owner });
      await imap.ok('CREATE Work/Deep');
      const path = `/accounts/${owner}/folder-rights`;
      const set = await done(path, { method: 'PUT', body: { folder: 'Work', who: friend, allow: 'lrs', deny: 't', subfolders: true } }, 'be2');
      assert.deepEqual(set, { folder: 'Work', who: friend, allow: 'lrs', deny: 't', level: 'custom', subfolders: true });
      const { output, complaint } = await commands.run(['folder', 'rights', 'set', owner, 'Work/Deep', friend, '--level', 'editor', '--as', 'be2']);
      assert.match(output, /editor \(lrswite\)/, complaint);
      const effective = await done(`${path}/effective?folder=Work/Deep&user=${friend}`);
      assert.deepEqual([effective['rights'], (effective['because'] as readonly Facts[]).map(({ folder }) => folder)], ['lrswie', ['Work/Deep', 'Work']]);
      assert.match((await commands.run(['folder', 'rights', 'effective', owner, 'Work/Deep', friend, '--as', 'be1'])).output, /custom\n  l  see the folder\n[\s\S]*because of/);
      assert.match((await imap.ok('GETACL Work/Deep')).untagged.map(({ text }) => text).join(), new RegExp(`${friend} lrswited -${friend} td`));
      assert.match((await imap.run(`SETACL Work/Deep ${friend} lrs`)).completion, /^OK/);
      assert.match((await imap.run(`SETACL Work/Deep -${friend} ""`)).completion, /^NO \[CANNOT\] .*Work/);
      assert.equal(await refused(path, { method: 'PUT', body: { folder: 'Work', who: friend, allow: 'lq' } }), '400 bad-input');
      assert.equal(await refused(path, { method: 'PUT', body: { folder: 'Work', who: 'nobody-knows@example.com', allow: 'l' } }), '422 unknown-user');
      assert.deepEqual(await done(`${path}?folder=Work&who=${friend}`, { method: 'DELETE' }), { removed: true });
      assert.deepEqual(((await done(path))['entries'] as readonly Facts[]).map(({ folder, allow }) => [folder, allow]), [['Work/Deep', 'lrs']]);
      assert.deepEqual(auditOf(cluster(), 'be1').filter(({ facts, result }) => (facts as Facts)['address'] === owner && result === 'done').map(({ what }) => what), ['setFolderRights', 'setFolderRights', 'removeFolderRights']);
      const told = (await done(`/accounts/${owner}/audit`))['entries'] as readonly Facts[];
      assert.deepEqual(told.map(({ what }) => what), ['removeFolderRights', 'setFolderRights', 'setFolderRights'], 'the owner can see it, too');
      imap.close();
    });

    test('a local account is made with a password that is told once, renamed, deleted, brought back and removed for good; a group of it', async () => {
      const made = await done('/accounts', { method: 'POST', body: { address: 'Ann@local.example', node: 'be2' } });
      assert.deepEqual([made['address'], made['node']], ['ann@local.example', 'be2']);
      assert.match(String(made['password']), /^(?:[a-z2-9]{4}-){4}[a-z2-9]{4}$/);
      assert.doesNotMatch(readFileSync(join(cluster().folder, 'audit', 'be2.log'), 'utf8') + cluster().log('be2'), new RegExp(String(made['password'])));
      assert.equal(await refused('/accounts', { method: 'POST', body: { address: 'ben@local.example' } }), '400 bad-input', 'nothing says where');
      await done('/accounts/ann@local.example/aliases', { method: 'POST', body: { alias: 'info@local.example' } }, 'be1');
      await done('/accounts/ann@local.example/rename', { method: 'POST', body: { to: 'anna@local.example', oldAddress: 'kept' } });
      assert.deepEqual((await kept('anna@local.example', 'be2'))?.aliases, ['info@local.example', 'ann@local.example']);
      await done('/groups', { method: 'POST', body: { address: 'team@local.example', members: ['anna@local.example'], node: 'be1' } });
      await done('/groups/team@local.example/members', { method: 'POST', body: { member: 'friend@example.net' } }, 'be2');
      assert.equal(await refused('/groups/team@local.example/members', { method: 'POST', body: { member: 'friend@example.net' } }), '400 bad-input');
      assert.deepEqual((await done('/groups/team@local.example'))['members'], ['anna@local.example', 'friend@example.net']);
      await done('/groups/team@local.example/members/anna@local.example', { method: 'DELETE' });
      assert.deepEqual((await done('/groups'))['groups'], [{ address: 'team@local.example', node: 'be1', members: ['friend@example.net'] }]);
      await done('/groups/team@local.example', { method: 'DELETE' });
      await done('/accounts/anna@local.example', { method: 'DELETE' });
      const withdrawn = await done('/accounts?state=withdrawn&domain=local.example');
      assert.deepEqual((withdrawn['accounts'] as readonly Facts[]).map(({ address, node }) => [address, node]), [['anna@local.example', 'be2']]);
      await done('/accounts/anna@local.example/undelete', { method: 'POST' });
      assert.equal((await kept('anna@local.example', 'be2'))?.withdrawn, undefined);
      await done('/accounts/anna@local.example?purge=yes', { method: 'DELETE' });
      assert.equal(await kept('anna@local.example', 'be2'), undefined);
      assert.equal(await refused('/accounts/anna@local.example/undelete', { method: 'POST' }), '422 unknown-user');
    });

    test('a domain is added, limited, renamed with its accounts and removed for good; its postmaster gets mail; who administers others sees and does nothing', async () => {
      const helpdesk = basic('helpdesk', me.password);
      const names = async (more: AdminQuestion = {}): Promise<string[]> => ((await done('/domains', more))['domains'] as readonly { name: string }[]).map(({ name }) => name);
      assert.deepEqual(await names({ headers: helpdesk }), ['example.com']);
      assert.equal(await refused('/domains', { method: 'POST', body: { domain: 'edu.example' }, headers: helpdesk }), '403 forbidden');
      assert.equal(await refused('/domains/example.com/settings', { method: 'POST', body: { quota: { maxMessages: 9 } }, headers: helpdesk }), '403 forbidden');
      assert.equal(await refused('/domains/local.example/settings', { method: 'POST', body: { status: 'noaccess' }, headers: helpdesk }), '403 forbidden');
      assert.equal(await refused('/domains/example.com', { method: 'DELETE' }), '400 bad-input', 'the primary one');
      const added = await done('/domains', { method: 'POST', body: { domain: 'Edu.example' } });
      assert.deepEqual(added, { domain: 'edu.example', configuration: { at: 'file', file: cluster().configFile } });
      const user = await addPerson(cluster(), 'be1');
      await done('/domains/edu.example/settings', { method: 'POST', body: { postmaster: `${user}@example.com`, quota: { maxMessages: 5 } } });
      assert.match(readFileSync(cluster().configFile, 'utf8'), /edu\.example: *\n? *\{?[^}]*postmaster/);
      const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
        for (const deadline = Date.now() + 90_000; !await holds(); await sleep(200)) assert.ok(Date.now() < deadline, `${what}: not within 90 s`);
      };
      await until('nodes take it up', async () => (await ask('/accounts', { method: 'POST', body: { address: 'x@edu.example', node: 'be1' } })).status === 200);
      await until('the postmaster gets mail', async () => (await reply('postmaster@edu.example')).startsWith('250'));
      await until('the limit holds', async () => (await kept('x@edu.example', 'be1'))?.messagesLimit === 5);
      let progress: Facts = {};
      await until('renamed', async () => (progress = await done('/domains/edu.example/rename', { method: 'POST', body: { to: 'school.example', oldName: 'kept' } }))['state'] !== 'going-on');
      assert.deepEqual([progress['state'], progress['failed']], ['done', []]);
      assert.deepEqual((await done('/accounts?domain=school.example'))['total'], 1);
      const renamed = await done('/domains/school.example');
      assert.deepEqual([renamed['postmaster'], renamed['quota'], (renamed['accounts'] as Facts)['inUse']], [`${user}@example.com`, { maxMessages: 5 }, 1]);
      assert.ok((await names()).includes('edu.example'), 'as another name');
      await done('/domains/edu.example', { method: 'DELETE' });
      await until('removed', async () => (progress = await done('/domains/school.example?purge=yes', { method: 'DELETE' }))['state'] !== 'going-on');
      assert.deepEqual([progress['state'], await names(), (await done('/accounts?domain=school.example'))['total']], ['done', ['example.com', 'local.example'], 0]);
    });

    test('the command line does the same from elsewhere, as an administrator', async () => {
      const user = await addPerson(cluster(), 'be1');
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
      const remote = ['--server', `https://127.0.0.1:${String(cluster().port('be2', 'admin'))}`, '--admin', 'admin', '--ca', cluster().authorityFile, '--password-file', join(cluster().folder, 'secrets', 'directory-admin')];
      const waybill = async (...words: string[]): Promise<string> => {
        const { output, complaint } = await commands.run([...words, ...remote]);
        assert.match(complaint, /^(?:waybill: fe2\b.*\n)*$/, words.join(' '));
        return output;
      };
      const [shown, route, sessions, domains] = await Promise.all([waybill('account', 'show', user), waybill('map', 'show', user), waybill('session', 'list', '--user', user), waybill('domain', 'show', 'example.com')]);
      assert.match(shown, /^be1 +owns it .*\n +active; all services; no limit of bytes/m);
      assert.match(route, new RegExp(`^address +${user}@example\\.com$[\\s\\S]*^node +be1 \\(mailHost: be1\\)$`, 'm'));
      assert.match(sessions, new RegExp(`^fe1 +imapProxy +${user}@example\\.com`, 'm'));
      assert.match(domains, /^kind +primary$[\s\S]*^accounts +\d+ in use/m);
      assert.match(await waybill('account', 'disable', user), /is disabled; it goes on getting mail/);
      await imap.dialogue.closed();
      assert.match(await waybill('passwd', user, '--generate'), /is changed; .*took it\nit is (?:[a-z2-9]{4}-){4}[a-z2-9]{4}$/m);
    });
  });
}
