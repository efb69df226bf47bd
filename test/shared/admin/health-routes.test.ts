/** What a node answers to those who watch it. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { healthRoutes } from '../../../shared/admin/health-routes.ts';
import type { Health } from '../../../shared/admin/health-routes.ts';

async function ask(prefix: string, state: Partial<Health>): Promise<unknown> {
  const routes = healthRoutes({ isStopping: () => false, services: () => [{ name: 'imap', state: 'running' }, { name: 'smtpReceiving', state: 'stopped' }, { name: 'pop3', state: 'running' }], check: () => undefined, warnings: () => [], ...state });
  return routes.find((route) => route.prefix === prefix)?.answer('', { query: new URLSearchParams(), body: undefined, from: '127.0.0.1', peer: undefined });
}

test('a node is ready while its services run, and names them', async () => {
  assert.deepEqual(await ask('/readyz', {}), { status: 200, body: { ready: true, services: ['imap', 'pop3'] } });
  assert.deepEqual(await ask('/readyz', { warnings: () => ['a certificate ends'] }), { status: 200, body: { ready: true, services: ['imap', 'pop3'], warnings: ['a certificate ends'] } });
});

test('a node that stops, or whose storage can not be read, lives but is not ready', async () => {
  const broken: Partial<Health> = {
    check: () => {
      throw new Error('the index can not be read');
    },
  };
  assert.deepEqual(await ask('/readyz', { isStopping: () => true }), { status: 503, body: { ready: false, reason: 'stopping' } });
  assert.deepEqual(await ask('/readyz', broken), { status: 503, body: { ready: false, reason: 'the index can not be read' } });
  assert.deepEqual(await ask('/healthz', broken), { status: 200, body: { ok: true } });
});
