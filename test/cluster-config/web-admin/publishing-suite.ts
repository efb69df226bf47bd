/** A published configuration over the admin API: read, checked, compared, published, taken back; from any node, audited, nothing of it by whoever may not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAdmin, auditOf, basic, me } from '../../harness/admin-api.ts';
import type { AdminAnswer, AdminQuestion } from '../../harness/admin-api.ts';
import type { NodeName } from '../../harness/cluster.ts';
import type { PublishedCluster } from '../../harness/published-cluster.ts';

interface Status {
  readonly number: number;
  readonly nodes: readonly { readonly node: string; readonly kind: string; readonly state?: { readonly restartFor: readonly string[] } }[];
}

interface Differing { readonly hunks: readonly { readonly lines: readonly { readonly mark: string; readonly text: string }[] }[]; readonly before: { readonly number: number } }

/** One more that may not change the configuration. */
const helpdesk = '\n      - { name: helpdesk, password: { file: secrets/administrator }, allow: [manageSessions] }';

/** Version 1 is published; fe1 and be1 run it, and fe1 can't publish by itself. Version 3 is the same again afterwards. */
export function publishingSuite(home: () => PublishedCluster): void {
  describe('the configuration over the admin API', () => {
    const ask = async (node: NodeName, path: string, question: AdminQuestion = {}): Promise<AdminAnswer> =>
      askAdmin(home().cluster, [node, `/api/v1${path}`], { headers: basic(me.name, me.password), ...question });
    const done = async (node: NodeName, path: string, body?: unknown): Promise<AdminAnswer['body']> => {
      const answer = await ask(node, path, body === undefined ? {} : { method: 'POST', body });
      assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    const post = async (node: NodeName, path: string, body: unknown): Promise<AdminAnswer> => ask(node, `/configuration/${path}`, { method: 'POST', body });
    const allRun = async (number: number): Promise<Status> => {
      for (const deadline = Date.now() + 120_000; ; await sleep(100)) {
        const now = await done('be1', '/configuration/status') as unknown as Status;
        if (now.number === number && now.nodes.length === 2 && now.nodes.every(({ kind }) => kind === 'runs')) return now;
        assert.ok(Date.now() < deadline, `all run ${String(number)}: ${JSON.stringify(now)}`);
      }
    };
    const present = async (): Promise<{ readonly text: string; readonly number: number }> => await done('be1', '/configuration') as unknown as { text: string; number: number };

    test('what is published is read at any node; a draft is compared and checked, with what would wait for a restart and what one may not have meant', async () => {
      const shown = await done('fe1', '/configuration');
      assert.deepEqual([shown['source'], shown['number'], shown['node'], shown['message'], shown['readOnly']], ['directory', 1, 'fe1', 'the beginning', undefined]);
      const text = String(shown['text']);
      const draft = text.replace('directories: [', 'directories: [be1/storage3, ').replace('name: admin,', 'name: eve,');
      const { good, restarts, warnings } = await done('fe1', '/configuration/check', { text: draft });
      assert.deepEqual([good, restarts], [true, [{ node: 'be1', parameters: ['storage.directories'] }]]);
      assert.deepEqual(warnings, ['You (admin) could not change the configuration any more at fe1, be1.']);
      const { hunks, before } = await done('be1', '/configuration/diff', { after: { text: draft } }) as unknown as Differing;
      assert.equal(before.number, 1);
      assert.deepEqual(hunks.flatMap(({ lines }) => lines.filter(({ mark }) => mark !== ' ').map(({ mark, text: line }) => `${mark} ${/name: \w+|directories/.exec(line)?.[0] ?? line}`)), ['- name: admin', '+ name: eve', '- directories', '+ directories']);
      const bad = await done('be1', '/configuration/check', { text: text.replace(/bindPassword: \{ file: [^}]*\}/, 'bindPassword: "opensesame"') });
      assert.match(JSON.stringify(bad['problems']), /"path":"cluster\.ldapConnectors\[0\]\.bindPassword".*"line":\d+,"column":\d+/);
      assert.doesNotMatch(JSON.stringify(bad), /opensesame/);
    });

    test('a text is published from the version it was made of, by way of a node that can; who comes later is told who was first, and nothing of theirs is there', async () => {
      const { text } = await present();
      const next = text.replace(/\n +- \{ name: admin, .*/, (admin) => `${admin}${helpdesk}`);
      const answer = await done('fe1', '/configuration/publish', { text: next, after: 1, message: 'a help desk' });
      assert.deepEqual([answer['number'], answer['by'], answer['message'], answer['silent'], answer['restarts']], [2, 'admin', 'a help desk', [], []]);
      const late = await post('be1', 'publish', { text: text.replace('drainSeconds: 5', 'drainSeconds: 4'), after: 1, message: 'late' });
      assert.deepEqual([late.status, late.body['kind']], [409, 'in-use']);
      assert.match(String(late.body['detail']), /somebody else was first: version 2 by admin at .* \(a help desk\)\. Nothing was published/);
      await allRun(2);
      assert.equal((await present()).text, next);
      const { versions } = await done('fe1', '/configuration/versions') as { versions: readonly { number: number; message: string }[] };
      assert.deepEqual(versions.map(({ number, message }) => `${String(number)} ${message}`), ['2 a help desk', '1 the beginning']);
      assert.equal((await done('be1', '/configuration/versions?limit=1'))['next'], '2');
      assert.deepEqual(((await done('be1', '/configuration/versions?after=2'))['versions'] as readonly unknown[]).length, 1);
      assert.equal((await done('fe1', '/configuration/versions/1'))['text'], text);
      const acts = (node: NodeName): unknown[] => auditOf(home().cluster, node).filter(({ what }) => what === 'publishConfiguration').map(({ who, result, facts }) => [who, result, facts]);
      assert.deepEqual(acts('fe1'), [['admin', 'done', { version: 2, message: 'a help desk', at: 'be1' }]]);
      assert.deepEqual(acts('be1'), [['admin', 'done', { version: 2, message: 'a help desk' }], ['admin', 'in-use', {}]]);
    });

    test('what is no good is refused with the place, and so are requests that don\'t fit; nothing is published', async () => {
      const { text } = await present();
      for (const node of ['fe1', 'be1'] as const) {
        const mistake = await post(node, 'publish', { text: text.replace('drainSeconds: 5', 'drainSeconds: soon'), after: 2 });
        assert.deepEqual([mistake.status, mistake.body['kind']], [422, 'configuration-refused']);
        assert.match(JSON.stringify(mistake.body['mistakes']), /"where":"line \d+, column \d+: cluster\.drainSeconds"/);
      }
      assert.equal((await post('be1', 'publish', { text, after: 2 })).body['kind'], 'nothing-to-do');
      const misfits = [{}, { text }, { text, after: -1 }, { text, after: 1.5 }, { text, after: '2' }, { text, after: 2, by: 'mallory' }, { text, after: 2, message: 'x'.repeat(500) }, { text: 7, after: 2 }, { text: 'x'.repeat(950_000), after: 2 }];
      for (const body of misfits) assert.equal((await post('be1', 'publish', body)).status, 400, JSON.stringify(body).slice(0, 100));
      for (const path of ['versions/0', 'versions/x', 'versions?limit=0', 'versions?after=-3', 'versions?x=1']) assert.equal((await ask('be1', `/configuration/${path}`)).status, 400, path);
      assert.equal((await ask('fe1', '/configuration/versions/77')).status, 404);
      assert.deepEqual([(await post('fe1', 'rollback', { version: 77, after: 2 })).status, (await post('fe1', 'rollback', { version: 1, after: 1 })).status], [404, 409]);
      assert.equal((await post('be1', 'diff', { before: { version: 1, text: 'both' } })).status, 400);
      assert.equal((await post('be1', 'locate', { text, node: 'fe1', path: 'nonsense[' })).status, 400);
      assert.equal((await post('be1', 'locate', { text, node: 'fe1', path: 'no.such' })).status, 404);
      assert.equal((await ask('fe1', '/nodes/be1/restart', { method: 'POST', body: { waitSeconds: -1 } })).status, 400);
      assert.equal((await present()).number, 2);
    });

    test('who may not, can\'t', async () => {
      const headers = basic('helpdesk', me.password);
      for (const path of ['', '/versions', '/versions/2', '/status']) assert.equal((await ask('fe1', `/configuration${path}`, { headers })).status, 403, path);
      for (const path of ['check', 'publish', 'rollback', 'diff', 'locate']) assert.equal((await ask('be1', `/configuration/${path}`, { headers, method: 'POST', body: {} })).status, 403, path);
      assert.equal((await ask('fe1', '/nodes/be1/restart', { headers, method: 'POST', body: {} })).status, 403);
      assert.equal((await ask('fe1', '/configuration', { headers: {} })).status, 401);
    });

    test('the old content comes back as a new version', async () => {
      const answer = await done('fe1', '/configuration/rollback', { version: 1, after: 2 });
      assert.deepEqual([answer['number'], answer['by'], answer['message']], [3, 'admin', 'back to version 1']);
      await allRun(3);
      assert.equal((await done('fe1', '/configuration/versions/3'))['text'], (await done('fe1', '/configuration/versions/1'))['text']);
    });
  });
}
