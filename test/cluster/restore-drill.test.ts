/** The drill of docs/backup.md: mail comes in, the node is stopped and copied, destroyed, restored, and gives back every message byte for byte. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { sendTo } from '../harness/moving.ts';

/** Of each message that IMAP gives out, by UID. */
function digests(cluster: Cluster): readonly string[] {
  const curl = (...words: readonly string[]): string => execFileSync('curl', ['--silent', '--show-error', '--insecure', '--user', `alice:${cluster.password}`, ...words], { encoding: 'latin1' });
  const inbox = `imaps://127.0.0.1:${String(cluster.port('fe1', 'imaps'))}/INBOX`;
  const uids = curl(inbox, '--request', 'UID SEARCH ALL').match(/\d+/g) ?? [];
  return uids.map((uid) => `${uid} ${createHash('sha256').update(curl(`${inbox};UID=${uid}`), 'latin1').digest('hex')}`);
}

test('what was backed up comes back byte for byte after the node\'s folders were destroyed, and new mail comes in', async (context) => {
  const cluster = await startCluster({ nodes: ['be1', 'fe1'] });
  context.after(async () => cluster.stop());
  for (let message = 0; message < 3; message += 1) await sendTo(cluster, 'fe1', 'alice');
  const before = digests(cluster);
  assert.equal(before.length, 3);
  const node = path.join(cluster.folder, 'be1');
  const backup = path.join(cluster.folder, 'be1.tar');
  assert.equal(await cluster.stopNode('be1'), 0);
  execFileSync('tar', ['--create', '--sparse', '--file', backup, '--directory', node, '.']);
  fs.rmSync(node, { recursive: true });
  fs.mkdirSync(node, { mode: 0o700 });
  execFileSync('tar', ['--extract', '--file', backup, '--directory', node]);
  await cluster.startNode('be1');
  assert.deepEqual(digests(cluster), before);
  await sendTo(cluster, 'fe1', 'alice');
  assert.deepEqual(digests(cluster).slice(0, 3), before);
  assert.equal(digests(cluster).length, 4);
});
