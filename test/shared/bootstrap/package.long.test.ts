/**
 * The package as an administrator gets it: `npm run pack`, put where npm puts global packages, and run from there. With WAYBILL_LONG_TESTS=1
 * npm itself installs it, with the packages of others from its cache or the registry, and the Debian package is built and installed, too.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { attempt } from '../../harness/attempts.ts';
import type { Doors } from '../../harness/attempts.ts';
import { startCluster } from '../../harness/cluster.ts';
import type { NodeName } from '../../harness/cluster.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const isLong = process.env['WAYBILL_LONG_TESTS'] === '1';
const prefix = fs.mkdtempSync(path.join(tmpdir(), 'waybill-package-'));
const installed = path.join(prefix, 'lib', 'node_modules', 'waybill');
const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string };
const environment = { ...process.env, PATH: [path.dirname(process.execPath), process.env['PATH']].join(path.delimiter) };

function run(program: string, words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd: root, encoding: 'utf8', env: environment });
  assert.equal(status, 0, `${program} ${words.join(' ')}: ${stdout}${stderr}${String(error ?? '')}`);
  return stdout + stderr;
}

before(() => {
  run(process.execPath, ['shared/bootstrap/pack.ts']);
  const archive = path.join(root, 'dist', `waybill-${version}.tgz`);
  if (isLong) {
    run('npm', ['install', '--global', '--prefix', prefix, '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', archive]);
    return;
  }
  fs.mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', archive, '-C', installed, '--strip-components=1']);
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(installed, 'node_modules'));
  fs.mkdirSync(path.join(prefix, 'bin'));
  fs.symlinkSync(path.join(installed, 'shared', 'bootstrap', 'command.mjs'), path.join(prefix, 'bin', 'waybill'));
});

after(() => fs.rmSync(prefix, { recursive: true, force: true }));

test('the package holds the compiled program, both pages, the documents and what each version of its packages is, and no sources', () => {
  const files = fs.readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((file) => !file.startsWith('node_modules'));
  for (const file of ['waybill.js', 'dist/webmail/index.html', 'dist/webadmin/index.html', 'docs/parameters.md', 'packaging/systemd/waybill-backend@.service']) assert.ok(files.includes(file), file);
  assert.deepEqual(files.filter((file) => /\.tsx?$/.test(file)), [], 'Node reads no TypeScript below node_modules');
  const packed = JSON.parse(fs.readFileSync(path.join(installed, 'npm-shrinkwrap.json'), 'utf8')) as { readonly packages: Record<string, { readonly dev?: boolean; readonly version?: string }> };
  assert.deepEqual(Object.entries(packed.packages).filter(([, { dev }]) => dev === true), []);
  assert.match(packed.packages['node_modules/lmdb']?.version ?? '', /^\d+\.\d+\.\d+$/);
});

test('the installed command checks a configuration, and tells a Node that is too old', () => {
  assert.match(run(path.join(prefix, 'bin', 'waybill'), ['--help']), /waybill demo/);
  assert.match(run(path.join(prefix, 'bin', 'waybill'), ['config', 'check', 'docs/examples/one-machine.yaml']), /is good/);
  const command = fs.readFileSync(path.join(installed, 'shared', 'bootstrap', 'command.mjs'), 'utf8').replace('process.versions.node.split', '"20.1.0".split');
  const old = path.join(installed, 'shared', 'bootstrap', 'old.mjs');
  fs.writeFileSync(old, command);
  const { status, stderr } = spawnSync(process.execPath, [old, '--help'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /it needs Node 24 or later/);
});

/** Receives what a node tells systemd, by a real datagram socket (Node has none), and prints it. */
const receiver = 'import socket, sys, time\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); open(sys.argv[1] + ".bound", "w").close()\n'
  + 'while True:\n  data, rest, *_ = socket.recv_fds(s, 4096, 4)\n  [__import__("os").close(f) for f in rest]\n  open(sys.argv[1] + ".told", "ab").write(data + b"\\n")';

test('nodes run from the package: mail comes in, is read by IMAP and WebMail, and systemd is told when a node is ready', async (context) => {
  const installedCommand = path.join(prefix, 'bin', 'waybill');
  const notices = path.join(prefix, 'notify');
  const fromPackage = ([node = '', ...words]: readonly string[]): string[] => [node, installedCommand, ...words.slice(2)];
  const listening = `python3 -c '${receiver}' ${notices} & receiver=$!; until test -e ${notices}.bound; do sleep 0.05; done; "$@"; kill $receiver`;
  const cluster = await startCluster({
    nodes: ['be1', 'fe1'],
    wrap: { fe1: fromPackage, be1: (command) => ['/usr/bin/env', `NOTIFY_SOCKET=${notices}`, '/bin/sh', '-c', listening, 'sh', ...fromPackage(command)] },
  });
  context.after(async () => cluster.stop());
  const doors: Doors = { port: (node, service) => cluster.port(node as NodeName, service) };
  const what = { node: 'fe1', address: 'alice@example.com', password: cluster.password, subject: 'from-the-package', from: '127.0.0.1' };
  for (const protocol of ['mx', 'imap', 'webmail'] as const) {
    const { outcome, words } = await attempt(doors, { protocol, ...what });
    assert.equal(outcome, 'ok', `${protocol}: ${words}`);
  }
  assert.match(run('curl', ['--silent', '--insecure', `https://127.0.0.1:${String(cluster.port('fe1', 'https'))}/`]), /<html/);
  const deadline = Date.now() + 30_000;
  while (!(fs.existsSync(`${notices}.told`) && fs.readFileSync(`${notices}.told`, 'utf8').includes('READY=1'))) {
    assert.ok(Date.now() < deadline, `systemd was not told:\n${cluster.log('be1').slice(-500)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test('the Debian package installs into a root: command, units, user, and a configuration folder that only its group reads', { skip: !isLong }, () => {
  run(process.execPath, ['shared/bootstrap/deb.ts']);
  const system = path.join(prefix, 'system');
  fs.mkdirSync(path.join(system, 'var/lib/dpkg/info'), { recursive: true });
  fs.mkdirSync(path.join(system, 'var/lib/dpkg/updates'));
  fs.mkdirSync(path.join(system, 'etc'));
  fs.writeFileSync(path.join(system, 'var/lib/dpkg/status'), '');
  const deb = fs.globSync(`dist/waybill_${version}_*.deb`, { cwd: root })[0] ?? '';
  run('dpkg', [`--root=${system}`, '--force-depends', '--force-script-chrootless', '--install', path.join(root, deb)]);
  assert.match(run(path.join(system, 'usr/bin/waybill'), ['config', 'check', 'docs/examples/one-machine.yaml']), /is good/);
  assert.match(fs.readFileSync(path.join(system, 'etc/passwd'), 'utf8'), /^waybill:/m);
  assert.equal(fs.statSync(path.join(system, 'etc/waybill')).mode & 0o777, 0o750);
  assert.ok(fs.existsSync(path.join(system, 'usr/lib/systemd/system/waybill-backend@.service')));
});
