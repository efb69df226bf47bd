/** Every call of the admin API with what it does not take: refused with words, for every operation of the API's own document, and nothing done. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { askAdmin, auditOf, basic, bearer, me } from '../harness/admin-api.ts';
import type { AdminAnswer, AdminQuestion } from '../harness/admin-api.ts';
import type { Cluster } from '../harness/cluster.ts';

interface Described {
  readonly method: string;
  readonly path: string;
  readonly takesBody: boolean;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: unknown }>>>>;
}

const nodes = ['fe1', 'be1', 'be2'] as const;
/** They are about who asks, and are asked by who did not sign in. */
const about = new Set(['/session', '/openapi.json']);

export function adminBadInputSuite(cluster: () => Cluster): void {
  let turn = 0;
  /** At each node in turn, and from many addresses: one client may ask so often only. */
  const askAnywhere = async (path: string, question: AdminQuestion): Promise<AdminAnswer> => {
    turn += 1;
    return askAdmin(cluster(), [nodes[turn % nodes.length] ?? 'fe1', `/api/v1${path}`], { ...question, from: `127.0.3.${String(1 + (turn % 200))}` });
  };
  const operations = async (headers: Readonly<Record<string, string>>): Promise<Described[]> => {
    const { body } = await askAdmin(cluster(), ['fe1', '/api/v1/openapi.json'], { headers });
    return Object.entries((body as unknown as OpenApi).paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { requestBody }]) => ({ method: method.toUpperCase(), path, takesBody: requestBody !== undefined }))).filter(({ path }) => !about.has(path));
  };
  /** With something for each part that varies. */
  const filled = (path: string): string => path.replaceAll('{node}', 'be1').replaceAll(/\{(?:address|member|alias)\}/g, 'nobody@example.com').replaceAll('{domain}', 'example.com').replaceAll('{number}', '1').replaceAll(/\{\w+\}/g, 'x1');

  /** A node at which nobody did anything yet has no audit. */
  function actsDone(node: (typeof nodes)[number]): number {
    if (!existsSync(join(cluster().folder, 'audit', `${node}.log`))) return 0;
    return auditOf(cluster(), node).filter(({ result }) => result === 'done').length;
  }

  function assertRefused({ method, path }: Described, what: string, { status, headers, body }: AdminAnswer): void {
    const told = `${method} ${path}, ${what}: ${String(status)} ${JSON.stringify(body)}`;
    assert.ok(status >= 400 && status < 500, told);
    assert.match(String(headers['content-type']), /^application\/problem\+json/, told);
    assert.ok(typeof body['detail'] === 'string' && body['detail'] !== '' && typeof body['kind'] === 'string' && body['kind'] !== 'internal', told);
  }

  test('every operation refuses a query, a body and a part of the path that it does not know, and who may not, in words; nothing is done', async () => {
    const headers = await bearer(cluster(), 'be1', me);
    const all = await operations(headers);
    assert.ok(all.length > 80, String(all.length));
    const done = (): number => nodes.reduce((sum, node) => sum + actsDone(node), 0);
    const before = done();
    const nobody = basic('elsewhere-not', me.password);
    for (const one of all) {
      const path = filled(one.path);
      const ask = async (what: string, question: AdminQuestion & { readonly query?: string }, at = path): Promise<AdminAnswer> => {
        const answer = await askAnywhere(`${at}${question.query ?? ''}`, { method: one.method, headers, ...question });
        assertRefused(one, what, answer);
        return answer;
      };
      const strange = await ask('a query that it does not know', { query: '?nonsense=1', ...(one.takesBody ? { body: {} } : {}) });
      assert.equal(strange.status, 400, `${one.method} ${one.path}: ${JSON.stringify(strange.body)}`);
      if (one.takesBody) {
        const named = await ask('a field that it does not know', { body: { nonsense: 1 } });
        assert.equal(named.status, 400, `${one.method} ${one.path}`);
        await ask('a body that is no object', { body: [1, 2, 3] });
        await ask('a body that is no JSON', { raw: '{"a": ', headers: { ...headers, 'content-type': 'application/json' } });
      }
      if (one.path.includes('{node}')) await ask('a node that there is none of', one.takesBody ? { body: {} } : {}, path.replace('/nodes/be1', '/nodes/be9'));
      assert.equal((await ask('nobody signed in', { headers: {} })).status, 401, `${one.method} ${one.path}`);
    }
    assert.equal((await askAnywhere('/nodes', { headers: nobody })).status, 401);
    assert.equal(done(), before, 'nothing was done');
  });
}
