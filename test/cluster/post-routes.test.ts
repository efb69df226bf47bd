/** Whatever changes something gets into the audit: each POST of nodes and each operation of the admin API says what it is. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolTraces } from '../../backend/administration/protocol-traces.ts';
import { createAccountMoves } from '../../backend/account-move/account-move.ts';
import { groupRoutes } from '../../backend/accounts/group-routes.ts';
import { laterRoute } from '../../backend/processing/processing.ts';
import { acmeRoutes } from '../../cluster-config/acme/acme-routes.ts';
import { accountActRoute } from '../../cluster-config/admin/act-keeper.ts';
import { AdminNews } from '../../cluster-config/admin/admin-news.ts';
import { operations } from '../../cluster-config/admin/contract/operations.ts';
import { passwordRoute } from '../../cluster-config/admin/password-handlers.ts';
import { doneRoutes } from '../../cluster-config/admin/done-route.ts';
import { joinRoutes } from '../../cluster-config/joining/join-routes.ts';
import { logSearchRoute } from '../../cluster-config/log-search-route.ts';
import { nodeRoutes } from '../../cluster-config/publishing/node-routes.ts';
import { adminRoutes } from '../../frontend/admin-routes.ts';
import { traceRoute } from '../../frontend/protocol-trace.ts';
import { factsOfAct } from '../../shared/admin/act.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { logRoute } from '../../shared/admin/log-routes.ts';

/** Routes look at what they stand on when they are asked; nothing is asked here. */
/** Of a node that is alone. */
const alone = { config: { nodeName: 'be1', nodes: {}, storage: { directories: ['/nowhere/storage'] } }, notices: { subscribe: () => undefined } } as never;
const nothing = { lives: {}, storage: { transfers: {} }, siblings: { answer: () => undefined } } as never;

const all: readonly AdminRoute[] = [
  ...adminRoutes(nothing), ...nodeRoutes(nothing), ...createAccountMoves(nothing).routes, ...groupRoutes(nothing, nothing), passwordRoute(nothing),
  traceRoute(alone, nothing), new ProtocolTraces(alone).route(),
  laterRoute(nothing), accountActRoute(nothing), ...new AdminNews({ notices: { subscribe: () => undefined } } as never).routes(), ...doneRoutes(), logSearchRoute(nothing), logRoute(nothing),
  ...joinRoutes({ config: { tls: { authorityKey: { node: 'be1' } }, nodeName: 'be2' } } as never), ...acmeRoutes({ tls: { acme: { node: 'be1', folder: '/nowhere' } }, nodeName: 'be1' } as never),
];
/** Whoever adds one here says why nobody has to hear of it. */
const noActs = {
  question: ['/acme/pair', '/configuration/check', '/deliveries/later', '/log-search', '/moves/messages/'],
  step: ['/account-acts/keep/', '/address-news', '/administration/group-put/', '/administration/group-remove/', '/administration/password/', '/administrators/known', '/administrators/news', '/configuration/look', '/log-lines', '/moves/hold/', '/moves/release/', '/moves/seal/', '/moves/verified/', '/moves/yield/', '/node/join', '/node/renew', '/protocol-trace/lines', '/protocol-trace/order'],
};

test('every POST of a node is an act that the audit has, but for these', () => {
  const posts = all.flatMap((route) => (route.method === 'POST' ? [route] : []));
  const of = (kind: unknown): string[] => posts.filter((route) => route.kind === kind).map(({ prefix }) => prefix).toSorted();
  assert.deepEqual({ question: of('question'), step: of('step') }, noActs);
  for (const { prefix, kind } of posts) assert.ok(typeof kind === 'string' || kind.what !== '', `${prefix} does not say what it is`);
});

test('no file has a POST route that the test above does not know', () => {
  const files = ['backend', 'frontend', 'shared', 'cluster-config'].flatMap((room) => readdirSync(room, { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)));
  const found = files.filter((file) => file.endsWith('.ts') && /method: 'POST',\s+(?:kind: '\w+',\s+)?prefix/.test(readFileSync(file, 'utf8'))).toSorted();
  assert.deepEqual(found, [
    'backend/account-move/account-move.ts', 'backend/account-move/reclaim.ts', 'backend/account-move/source-routes.ts', 'backend/accounts/group-routes.ts', 'backend/administration/protocol-traces.ts', 'backend/processing/ask-others.ts', 'cluster-config/acme/acme-routes.ts', 'cluster-config/admin/act-keeper.ts',
    'cluster-config/admin/address-news.ts', 'cluster-config/admin/admin-news.ts', 'cluster-config/admin/done-route.ts', 'cluster-config/admin/password-handlers.ts', 'cluster-config/joining/join-routes.ts', 'cluster-config/log-search-route.ts',
    'cluster-config/publishing/node-routes.ts', 'frontend/protocol-trace.ts', 'shared/admin/log-routes.ts',
  ]);
});

test('every operation of the admin API that is no GET is an act, but for mere questions', () => {
  assert.deepEqual(operations.filter(({ method, kind }) => method !== 'GET' && kind !== 'act').map(({ name }) => name), ['compareMap', 'checkConfiguration', 'locateParameter', 'compareVersions', 'searchNodeLog']);
  assert.deepEqual(operations.filter(({ method, kind }) => method === 'GET' && kind === 'act').map(({ name }) => name), []);
});

test('of a body the audit has the named fields only, and no more of them than fits a line', () => {
  const act = { what: 'setPassword', argument: 'address', fields: ['status', 'members', 'deep'] };
  const facts = factsOfAct(act, 'Ann@Example.com', { password: 'secret', status: 'x'.repeat(400), members: Array.from({ length: 30 }, () => 'a@b'), deep: { password: 'secret' } });
  assert.deepEqual(Object.keys(facts), ['address', 'status', 'members', 'deep']);
  assert.deepEqual([facts['address'], String(facts['status']).length, (facts['members'] as unknown[]).length, facts['deep']], ['ann@example.com', 320, 20, '…']);
  assert.deepEqual(factsOfAct(act, '', 'no object'), { address: '' });
});
