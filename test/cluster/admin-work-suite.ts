/** What administrators do over the admin API: sessions, accounts, moves, the queue, storages, configuration; from any node, and audited. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sortOfAct } from '../../shared/admin-api/act-sorts.ts';
import { askAdmin, auditOf, basic, bearer, me } from '../harness/admin-api.ts';
import type { AdminAnswer, AdminQuestion } from '../harness/admin-api.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { deliver, SmtpSession } from '../harness/smtp-session.ts';

interface Recipient { readonly address: string; readonly tries: number; readonly state: string; readonly lastWords?: string }
interface Queued { readonly id: string; readonly sender: string; readonly held: boolean; readonly recipients: readonly Recipient[] }

export function adminWorkSuite(cluster: () => Cluster): void {
  describe('work over the admin API', () => {
    let headers: Readonly<Record<string, string>>;
    before(async () => {
      headers = await bearer(cluster(), 'be2', me);
    });
    const ask = async (node: NodeName, path: string, question: AdminQuestion = {}): Promise<AdminAnswer> => askAdmin(cluster(), [node, `/api/v1${path}`], { headers, ...question });
    const done = async (node: NodeName, path: string, question: AdminQuestion = {}): Promise<Readonly<Record<string, unknown>>> => {
      const { status, body } = await ask(node, path, question);
      assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
      return body;
    };

    test('sessions are listed and cut from a back-end; a front-end that is down is named; the audit has it', async () => {
      const user = await addPerson(cluster(), 'be1');
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
      const listed = await done('be1', `/sessions?account=${user}@example.com`);
      assert.deepEqual((listed['sessions'] as readonly Record<string, unknown>[]).map(({ frontend, service, account }) => [frontend, service, account]), [['fe1', 'imapProxy', `${user}@example.com`]]);
      assert.deepEqual((listed['silent'] as readonly { node: string }[]).map(({ node }) => node), ['fe2']);
      assert.equal((await ask('be1', '/sessions/kick', { method: 'POST', body: {} })).status, 400);
      const other = await ask('be1', '/sessions/kick', { method: 'POST', body: { account: `${user}@example.com` }, headers: basic('elsewhere', me.password) });
      assert.deepEqual([other.status, other.body['kind']], [403, 'forbidden']);
      await imap.ok('NOOP');
      const cut = await done('be1', '/sessions/kick', { method: 'POST', body: { account: `${user}@example.com` } });
      assert.equal((cut['sessions'] as readonly unknown[]).length, 1);
      await imap.dialogue.closed();
      const entry = auditOf(cluster(), 'fe1').findLast(({ what }) => what === 'kickNodeSessions');
      assert.deepEqual([entry?.['who'], entry?.['by'], entry?.['from'], entry?.['via'], entry?.['result']], ['admin', 'token', '127.0.0.1', 'be1', 'done']);
    });

    test('the directory is searched by pages, and an address shown as front-ends and back-ends see it', async () => {
      const first = await done('be1', '/directory?limit=3');
      const addresses = (page: Readonly<Record<string, unknown>>): string[] => (page['entries'] as readonly { address: string }[]).map(({ address }) => address);
      assert.equal(addresses(first).length, 3);
      const second = await done('fe1', `/directory?limit=500&after=${encodeURIComponent(String(first['next']))}`);
      assert.equal(addresses(first).length + addresses(second).length, first['total']);
      assert.deepEqual(addresses(await done('fe1', '/directory?search=ALICE')), ['alice@example.com']);
      assert.deepEqual(addresses(await done('fe1', '/directory', { headers: basic('elsewhere', me.password) })), []);
      assert.deepEqual((await done('be2', '/map/bob@example.com'))['route'], { kind: 'node', node: 'be2' });
      assert.equal((await ask('be2', '/map/bob')).status, 400);
      const alice = await done('be2', '/accounts/alice@example.com');
      assert.equal(alice['passwordAt'], 'directory');
      assert.equal((alice['directory'] as { node: string }).node, 'be1');
      const domains = (await done('fe1', '/domains'))['domains'] as readonly { name: string; kind: string; maps: readonly string[] }[];
      assert.deepEqual(domains.map(({ name, kind, maps }) => [name, kind, maps]), [['example.com', 'primary', ['users']], ['local.example', 'secondary', []]]);
    });

    test('a local account is made, logs in, and gets a new password; a user of the directory gets one there', async () => {
      const made = await done('fe1', '/nodes/be1/accounts', { method: 'POST', body: { address: 'zoe@local.example', password: 'first one' } });
      assert.deepEqual(made, { address: 'zoe@local.example', node: 'be1' });
      const again = await ask('fe1', '/nodes/be1/accounts', { method: 'POST', body: { address: 'zoe@local.example', password: 'other' } });
      assert.deepEqual([again.status, again.body['kind']], [409, 'mailbox-exists']);
      const user = await addPerson(cluster(), 'be2');
      const taken = await done('be1', `/accounts/${user}@example.com/password`, { method: 'POST', body: { password: 'brand new' } });
      assert.match(String(taken['takenBy']), /^ldaps:/);
      const session = await SmtpSession.connect(cluster(), 'fe1', 'submissions');
      assert.match(await session.authenticate(user, 'brand new'), /^235 /);
      session.close();
      const texts = (['fe1', 'be1', 'be2'] as const).map((node) => JSON.stringify(auditOf(cluster(), node)));
      assert.ok(texts.some((text) => text.includes('setPassword')));
      for (const text of texts) assert.doesNotMatch(text, /brand new|first one/);
      assert.equal((await ask('fe1', `/accounts/${user}@example.com/password`, { method: 'POST', body: { password: 'x' }, headers: basic('elsewhere', me.password) })).status, 403);
    });

    test('an account is moved from any node and the move followed', async () => {
      const user = await addPerson(cluster(), 'be1');
      await deliver(cluster(), 'fe1', { from: 'x@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes });
      await done('be2', '/sessions/kick', { method: 'POST', body: { account: `${user}@example.com` } });
      await done('fe1', `/nodes/be2/accounts/${user}@example.com/move`, { method: 'POST', body: {} });
      let move = await done('be1', `/nodes/be2/accounts/${user}@example.com/move`);
      for (const deadline = Date.now() + 60_000; move['state'] === 'running' && Date.now() < deadline; await sleep(50)) move = await done('be1', `/nodes/be2/accounts/${user}@example.com/move`);
      assert.equal(move['state'], 'done', JSON.stringify(move));
      const records = (await done('fe1', `/accounts/${user}@example.com`))['records'] as Record<string, { at: string; messages?: number }>;
      assert.deepEqual([records['be1']?.at, records['be2']?.at, records['be2']?.messages], ['moved', 'live', 1]);
      // What was done to it stands with it, moves along, and is shown at its new place.
      const acts = async (): Promise<string[]> => ((await done('fe1', `/accounts/${user}@example.com/audit`))['entries'] as readonly { what: string; who: string; from: string }[]).map(({ what, who, from }) => `${sortOfAct(what) ?? what} ${who} ${from}`);
      for (const deadline = Date.now() + 60_000; (await acts()).length < 2 && Date.now() < deadline;) await sleep(50);
      assert.deepEqual((await acts()).toSorted(), ['moved admin 127.0.0.1', 'signed-out admin 127.0.0.1']);
      assert.equal((await ask('fe1', `/accounts/${user}@example.com/audit`, { headers: basic('elsewhere', me.password) })).status, 403);
    });

    test('queued mail is listed, retried, held, released, returned and deleted, whichever node and worker is asked', async () => {
      const user = await addPerson(cluster(), 'be1');
      const submit = async (to: string): Promise<void> => {
        const session = await SmtpSession.connect(cluster(), 'fe1', 'submissions');
        await session.authenticate(user, cluster().password);
        assert.match(await session.send({ from: `${user}@example.com`, to: [to], bytes: newMessage({ text: 'nobody gets it' }).bytes }), /^250/);
        session.close();
      };
      const queued = async (to: string): Promise<readonly Queued[]> => (await done('fe1', `/nodes/be1/queue?recipient=${encodeURIComponent(to)}`))['items'] as readonly Queued[];
      const waits = async (to: string, tries: number): Promise<Queued> => {
        for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
          const [item] = await queued(to);
          if (item !== undefined && (item.recipients[0]?.tries ?? 0) >= tries) return item;
          assert.ok(Date.now() < deadline, `${to} was not tried ${String(tries)} times: ${JSON.stringify(item)}`);
        }
      };
      await submit('one@away.example');
      const item = await waits('one@away.example', 1);
      const at = `/nodes/be1/queue/${item.id}`;
      const shown = await done('be2', at);
      assert.deepEqual((shown['fields'] as readonly { name: string }[]).map(({ name }) => name).filter((name) => name === 'Subject'), ['Subject']);
      assert.doesNotMatch(JSON.stringify(shown), /nobody gets it/);
      await done('be2', `${at}/retry`, { method: 'POST' });
      await waits('one@away.example', 2);
      await done('fe1', `${at}/hold`, { method: 'POST' });
      assert.deepEqual((await queued('one@away.example')).map(({ held }) => held), [true]);
      await done('fe1', `${at}/release`, { method: 'POST' });
      assert.equal((await ask('fe1', `${at}/retry`, { method: 'POST', headers: basic('helpdesk', me.password) })).body['kind'], 'forbidden');
      assert.deepEqual((await done('be2', `${at}/bounce`, { method: 'POST', body: { reason: 'not wanted there' } }))['recipients'], ['one@away.example']);
      assert.deepEqual(await queued('one@away.example'), []);
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
      const [report] = await imap.findSoon('Undelivered mail');
      assert.match((await imap.messages(String(report))).get(report ?? 0)?.toString() ?? '', /Diagnostic-Code: X-Waybill; not wanted there/);
      await submit('two@away.example');
      const { id } = await waits('two@away.example', 1);
      await done('be2', `/nodes/be1/queue/${id}`, { method: 'DELETE' });
      assert.equal((await ask('be2', `/nodes/be1/queue/${id}`, { method: 'DELETE' })).status, 404);
      await imap.findSoon('Undelivered mail'); // still one
      imap.close();
      assert.deepEqual(auditOf(cluster(), 'be1').flatMap(({ what, result }) => (/Queued$/.test(String(what)) ? [`${String(what)} ${String(result)}`] : [])), [
        'retryQueued done', 'holdQueued done', 'releaseQueued done', 'bounceQueued done', 'deleteQueued done', 'deleteQueued no-such-thing',
      ]);
    });

    test('the index for searches of text is made anew for an account, shown and removed, and searches find the same', async () => {
      const place = '/nodes/be1/search-index';
      const user = await addPerson(cluster(), 'be1');
      const { subject, bytes } = newMessage();
      await deliver(cluster(), 'fe1', { from: 'x@example.net', to: [`${user}@example.com`], bytes });
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
      const [found] = await imap.findSoon(subject);
      assert.equal((await ask('fe1', place, { headers: basic('helpdesk', me.password) })).status, 403);
      const { id } = await done('be2', place, { method: 'POST', body: { account: `${user}@example.com` } });
      let job = await done('be1', `/nodes/be1/jobs/${String(id)}`);
      while (job['state'] === 'running') job = await sleep(100, done('be1', `/nodes/be1/jobs/${String(id)}`));
      assert.equal(job['state'], 'done', JSON.stringify(job));
      assert.ok((job['searchIndex'] as { added: number }).added > 0);
      const { storages } = await done('fe1', place) as { storages: readonly { indexed: number; messages: number }[] };
      assert.ok(storages.some(({ indexed, messages }) => indexed > 0 && indexed === messages));
      assert.deepEqual(await imap.findSoon(subject), [found]);
      assert.ok(Number((await done('fe1', place, { method: 'DELETE' }))['bytes']) > 0);
      imap.close();
    });

    test('storages and the configuration are shown without secrets, and a document is checked with line and column', async () => {
      const { storages } = await done('fe1', '/nodes/be1/storages') as { storages: readonly { state: string; accounts: number; freeBytes: number }[] };
      assert.deepEqual(storages.map(({ state }) => state), ['ok', 'ok']);
      assert.ok(storages.every(({ freeBytes }) => freeBytes > 0) && storages.some(({ accounts }) => accounts > 0));
      const wrong = await ask('fe1', '/nodes/fe1/storages');
      assert.deepEqual([wrong.status, wrong.body['kind']], [422, 'wrong-role']);
      const shown = await done('be1', '/nodes/fe1/configuration');
      assert.doesNotMatch(JSON.stringify(shown), /argon2/);
      const text = readFileSync(cluster().configFile, 'utf8');
      assert.equal((await done('be1', '/configuration/check', { method: 'POST', body: { text } }))['good'], true);
      const bad = await done('be1', '/configuration/check', { method: 'POST', body: { text: text.replace('drainSeconds: 1', 'drainSeconds: one') } });
      assert.equal(bad['good'], false);
      assert.match(JSON.stringify(bad['problems']), /"line":\d+,"column":\d+/);
      assert.equal((await ask('be1', '/configuration/check', { method: 'POST', body: { text }, headers: basic('helpdesk', me.password) })).status, 403);
    });

    test('a configuration that nodes read from a file is read and compared, and said to be read-only', async () => {
      const text = readFileSync(cluster().configFile, 'utf8');
      const shown = await done('fe1', '/configuration');
      assert.deepEqual([shown['source'], shown['number'], shown['node'], shown['file'], shown['text']], ['file', 0, 'fe1', cluster().configFile, text]);
      assert.match(String(shown['readOnly']), /from a file.*can't be changed from here/);
      const changed = text.replace('drainSeconds: 1', 'drainSeconds: 2');
      const { hunks } = await done('be1', '/configuration/diff', { method: 'POST', body: { after: { text: changed } } }) as { hunks: readonly { lines: readonly { mark: string; text: string }[] }[] };
      assert.deepEqual(hunks.flatMap(({ lines }) => lines.flatMap(({ mark, text: line }) => (mark === ' ' ? [] : [`${mark}${line.trim().split(' #')[0] ?? ''}`.trim()]))), ['-drainSeconds: 1', '+drainSeconds: 2']);
      for (const [path, body] of [['publish', { text: changed, after: 0 }], ['rollback', { version: 1, after: 1 }]] as const) {
        const refused = await ask('fe1', `/configuration/${path}`, { method: 'POST', body });
        assert.deepEqual([refused.status, refused.body['kind']], [422, 'not-published'], path);
      }
      for (const path of ['versions', 'versions/1']) assert.equal((await ask('be1', `/configuration/${path}`)).body['kind'], 'not-published');
      assert.equal(readFileSync(cluster().configFile, 'utf8'), text);
      const status = await done('be2', '/configuration/status') as { source: string; nodes: readonly { node: string; kind: string }[] };
      assert.deepEqual([status.source, ...status.nodes.map(({ node, kind }) => `${node} ${kind}`).toSorted()], ['file', 'be1 runs', 'be2 runs', 'fe1 runs', 'fe2 away']);
      const place = await done('be1', '/configuration/locate', { method: 'POST', body: { text, node: 'fe1', path: 'administration.administrators[2].name' } });
      assert.match(text.split('\n')[Number(place['line']) - 1] ?? '', /name: helpdesk/);
    });
  });
}
