/** Administrators sign in by each way; what is refused; nodes and their health. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAdministratorAuthority } from '../../cluster-config/administrator-certificates.ts';
import { codeOfStep, decodeTotpSecret } from '../../shared/admin-api/totp.ts';
import { createAuthority, issueCertificate } from '../../shared/tls/authority.ts';
import type { CertifiedKey } from '../../shared/tls/authority.ts';
import { askAdmin, auditOf, basic, bearer, me } from '../harness/admin-api.ts';
import type { AdminAnswer } from '../harness/admin-api.ts';
import type { Cluster } from '../harness/cluster.ts';

export const totpSecret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

function cookieOf({ headers }: AdminAnswer): string {
  const [first = ''] = headers['set-cookie'] ?? [];
  return first;
}

export function adminSignInSuite(cluster: () => Cluster, administratorsAuthority: () => CertifiedKey): void {
  test('a session of a browser: signed in, used at any node, guarded against other sites, ended', async () => {
    const signedIn = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'POST', body: me });
    assert.equal(signedIn.status, 200);
    assert.equal(signedIn.body['token'], undefined);
    assert.match(cookieOf(signedIn), /^__Host-waybill-admin=[^;]+; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Strict$/);
    const cookie = cookieOf(signedIn).split(';', 1)[0] ?? '';
    const elsewhere = await askAdmin(cluster(), ['be1', '/api/v1/session'], { headers: { cookie } });
    assert.deepEqual([elsewhere.status, elsewhere.body['name'], elsewhere.body['by']], [200, 'admin', 'cookie']);
    const changed = `${cookie.slice(0, -2)}${cookie.endsWith('AA') ? 'BB' : 'AA'}`;
    assert.equal((await askAdmin(cluster(), ['be1', '/api/v1/session'], { headers: { cookie: changed } })).status, 401);
    const forged = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'DELETE', headers: { cookie } });
    assert.deepEqual([forged.status, forged.body['kind']], [403, 'cross-site']);
    const foreign = await askAdmin(cluster(), ['fe1', '/api/v1/nodes'], { headers: { cookie, origin: 'https://evil.example' } });
    assert.equal(foreign.status, 403);
    const out = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'DELETE', headers: { cookie, 'waybill-request': 'user' } });
    assert.equal(out.status, 200);
    assert.match(cookieOf(out), /Max-Age=0/);
    for (const node of ['fe1', 'be1', 'be2'] as const) assert.equal((await askAdmin(cluster(), [node, '/api/v1/session'], { headers: { cookie } })).status, 401, `${node} takes it still`);
  });

  test('wrong password, unknown name and a missing code are told in the same words, slowed, and written down', async () => {
    const attempt = async (body: object): Promise<AdminAnswer> => askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'POST', body, from: '127.0.0.41' });
    const answers = [await attempt({ ...me, password: 'wrong' }), await attempt({ name: 'nobody', password: 'wrong' }), await attempt({ name: 'totp', password: me.password })];
    for (const { status, body } of answers) assert.deepEqual([status, body['kind'], body['detail']], [401, 'bad-credentials', 'Wrong name, password or code.']);
    const startedMs = performance.now();
    await attempt({ ...me, password: 'wrong again' });
    await attempt({ ...me, password: 'and again' });
    assert.ok(performance.now() - startedMs >= 740, 'further guesses wait'); // 250 ms and 500 ms at least
    const refused = auditOf(cluster(), 'fe1').filter(({ from }) => from === '127.0.0.41');
    assert.deepEqual(refused.map(({ what, who, result }) => `${String(what)} ${String(who)} ${String(result)}`), Array.from({ length: 5 }, () => 'signIn (not signed in) bad-credentials'));
    assert.doesNotMatch(readFileSync(join(cluster().folder, 'audit', 'fe1.log'), 'utf8'), /wrong again|waybill-demo"/);
  });

  test('a code of the authenticator lets in once', async () => {
    const code = codeOfStep(decodeTotpSecret(totpSecret), Math.floor(Date.now() / 30_000));
    const headers = await bearer(cluster(), 'be1', { ...me, name: 'totp', code });
    assert.equal((await askAdmin(cluster(), ['be2', '/api/v1/session'], { headers })).body['name'], 'totp');
    const again = await askAdmin(cluster(), ['be1', '/api/v1/session'], { method: 'POST', body: { ...me, name: 'totp', code }, from: '127.0.0.42' });
    assert.equal(again.status, 401);
    const elsewhere = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'POST', body: { ...me, name: 'totp', code }, from: '127.0.0.43' });
    assert.equal(elsewhere.status, 401, 'another node takes it once more');
  });

  test('a node that was silent, and one that was not there, hear of ended sessions and used codes when they are back', async () => {
    const signIn = async (): Promise<string> => {
      const cookie = cookieOf(await askAdmin(cluster(), ['be1', '/api/v1/session'], { method: 'POST', body: me })).split(';', 1)[0] ?? '';
      assert.equal((await askAdmin(cluster(), ['be2', '/api/v1/session'], { headers: { cookie } })).status, 200);
      return cookie;
    };
    const ended = async (cookie: string): Promise<void> => {
      const out = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'DELETE', headers: { cookie, 'waybill-request': 'user' } });
      assert.equal(out.status, 200);
    };
    const hears = async (cookie: string): Promise<void> => {
      for (const deadline = Date.now() + 30_000; (await askAdmin(cluster(), ['be2', '/api/v1/session'], { headers: { cookie } })).status !== 401;) {
        assert.ok(Date.now() < deadline, 'be2 takes the ended session still');
        await sleep(50);
      }
    };
    const [first, second] = [await signIn(), await signIn()];
    // The next step: the test before has used the present one.
    const code = codeOfStep(decodeTotpSecret(totpSecret), Math.floor(Date.now() / 30_000) + 1);
    process.kill(-cluster().pid('be2'), 'SIGSTOP');
    try {
      await ended(first);
      await bearer(cluster(), 'fe1', { ...me, name: 'totp', code });
    } finally {
      process.kill(-cluster().pid('be2'), 'SIGCONT');
    }
    await hears(first);
    assert.equal((await askAdmin(cluster(), ['be2', '/api/v1/session'], { method: 'POST', body: { ...me, name: 'totp', code }, from: '127.0.0.44' })).status, 401, 'the code serves once more');
    await cluster().kill('be2');
    await ended(second);
    await cluster().startNode('be2');
    await hears(second);
    await hears(first);
  });

  test('nodes are listed with their health from any of them; one that is down is said to be', async () => {
    const { status, body } = await askAdmin(cluster(), ['be2', '/api/v1/nodes'], { headers: basic(me.name, me.password) });
    assert.equal(status, 200);
    const nodes = body['nodes'] as readonly { name: string; role: string; state: string; workers: readonly { services: readonly string[] }[] }[];
    assert.deepEqual(nodes.map(({ name, state, workers }) => `${name} ${state} ${String(workers.length)}`), ['fe1 ready 2', 'fe2 unreachable 0', 'be1 ready 2', 'be2 ready 1']);
    assert.deepEqual([...(nodes[0]?.workers[0]?.services ?? [])].sort(), ['imapProxy', 'pop3Proxy', 'smtpProxy', 'webmailProxy']);
  });

  test('what does not fit is refused with what, where and what to do', async () => {
    const headers = await bearer(cluster(), 'fe1', me);
    const ask = async (path: string, rest: object = {}): Promise<AdminAnswer> => askAdmin(cluster(), ['fe1', path], { headers, ...rest });
    const missing = await askAdmin(cluster(), ['fe1', '/api/v1/nodes']);
    assert.deepEqual([missing.status, missing.headers['content-type'], missing.body['kind']], [401, 'application/problem+json', 'signed-out']);
    assert.equal((await ask('/api/v1/nothing')).status, 404);
    assert.deepEqual([(await ask('/api/v1/nodes/nowhere')).status, (await ask('/api/v1/nodes/nowhere')).body['kind']], [404, 'no-such-node']);
    assert.equal((await ask('/api/v1/nodes', { method: 'POST', body: {} })).headers['allow'], 'GET');
    const bad = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'POST', body: { name: 7, surplus: true } });
    assert.equal(bad.status, 400);
    assert.deepEqual((bad.body['mistakes'] as readonly { where: string }[]).map(({ where }) => where).sort(), ['body', 'body.name', 'body.password']);
    assert.match(String(bad.body['advice']), /openapi\.json/);
    assert.equal((await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'POST', raw: '{"name":' })).status, 400);
    assert.equal((await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'POST', raw: ' '.repeat(1_100_000) })).status, 413);
    assert.equal((await askAdmin(cluster(), ['fe1', '/api/v1/session'], { method: 'POST', raw: 'x', headers: { 'content-type': 'text/plain' } })).status, 415);
  });

  test('administrators come by certificates of the cluster\'s authority and of their own, which names no nodes', async () => {
    const clusters = { certificate: readFileSync(cluster().authorityFile, 'utf8'), key: readFileSync(join(cluster().folder, 'tls', 'authority-key.pem'), 'utf8') };
    const own = administratorsAuthority;
    const O = 'waybill-demo';
    const cases = [
      [clusters, { O, OU: 'administrator', CN: 'helpdesk' }, 'helpdesk'],
      [clusters, { O: 'elsewhere', OU: 'administrator', CN: 'helpdesk' }, 'nobody'],
      [clusters, { O, OU: 'user', CN: 'helpdesk' }, 'nobody'],
      [clusters, { O, OU: 'administrator', CN: 'not-configured' }, 'nobody'],
      [own(), { CN: 'helpdesk' }, 'helpdesk'],
      [own(), { O, OU: 'backend', CN: 'be1' }, 'nobody'],
      [await createAuthority({ commonName: 'a stranger' }), { O, OU: 'administrator', CN: 'helpdesk' }, 'nobody'],
    ] as const;
    for (const [index, [authority, subject, expected]] of cases.entries()) {
      const issued = await issueCertificate(authority, { subject, dnsNames: [], ipAddresses: [], usages: ['client'] });
      const files = { certificate: join(cluster().folder, `client-${String(index)}.pem`), key: join(cluster().folder, `client-${String(index)}-key.pem`) };
      writeFileSync(files.certificate, issued.certificate);
      writeFileSync(files.key, issued.key);
      const { status, body } = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { certificate: files });
      assert.deepEqual([status, body['name'], body['by']], expected === 'nobody' ? [401, undefined, undefined] : [200, expected, 'certificate'], JSON.stringify(subject));
      assert.equal((await askAdmin(cluster(), ['fe1', '/map-stats'], { certificate: files })).status, 403, 'a route of nodes');
    }
    await assert.rejects(readAdministratorAuthority({ administration: { certificateAuthority: cluster().authorityFile } } as never, clusters.certificate), /is the cluster's own authority/);
  });

  test('nodes come by their certificates, and the document describes what there is', async () => {
    const pair = (name: string): { certificate: string; key: string } => ({ certificate: join(cluster().folder, 'tls', `${name}.pem`), key: join(cluster().folder, 'tls', `${name}-key.pem`) });
    const node = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { certificate: pair('be1'), headers: { 'x-waybill-operator': 'root' } });
    assert.deepEqual([node.body['name'], node.body['by']], ['root at node be1', 'certificate']);
    const strangers = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { certificate: pair('server') });
    assert.equal(strangers.status, 401);
    const pretends = await askAdmin(cluster(), ['fe1', '/api/v1/session'], { headers: { 'x-waybill-administrator': Buffer.from(JSON.stringify({ name: 'admin', from: '1.2.3.4', by: 'cookie' })).toString('base64url') } });
    assert.equal(pretends.status, 401);
    const { status, body } = await askAdmin(cluster(), ['fe1', '/api/v1/openapi.json']);
    assert.deepEqual([status, body['openapi']], [200, '3.1.0']);
    assert.ok('/nodes/{node}' in (body['paths'] as object));
  });
}
