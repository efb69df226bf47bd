/** What the admin API and its client do with more than fits, and with answers that are cut. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { longestPart, mostFindings, userMapOperations } from '../../cluster-config/admin/contract/user-map.ts';
import { userMapHandlers } from '../../cluster-config/admin/user-map-handlers.ts';
import { checkedText, mapCheck } from '../../cluster-config/command-line/map-check.ts';
import { mapStatsText } from '../../cluster-config/command-line/map-stats.ts';
import { mapExportText, mapImport } from '../../cluster-config/command-line/map-transfer.ts';
import { partsOf } from '../../cluster-config/command-line/user-file-parts.ts';
import type { ListedEntry } from '../../cluster-config/directory-listing.ts';
import { parseConfig } from '../../cluster-config/load.ts';
import { createAuthority, issueCertificate } from '../../shared/tls/authority.ts';
import { temporaryDirectory } from '../backend/storage/harness.ts';
import { sample, sampleFile } from './sample.ts';

const config = Object.values(parseConfig(sample, sampleFile).nodes)[0] ?? assert.fail();
const entries = Array.from({ length: mostFindings + 1 }, (_, index): ListedEntry => ({
  dn: `uid=u${String(index)},dc=example,dc=com`, addresses: [`u${String(index)}@example.com`], mailHost: undefined, needsHost: 'yes', domains: undefined, names: { address: 'mail', alias: 'mailLocalAddress', host: 'mailHost' },
}));
const caller = { who: { kind: 'administrator', administrator: { name: 'admin', capabilities: new Set(['manageUserMap', 'manageCluster']), domains: [] } }, by: 'password', from: '127.0.0.1', session: undefined, via: undefined };
const handlers = userMapHandlers({ config, directory: { list: async () => Promise.resolve(entries) } as never, target: () => undefined });

async function ask(name: keyof typeof userMapOperations, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
  const { handle } = handlers.find(({ operation }) => operation.name === name) ?? assert.fail();
  return handle({ caller, body, reply: { note: () => undefined } } as never) as Promise<Readonly<Record<string, unknown>>>;
}

test('more findings than one answer has are counted, and the text says how many are not shown', async () => {
  const found = userMapOperations.checkMap.answer.parse(await ask('checkMap'));
  assert.deepEqual([found.findings.length, found.total], [mostFindings, entries.length + 1]); // be1 is silent
  const lines = checkedText(found).split('\n').slice(mostFindings);
  assert.deepEqual(lines, ['2 more are not shown: mend these, and check again', `${String(entries.length)} entries, 1 back-end: ${String(found.total)} to look at`]);
  assert.doesNotMatch(checkedText({ ...found, total: mostFindings }), /not shown/);
});

test('of many mistakes the first thousand are told; a text that is longer than a part is refused', async () => {
  const body = { format: 'csv', text: 'nobody@example.com,be1,\n'.repeat(1001), firstLine: 1 };
  assert.equal(((await ask('compareMap', body))['mistakes'] as unknown[]).length, 1000);
  await assert.rejects(ask('importMap', body), (error: { readonly mistakes?: unknown[] }) => error.mistakes?.length === 1000);
  for (const operation of [userMapOperations.compareMap, userMapOperations.importMap]) {
    assert.deepEqual([longestPart, longestPart + 1].map((length) => operation.body.safeParse({ format: 'csv', text: 'x'.repeat(length) }).success), [true, false]);
  }
});

/** Signs everybody in, and answers everything else as `answers` says; a text that ends in … is cut there. */
async function startApi(t: TestContext, answers: (path: string) => string) {
  const authority = await createAuthority({ commonName: 'test' });
  const { certificate, key } = await issueCertificate(authority, { subject: { CN: 'be1' }, dnsNames: [], ipAddresses: ['127.0.0.1'], usages: ['server'] });
  const asked: string[] = [];
  const server = https.createServer({ cert: certificate, key }, (request, response) => {
    const path = (request.url ?? '').replace('/api/v1', '').replace(/\?.*/, '');
    asked.push(path);
    const text = path === '/session' ? '{"token":"t"}' : answers(path);
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-length': Buffer.byteLength(text) });
      if (text.endsWith('…')) response.write(text.slice(0, -1), () => response.destroy());
      else response.end(text);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const folder = temporaryDirectory(t);
  const [ca, passwordFile] = [join(folder, 'ca.pem'), join(folder, 'password')];
  writeFileSync(ca, authority.certificate);
  writeFileSync(passwordFile, 'secret\n');
  return { asked, folder, options: { config: '/nowhere.yaml', server: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`, admin: 'admin', ca, passwordFile } };
}

test('an answer that is cut is none: no part of a list is taken for the whole, and nothing is written after a comparison that was cut', { timeout: 30_000 }, async (t) => {
  const page = (next?: string): string => JSON.stringify({ entries: [{ address: 'a@example.com', addresses: ['a@example.com'], dn: 'uid=a', kind: 'mailbox', names: { address: 'mail', alias: 'alias', host: 'mailHost' } }], total: 2, next });
  let pages = 0;
  const api = await startApi(t, (path) => {
    if (path !== '/directory') return '{"mistakes":[],"told":[],"ldif":""…';
    pages += 1;
    return pages === 1 ? page('a@example.com') : `${page().slice(0, 40)}…`;
  });
  const file = join(api.folder, 'users.csv');
  writeFileSync(file, 'a@example.com,be1,\n');
  const cut = /does not answer: aborted/;
  await assert.rejects(mapExportText({ ...api.options, format: 'csv' }), cut);
  await assert.rejects(mapCheck(api.options), cut);
  await assert.rejects(mapStatsText(api.options), cut);
  await assert.rejects(mapImport(file, { ...api.options, write: true }), cut);
  assert.ok(!api.asked.includes('/directory/import'));
});

test('when the answer to a part that is written is cut, it is said which part, and that the same import again does the rest', { timeout: 30_000 }, async (t) => {
  let written = 0;
  const api = await startApi(t, (path) => {
    if (path !== '/directory/import') return '{"mistakes":[],"told":[],"ldif":""}';
    written += 1;
    return written === 1 ? '{"told":[],"ldif":""}' : '{"told":[]…';
  });
  const file = join(api.folder, 'users.csv');
  const text = Array.from({ length: 30_000 }, (_, index) => `u${String(index)}@example.com,be1,\n`).join('');
  writeFileSync(file, text);
  const parts = partsOf({ format: 'csv', text }, longestPart).length;
  await assert.rejects(mapImport(file, { ...api.options, write: true }), new RegExp(`aborted\nIt was part 2 of ${String(parts)}: .*again does the rest`));
  assert.equal(written, 2);
});
