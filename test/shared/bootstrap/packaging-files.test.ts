/** What is packed as it is: systemd's own judgement of the units, and files that the Containerfile and the Debian package name. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';

const packaging = path.join(import.meta.dirname, '..', '..', '..', '.packaging');
const units = path.join(packaging, 'systemd');

/** The units in a root of their own where the commands that they name exist. */
function systemRoot(): string {
  const root = fs.mkdtempSync(path.join(tmpdir(), 'waybill-units-'));
  for (const folder of ['usr/bin', 'bin', 'etc/systemd/system']) fs.mkdirSync(path.join(root, folder), { recursive: true });
  for (const program of ['usr/bin/waybill', 'bin/kill']) fs.writeFileSync(path.join(root, program), '#!/bin/sh\n', { mode: 0o755 });
  fs.cpSync(units, path.join(root, 'etc/systemd/system'), { recursive: true });
  fs.cpSync('/usr/lib/systemd/system', path.join(root, 'usr/lib/systemd/system'), { recursive: true, verbatimSymlinks: true });
  return root;
}

function analyze(...words: readonly string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

test('systemd finds no mistake in the units, and little to attack', (context) => {
  const root = systemRoot();
  context.after(() => fs.rmSync(root, { recursive: true }));
  for (const unit of ['waybill-backend@be1.service', 'waybill-frontend@fe1.service', 'waybill-frontend-imaps@fe1.socket']) {
    const { status, text } = analyze('verify', '--man=no', `--root=${root}`, unit);
    assert.ok(status === 0 && !/waybill/.test(text), `${unit}: ${text}`);
  }
  for (const unit of ['waybill-backend@.service', 'waybill-frontend@.service']) {
    const { status, text } = analyze('security', '--offline=yes', '--threshold=20', path.join(units, unit));
    assert.equal(status, 0, text); // exposure 2.0 of 10 at most
  }
  fs.appendFileSync(path.join(root, 'etc/systemd/system/waybill-backend@.service'), '\nExecStartt=/bin/true\n');
  assert.match(analyze('verify', '--man=no', `--root=${root}`, 'waybill-backend@be1.service').text, /ExecStartt/, 'a mistake would be found');
});

test('the Containerfile copies what npm run pack makes, and runs a Node that is new enough', () => {
  const text = fs.readFileSync(path.join(packaging, 'Containerfile'), 'utf8');
  const { name, engines } = JSON.parse(fs.readFileSync(path.join(packaging, '..', 'package.json'), 'utf8')) as { readonly name: string; readonly engines: { readonly node: string } };
  const sources = [...text.matchAll(/^COPY (\S+) /gm)].map(([, source]) => source);
  assert.deepEqual(sources, [`dist/${name}-*.tgz`]);
  assert.match(text, new RegExp(`^FROM docker\\.io/library/node:${engines.node.replace(/\D/g, '')}-`, 'm'));
  assert.match(text, /^USER (?!root)/m);
});
