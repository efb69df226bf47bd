/** `waybill map check|stats|export|import` as an administrator at another host, who has no configuration and no certificate; and who may do that. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { askAdmin, auditOf, basic } from '../harness/admin-api.ts';
import type { Cluster } from '../harness/cluster.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import type { CommandOutcome } from '../harness/command.ts';
import { addPerson } from '../harness/demo-people.ts';

export function adminFromElsewhereSuite(cluster: () => Cluster): void {
  describe('the user map from elsewhere', () => {
    let runner: CommandRunner;
    before(() => { runner = new CommandRunner(); });
    after(() => runner.stop());
    const here = async (...words: string[]): Promise<CommandOutcome> => runner.run([...words, '--config', cluster().configFile]);
    const elsewhere = async (...words: string[]): Promise<CommandOutcome> => runner.run([
      ...words, '--server', `https://127.0.0.1:${String(cluster().port('be2', 'admin'))}`, '--admin', 'admin', '--ca', cluster().authorityFile,
      '--password-file', join(cluster().folder, 'secrets', 'directory-admin'), '--config', '/nowhere.yaml',
    ]);
    const unheard = 'waybill: fe2: does not answer: it may go on with the hosts of before until routing.positiveAgeSeconds are over\n';
    const routeOf = async (name: string): Promise<Readonly<Record<string, unknown>>> => (await askAdmin(cluster(), ['fe1', `/api/v1/map/${name}@example.com`], { headers: basic('admin', 'waybill-demo') })).body;
    /** Each worker has a cache of its own; which one is asked is not known. */
    const manyTimes = Array.from({ length: 8 });
    const untilCached = async (name: string): Promise<void> => {
      const answers = await Promise.all(manyTimes.map(async () => routeOf(name)));
      assert.ok(answers.some(({ from }) => from === 'cache'));
    };
    const leadsTo = async (name: string, node: string): Promise<void> => {
      for (const answer of await Promise.all(manyTimes.map(async () => routeOf(name)))) assert.deepEqual(answer['route'], { kind: 'node', node }, JSON.stringify(answer));
    };
    const fileOf = (text: string): string => {
      const file = join(cluster().folder, 'users');
      writeFileSync(file, text);
      return file;
    };

    test('check and export say what they say on a node; stats name the node that is silent', async () => {
      const stray = await addPerson(cluster(), 'be9');
      for (const words of [['map', 'check', '--json'], ['map', 'export'], ['map', 'export', '--format', 'ldif']]) {
        const [near, far] = [await here(...words), await elsewhere(...words)];
        assert.deepEqual(far, near);
        assert.match(far.output, new RegExp(`${stray}@example\\.com`));
      }
      const { code, output, complaint } = await elsewhere('map', 'stats');
      assert.equal(code, 1);
      assert.match(output, /^NODE +WORKERS +HITS .*\nfe1 +2 +\d.*\nbe1 +2 .*\nbe2 +1 .*\nall backends +3 .*\n$/);
      assert.equal(complaint, 'waybill: fe2 does not answer\n');
    });

    test('an import is compared; with --write hosts are in the directory and the audit has it; a bad line anywhere and nothing is written', async () => {
      const [one, two] = [await addPerson(cluster(), 'be1'), await addPerson(cluster(), 'be1')];
      const wanted = `address,node,aliases\n${one}@example.com,be2,${one}-more@example.com\n`;
      const shown = await elsewhere('map', 'import', fileOf(wanted));
      assert.deepEqual(shown, await here('map', 'import', fileOf(wanted)));
      assert.match(shown.complaint, new RegExp(`^would change ${one}@example\\.com: be1 -> be2\nwould change ${one}@example\\.com: aliases none -> ${one}-more@example\\.com\n$`));
      const bad = await elsewhere('map', 'import', fileOf(`${wanted}${two}@example.com,be7,\n`), '--write');
      assert.deepEqual([bad.code, bad.output], [1, '']);
      assert.match(bad.complaint, /nothing was changed:\nline 3: "be7" is no node of this cluster\n$/);
      assert.match((await here('map', 'export')).output, new RegExp(`^${one}@example\\.com,be1,$`, 'm'));
      await untilCached(one);
      const written = await elsewhere('map', 'import', fileOf(wanted), '--write');
      assert.match(written.complaint, new RegExp(`^${one}@example\\.com: be1 -> be2\n.*\n${unheard}$`));
      assert.equal(written.code, 1); // fe2 does not run
      await leadsTo(one, 'be2');
      assert.match(written.output, /^mailLocalAddress: /m);
      assert.doesNotMatch(written.output, /mailHost/);
      assert.match((await here('map', 'export')).output, new RegExp(`^${one}@example\\.com,be2,$`, 'm'));
      const act = auditOf(cluster(), 'be2').findLast(({ what }) => what === 'importMap');
      assert.match(String(act?.['who']), /^admin/);
      assert.deepEqual([act?.['result'], (act?.['facts'] as Record<string, unknown>)['first']], ['done', [`${one}@example.com be2`]]);
    });

    test('what is written by a file on a node is forgotten by front-ends and stands in the audit, also when it breaks off', async () => {
      const [one, twin] = [await addPerson(cluster(), 'be1'), await addPerson(cluster(), 'be1')];
      await addPerson(cluster(), 'be1', `${twin}@example.com`); // two entries of one address: nobody knows which one is meant
      const file = fileOf(`${one}@example.com,be2,\n${twin}@example.com,be2,\n`);
      for (const [command, host, node] of [[here, 'be2', 'be1'], [elsewhere, 'be1', 'be2']] as const) {
        writeFileSync(file, `${one}@example.com,${host},\n${twin}@example.com,be2,\n`);
        await untilCached(one);
        const { code, complaint } = await command('map', 'import', file, '--write');
        assert.equal(code, 1);
        assert.match(complaint, new RegExp(`${twin}@example.com`));
        await leadsTo(one, host);
        const { result, facts } = auditOf(cluster(), node).findLast(({ what }) => what === 'importMap') ?? {};
        assert.deepEqual([result, facts], [command === here ? 'done' : 'directory-unavailable', { hosts: 1, first: [`${one}@example.com ${host}`] }]);
      }
    });

    test('draining names a node that is no back-end', async () => {
      const { code, complaint } = await elsewhere('node', 'drain', 'fe1');
      assert.deepEqual([code, complaint], [1, 'waybill: fe1 is no back-end of this cluster; there are be1, be2\n']);
    });

    test('administrators of domains see their own users only, and change nothing; to write takes two permissions', async () => {
      const user = `${await addPerson(cluster(), 'be1')}@example.com`;
      const body = { format: 'csv', text: `${user},be2,\n` };
      const ask = async (admin: string, path: string, method = 'GET'): Promise<string> => {
        const answer = await askAdmin(cluster(), ['fe1', `/api/v1${path}`], { method, headers: basic(admin, 'waybill-demo'), ...(method === 'GET' ? {} : { body }) });
        return `${String(answer.status)} ${JSON.stringify(answer.body)}`;
      };
      for (const [path, method] of [['/directory/check', 'GET'], ['/map-statistics', 'GET'], ['/nodes/be1/holdings', 'GET'], ['/nodes/be1/state', 'GET'], ['/nodes/be1/restart', 'POST'], ['/directory/import', 'POST']] as const) {
        assert.match(await ask('elsewhere', path, method), /^403 .*some domains only, and this is about the whole cluster/, path);
      }
      assert.match(await ask('elsewhere', '/directory/compare', 'POST'), /^200 .*no entry has the address.*"told":\[\]/);
      assert.match(await ask('helpdesk', '/directory/compare', 'POST'), /^200 .*"mistakes":\[\],"told":\["[^"]+ be1 -> be2"\]/);
      assert.match(await ask('mover', '/directory/import', 'POST'), /^403 .*mover has no permission manageUserMap/);
      for (const [path, method, needed] of [
        ['/directory/check', 'GET', 'manageUserMap'], ['/directory', 'GET', 'manageUserMap'], ['/directory/compare', 'POST', 'manageUserMap'], ['/directory/import', 'POST', 'manageCluster'],
        ['/nodes/be1/holdings', 'GET', 'manageCluster'], ['/nodes/be1/restart', 'POST', 'manageCluster'], [`/nodes/be1/accounts/${user}/move`, 'POST', 'manageCluster'],
      ] as const) assert.match(await ask('reader', path, method), new RegExp(`^403 .*reader has no permission ${needed}`), path);
      assert.match(await ask('mover', '/map-statistics'), /^403 .*mover has no permission manageReporting/);
      assert.match(await ask('mover', '/nodes/be1/holdings'), /^200 \{"live":\[/);
      assert.match((await here('map', 'export')).output, new RegExp(`^${user},be1,$`, 'm'));
    });
  });
}
