/** Single services stopped, started and restarted by an administrator: over all workers, workers to come included; states told truly. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAdmin, basic, bearer, me } from '../harness/admin-api.ts';
import type { AdminAnswer, AdminQuestion } from '../harness/admin-api.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';

interface Listed { readonly name: string; readonly state: string; readonly reason?: string; readonly workers: readonly { readonly pid: number }[] }

export function adminServicesSuite(cluster: () => Cluster): void {
  describe('services over the admin API', () => {
    let headers: Readonly<Record<string, string>>;
    before(async () => {
      headers = await bearer(cluster(), 'be2', me);
    });
    const ask = async (path: string, question: AdminQuestion = {}): Promise<AdminAnswer> => askAdmin(cluster(), ['be2', `/api/v1${path}`], { headers, ...question });
    const act = async (node: NodeName, service: string, wish: string): Promise<Listed> => {
      const { status, body } = await ask(`/nodes/${node}/services/${service}/${wish}`, { method: 'POST' });
      assert.equal(status, 200, JSON.stringify(body));
      return body as unknown as Listed;
    };
    const listed = async (node: NodeName): Promise<readonly Listed[]> => (await ask(`/nodes/${node}/services`)).body['services'] as readonly Listed[];
    const stateOf = async (node: NodeName, service: string): Promise<Listed> => {
      const found = (await listed(node)).find(({ name }) => name === service);
      assert.ok(found !== undefined);
      return found;
    };
    const soon = async (what: string, condition: () => Promise<boolean>): Promise<void> => {
      for (const deadline = Date.now() + 60_000; !(await condition()); await sleep(50)) assert.ok(Date.now() < deadline, what);
    };
    const listens = async (node: NodeName, service: string): Promise<boolean> => {
      const socket = connect({ host: '127.0.0.1', port: cluster().port(node, service) });
      const outcome = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
      socket.destroy();
      return outcome;
    };
    const ready = async (node: NodeName, query = ''): Promise<AdminAnswer> => askAdmin(cluster(), [node, `/readyz${query}`]);

    test('all services of both kinds of node are listed as running; the queue runs in one worker', async () => {
      await soon('no worker of be1 has the queue', async () => (await listed('be1')).some(({ name }) => name === 'processing')); // it passes on to another when workers are replaced
      assert.deepEqual((await listed('be1')).map(({ name, state, workers }) => `${name} ${state} ${String(workers.length)}`).sort(), ['imap running 2', 'pop3 running 2', 'processing running 1', 'smtpReceiving running 2', 'webmail running 2']);
      assert.deepEqual((await listed('fe1')).map(({ name, state }) => `${name} ${state}`).sort(), ['imapProxy running', 'pop3Proxy running', 'smtpProxy running', 'webmailProxy running']);
    });

    test('a stopped service listens no more, in workers that come later neither, and the others go on', async () => {
      assert.equal((await act('fe1', 'imapProxy', 'stop')).state, 'stopped');
      assert.equal(await listens('fe1', 'imaps'), false);
      assert.equal(await listens('fe1', 'pop3s'), true);
      assert.equal((await ready('fe1')).status, 200);
      assert.deepEqual([(await ready('fe1', '?service=imapProxy')).status, (await ready('fe1', '?service=pop3Proxy')).status], [503, 200]);
      const [victim] = (await stateOf('fe1', 'imapProxy')).workers;
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      await soon('another worker came', async () => {
        const { workers } = await stateOf('fe1', 'imapProxy');
        return workers.length === 2 && workers.every(({ pid }) => pid !== victim?.pid);
      });
      assert.equal((await stateOf('fe1', 'imapProxy')).state, 'stopped');
      assert.equal(await listens('fe1', 'imaps'), false);
      assert.equal((await act('fe1', 'imapProxy', 'start')).state, 'running');
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user: 'alice' });
      const restart = act('fe1', 'imapProxy', 'restart');
      await imap.dialogue.closed();
      assert.equal((await restart).state, 'running');
      (await ImapSession.logIn(cluster(), { node: 'fe1', user: 'alice' })).close();
    });

    test('the queue rests and goes on', async () => {
      assert.equal((await act('be1', 'processing', 'stop')).state, 'stopped');
      assert.equal((await act('be1', 'processing', 'start')).state, 'running');
    });

    test('what can not start is failed with its reason, the node is not ready, and it is tried again until it runs', async () => {
      await act('fe1', 'webmailProxy', 'stop');
      await soon('no worker listens any more', async () => !(await listens('fe1', 'https')));
      const inTheWay = createServer().listen(cluster().port('fe1', 'https'), '127.0.0.1');
      await once(inTheWay, 'listening');
      const failed = await act('fe1', 'webmailProxy', 'start');
      assert.equal(failed.state, 'failed');
      assert.match(failed.reason ?? '', /EADDRINUSE/);
      const notReady = await ready('fe1');
      assert.equal(notReady.status, 503);
      assert.match(String(notReady.body['reason']), /webmailProxy could not start/);
      inTheWay.close();
      await soon('it runs again by itself', async () => (await stateOf('fe1', 'webmailProxy')).state === 'running');
      assert.equal((await ready('fe1')).status, 200);
    });

    test('each service needs its own permission', async () => {
      const { status, body } = await ask('/nodes/fe1/services/imapProxy/stop', { method: 'POST', headers: basic('mailer', me.password) });
      assert.deepEqual([status, body['kind']], [403, 'forbidden']);
      assert.equal((await ask('/nodes/fe1/services/smtpProxy/start', { method: 'POST', headers: basic('mailer', me.password) })).status, 200);
      assert.equal((await ask('/nodes/fe1/services/imap/stop', { method: 'POST' })).body['kind'], 'no-such-service');
    });
  });
}
