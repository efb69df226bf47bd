/** The command line against the admin API: by a node's certificate and by password; the audit names who it was. And garbage at every operation. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { operations } from '../../cluster-config/admin/contract/operations.ts';
import { askAdmin, auditOf, bearer, me } from '../harness/admin-api.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { CommandOutcome } from '../harness/command.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { deliver } from '../harness/smtp-session.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';

export function adminCommandsSuite(cluster: () => Cluster): void {
  describe('commands that speak to the admin API', () => {
    let runner: CommandRunner;
    before(() => { runner = new CommandRunner(); });
    after(() => runner.stop());
    const waybill = async (...words: string[]): Promise<CommandOutcome> => runner.run(words);

    test('on a node by its certificate, from elsewhere by password; wrong ones and bad words change nothing and say why', async () => {
      const list = await waybill('service', 'list', 'fe1', '--config', cluster().configFile);
      assert.equal(list.code, 0, list.complaint);
      assert.match(list.output, /imapProxy +running +2/);
      const remote = ['--server', `https://127.0.0.1:${String(cluster().port('be2', 'admin'))}`, '--admin', 'admin', '--ca', cluster().authorityFile, '--password-file'];
      const good = join(cluster().folder, 'secrets', 'directory-admin'); // everybody's password in the demo
      const [queue, wrong, bad, stop] = await Promise.all([
        waybill('queue', 'list', 'be1', ...remote, good),
        waybill('queue', 'list', 'be1', ...remote, join(cluster().folder, 'secrets', 'cookie')),
        waybill('queue', 'retry', 'be1', 'no such id', ...remote, good),
        waybill('service', 'restart', 'be2', 'pop3', '--config', cluster().configFile),
      ]);
      assert.deepEqual([queue.code, queue.output], [0, 'no such message is in the queue\n'], queue.complaint);
      assert.equal(wrong.code, 1);
      assert.match(wrong.complaint, /^waybill: Wrong name, password or code\. *Check name/m);
      assert.equal(bad.code, 1);
      assert.match(bad.complaint, /path\.item: is not the id of a queued message/);
      assert.match(stop.output, /pop3 +running/);
      assert.equal(auditOf(cluster(), 'be2').findLast(({ what }) => what === 'restartService')?.['who'], `${userInfo().username} at node fe1`);
      const audit = await waybill('audit', '--json', '--config', cluster().configFile);
      assert.equal(audit.code, 1, 'fe2 does not run');
      assert.match(audit.complaint, /^waybill: fe2: fe2 does not answer/m);
      assert.match(audit.output, /"what": "restartService"/);
    });

    test('an account is moved from elsewhere by password, as on a node; a node that nobody has is said', async () => {
      const user = await addPerson(cluster(), 'be1');
      await deliver(cluster(), 'fe1', { from: 'x@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes });
      const remote = ['--server', `https://127.0.0.1:${String(cluster().port('fe1', 'admin'))}`, '--admin', 'admin', '--ca', cluster().authorityFile, '--password-file', join(cluster().folder, 'secrets', 'directory-admin')];
      const [moved, nowhere] = [await waybill('account', 'move', user, 'be2', ...remote), await waybill('account', 'move', user, 'be7', ...remote)];
      assert.equal(moved.code, 0, moved.complaint);
      assert.match(moved.output, / s {2}done +/);
      assert.equal(nowhere.code, 1);
      assert.match(nowhere.complaint, /^waybill: .*be7/m);
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
      await imap.ok('SELECT INBOX');
      assert.equal((await imap.messages()).size, 1);
      assert.match(auditOf(cluster(), 'be2').findLast(({ what }) => what === 'startMove')?.['who'] as string, /^admin/);
    });

    test('what commands do to accounts is in the audit of the back-end that did it, once, refused ones as well; the account has them', async () => {
      const address = `${await addPerson(cluster(), 'be1')}@example.com`;
      const who = `${userInfo().username} at node fe1`;
      const by = (node: 'fe1' | 'be1', what: string): string[] => auditOf(cluster(), node).filter((entry) => entry['what'] === what && JSON.stringify(entry['facts']).includes(address)).map((entry) => `${String(entry['who'])}: ${String(entry['result'])}`);
      await waybill('account', 'disable', address, '--config', cluster().configFile);
      assert.deepEqual(by('be1', 'setAccountTerms'), [`${who}: done`]);
      assert.deepEqual(['setAccountTerms', 'forgetNodeRoute', 'kickNodeSessions'].flatMap((what) => by('fe1', what)), []);
      await waybill('account', 'undelete', address, '--config', cluster().configFile);
      assert.deepEqual(by('be1', 'undeleteAccount'), [`${who}: unknown-user`]);
      const audit = await waybill('audit', address, '--config', cluster().configFile);
      assert.match(audit.output, /setAccountTerms +done/);
      const headers = await bearer(cluster(), 'fe1', me);
      const { body } = await askAdmin(cluster(), ['fe1', `/api/v1/accounts/${address}/audit`], { headers });
      assert.ok((body['entries'] as readonly { what: string }[]).some(({ what }) => what === 'setAccountTerms'), JSON.stringify(body));
    });

    test('hashes and secrets for administrators are made; those that the configuration has are listed', async () => {
      const input = join(cluster().folder, 'secrets', 'directory-admin');
      const [list, totp, added] = await Promise.all([
        waybill('admin', 'list', '--config', cluster().configFile),
        waybill('admin', 'totp', 'ann', '--config', cluster().configFile),
        run('sh', ['-c', `${process.execPath} --disable-warning=DEP0060 ${programFile} admin passwd ann --stdin < ${input}`]),
      ]);
      assert.match(list.output, /helpdesk +password +example\.com +(?!.*manageQueue).*manageUserMap/);
      assert.match(totp.output, /^[A-Z2-7]{32}$/m);
      assert.match(totp.output, /otpauth:\/\/totp\/waybill-demo:ann\?secret=[A-Z2-7]{32}&issuer=waybill-demo/);
      assert.match(added.output, /^\{ARGON2\}\$argon2id\$/);
    });
  });

  test('garbage at every operation is refused as a problem with a reason, changes nothing, and ends no worker', async () => {
    const headers = await bearer(cluster(), 'be1', me);
    const before = readFileSync(join(cluster().folder, 'audit', 'be1.log'), 'utf8').length;
    const garbled = new Map(operations.filter(({ name }) => name !== 'signIn' && name !== 'signOut').map((one) => [one.name, one]));
    const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('..', '%00', '%', '%c3', 'be1', '__proto__', 'a@b', '\u0000@x', 'x'.repeat(400)));
    const asked = fc.record({
      name: fc.constantFrom(...garbled.keys()), parts: fc.array(text, { minLength: 3, maxLength: 3 }), query: fc.dictionary(text, text, { maxKeys: 2 }),
      raw: fc.oneof(fc.jsonValue().map((value) => JSON.stringify(value)), fc.string(), fc.constant('{"__proto__":{"address":"x"}}'), fc.constant(`${'['.repeat(5000)}`)),
    });
    await fc.assert(fc.asyncProperty(asked, async ({ name, parts, query, raw }) => {
      const operation = garbled.get(name)!;
      const rest = [...parts];
      const path = operation.path.replace(/\{\w+\}/g, () => encodeURIComponent(rest.shift() ?? '')).replaceAll('%25', '%');
      const search = operation.method === 'GET' ? new URLSearchParams(query).toString() : 'surplus=1';
      const { status, body } = await askAdmin(cluster(), ['be1', `/api/v1${path}?${search}`], { method: operation.method, headers, ...(operation.method === 'GET' ? {} : { raw }) });
      if (operation.method === 'GET' && status === 200) return; // a list without a filter is no garbage
      assert.ok(status >= 400 && status < 500, `${operation.name} ${String(status)} ${JSON.stringify(body)}`);
      assert.ok(typeof body['kind'] === 'string' && typeof body['detail'] === 'string' && typeof body['reference'] === 'string', JSON.stringify(body));
    }), { numRuns: 120 });
    const done = readFileSync(join(cluster().folder, 'audit', 'be1.log'), 'utf8').slice(before).split('\n').filter((line) => line.includes('"result":"done"'));
    assert.deepEqual(done.filter((line) => !line.includes('"what":"signIn"')), []);
    assert.doesNotMatch(cluster().log('be1'), /fault in a worker|admin request failed/);
  });
}
