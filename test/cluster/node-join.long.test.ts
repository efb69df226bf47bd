/** Node certificates: a new machine joins with a one-time token, running nodes renew theirs, with a disk and without. The cluster is real, and so are the commands. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tls from 'node:tls';
import { issueCertificate } from '../../shared/tls/authority.ts';
import { askAdmin } from '../harness/admin-api.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { runCommand, runProgram } from '../harness/command.ts';
import type { CommandOutcome } from '../harness/command.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { cageProblem, caged } from '../harness/no-writing.ts';
import { programFile } from '../harness/program-file.ts';

/** 15 minutes to go, and an hour gone: renewal is due. */
const almostOverDays = 15 / 1440;
const cage = cageProblem();

let cluster: Cluster;
const pem = (name: string): string => path.join(cluster.folder, 'tls', name);
const sealedFile = (): string => path.join(cluster.folder, 'authority-key.sealed');

async function reissue(folder: string, node: NodeName, role: 'frontend' | 'backend'): Promise<void> {
  const read = (name: string): string => fs.readFileSync(path.join(folder, 'tls', name), 'utf8');
  const authority = { certificate: read('authority.pem'), key: read('authority-key.pem') };
  const issued = await issueCertificate(authority, { subject: { O: 'waybill-demo', OU: role, CN: node }, dnsNames: [node, 'localhost'], ipAddresses: ['127.0.0.1'], usages: ['server', 'client'], validDays: almostOverDays });
  fs.writeFileSync(path.join(folder, 'tls', `${node}.pem`), issued.certificate);
  fs.writeFileSync(path.join(folder, 'tls', `${node}-key.pem`), issued.key);
}

before(async () => {
  cluster = await startCluster({
    nodes: ['be1', 'be2', 'fe1'],
    ...(cage === undefined ? { wrap: { fe1: caged } } : {}),
    changeConfig: async (yaml, folder) => {
      await Promise.all([reissue(folder, 'be2', 'backend'), reissue(folder, 'fe1', 'frontend')]);
      fs.writeFileSync(path.join(folder, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
      return yaml.replace(/^ {2}tls:\n/m, '$&    authorityKey: { node: be1, file: authority-key.sealed, passphrase: { file: passphrase } }\n');
    },
  });
});
after(async () => cluster.stop());

/** What a node shows at its admin listener. */
async function shownBy(node: NodeName): Promise<X509Certificate> {
  const socket = tls.connect({ host: '127.0.0.1', port: cluster.port(node, 'admin'), ca: fs.readFileSync(cluster.authorityFile), checkServerIdentity: () => undefined });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  assert.ok(certificate);
  return certificate;
}

async function renewed(node: NodeName): Promise<X509Certificate> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const shown = await shownBy(node);
    if (shown.validToDate.getTime() > Date.now() + 80 * 86_400_000) return shown;
  }
  return assert.fail(`${node} shows its old certificate:\n${cluster.log(node).slice(-2000)}`);
}

describe('renewal', () => {
  test('the key of the authority is sealed, and nodes whose certificates end renew them without a session ending', async () => {
    const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    await logLine(cluster, 'be2', { words: ['could not be renewed'], from: 0, patienceMs: 15_000 });
    const sealing = await runCommand(cluster, ['node', 'authority', '--key', pem('authority-key.pem')]);
    assert.equal(sealing.code, 0, sealing.complaint);
    assert.doesNotMatch(fs.readFileSync(sealedFile(), 'utf8'), /PRIVATE KEY/);
    assert.equal(fs.statSync(sealedFile()).mode & 0o777, 0o600);
    const onDisk = { fe1: fs.readFileSync(pem('fe1.pem'), 'utf8'), be2: fs.readFileSync(pem('be2.pem'), 'utf8') };
    for (const node of ['be2', 'fe1'] as const) process.kill(cluster.pid(node), 'SIGHUP');
    const [be2, fe1] = await Promise.all([renewed('be2'), renewed('fe1')]);
    assert.match(be2.subject, /O=waybill-demo\nOU=backend\nCN=be2/);
    assert.match(fe1.subject, /O=waybill-demo\nOU=frontend\nCN=fe1/);
    assert.equal(fe1.checkHost('localhost'), 'localhost', 'the names are those of before');
    assert.notEqual(fs.readFileSync(pem('be2.pem'), 'utf8'), onDisk.be2);
    assert.ok(be2.checkPrivateKey(createPrivateKey(fs.readFileSync(pem('be2-key.pem')))));
    assert.equal(fs.statSync(pem('be2-key.pem')).mode & 0o777, 0o600);
    if (cage === undefined) assert.equal(fs.readFileSync(pem('fe1.pem'), 'utf8'), onDisk.fe1, 'it has no disk');
    await session.ok('NOOP');
    const later = await ImapSession.logIn(cluster, { node: 'fe1', user: 'bob' }); // who lives on be2
    await later.ok('SELECT INBOX');
  });
});

describe('joining', () => {
  async function newToken(node: string, role: string, more: readonly string[] = []): Promise<string> {
    const made = await runCommand(cluster, ['node', 'token', node, '--role', role, '--as', 'be2', ...more]);
    assert.equal(made.code, 0, made.complaint);
    return made.output.split('\n')[0] ?? '';
  }
  const folder = (name: string): string => path.join(cluster.folder, 'new', name);
  async function join(token: string, name: string): Promise<CommandOutcome> {
    return runProgram(programFile, ['node', 'join', '--token', token, '--server', `https://127.0.0.1:${String(cluster.port('be2', 'admin'))}`, '--out', folder(name)]);
  }
  const altered = (token: string, change: object): string => {
    const [head = '', body = ''] = token.split('.');
    return `${head}.${Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()) as object, ...change })).toString('base64url')}`;
  };
  async function refused(token: string, words: RegExp): Promise<void> {
    const { code, complaint } = await join(token, 'refused');
    assert.match(complaint, words);
    assert.equal(code, 1);
    assert.ok(!fs.existsSync(folder('refused')), 'nothing is written');
  }

  test('a token gives one machine the certificate of one node, by way of any node; what it may not do is told', async () => {
    const token = await newToken('fe3', 'frontend', ['--host', 'fe3.example.com,192.0.2.3']);
    const { secret, id } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { secret: string; id: string };
    assert.ok(!fs.readFileSync(path.join(`${sealedFile()}.tokens`, `${id}.json`), 'utf8').includes(secret), 'only the hash is kept');
    await refused(altered(token, { secret: 'A'.repeat(43) }), /this cluster knows no such token/);
    await refused(altered(token, { role: 'backend' }), /the token is for frontend fe3, not for backend fe3/);
    await refused(altered(token, { authority: '0'.repeat(64) }), /is not of the cluster that made the token/);
    await refused(token.slice(0, -9), /no token of `waybill node token`, or not the whole of it/);
    const joined = await join(token, 'fe3');
    assert.equal(joined.code, 0, joined.complaint);
    const certificate = new X509Certificate(fs.readFileSync(path.join(folder('fe3'), 'fe3.pem')));
    assert.match(certificate.subject, /^O=waybill-demo\nOU=frontend\nCN=fe3$/);
    assert.equal(certificate.checkHost('fe3.example.com'), 'fe3.example.com');
    assert.equal(certificate.checkIP('192.0.2.3'), '192.0.2.3');
    assert.ok(certificate.verify(new X509Certificate(fs.readFileSync(path.join(folder('fe3'), 'authority.pem'))).publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(fs.readFileSync(path.join(folder('fe3'), 'fe3-key.pem')))));
    for (const name of fs.readdirSync(folder('fe3'))) assert.equal(fs.statSync(path.join(folder('fe3'), name)).mode & 0o777, 0o600, name);
    await refused(token, /the token for fe3 was used already/);
    assert.match((await join(token, 'fe3')).complaint, /is there already; nothing was asked/);
  });

  test('tokens that are over, and tokens that may not be made', async () => {
    const token = await newToken('fe4', 'frontend', ['--valid', '2d']);
    const { id } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { id: string };
    const file = path.join(`${sealedFile()}.tokens`, `${id}.json`);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/"expiresAt":"[^"]+"/, '"expiresAt":"2026-01-01T00:00:00.000Z"'));
    await refused(token, /the token for fe4 expired at 2026-01-01/);
    const byFrontend = await askAdmin(cluster, ['be1', '/api/v1/join-tokens'], { method: 'POST', body: { node: 'fe4', role: 'frontend' }, certificate: { certificate: pem('fe1.pem'), key: pem('fe1-key.pem') } });
    assert.match(String(byFrontend.body['detail']), /made with the certificate of a back-end, or by an administrator/);
    assert.match((await runCommand(cluster, ['node', 'token', 'fe1', '--role', 'backend', '--as', 'be1'])).complaint, /fe1 is a frontend in the configuration, not a backend/);
    assert.match((await runCommand(cluster, ['node', 'token', 'fe4', '--role', 'frontend', '--valid', '30'])).complaint, /--valid is a time such as 30m, 1h or 2d/);
  });

  test('while the back-end with the key is away, the token stays as good as it was', async () => {
    const token = await newToken('fe5', 'frontend');
    await cluster.kill('be1');
    await refused(token, /be1, which keeps the authority's key, does not answer; the token is not used up/);
    await cluster.startNode('be1');
    assert.equal((await join(token, 'fe5')).code, 0);
  });
});
