/**
 * An active/passive pair: two machines' programs of one back-end on the same storages. While one lives the other is refused; when it
 * was killed the other goes on, sessions come back, and nothing that was acknowledged is lost. A holder on another machine is believed alive.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { attempt } from '../harness/attempts.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { runProgram } from '../harness/command.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { sendTo } from '../harness/moving.ts';
import { programFile } from '../harness/program-file.ts';

let cluster: Cluster;
let passive: ChildProcess | undefined;

before(async () => {
  cluster = await startCluster({ nodes: ['be1', 'fe1'] });
});

after(async () => {
  if (passive?.pid !== undefined) process.kill(-passive.pid, 'SIGKILL');
  await cluster.stop();
});

function words(...more: readonly string[]): readonly string[] {
  return ['backend', '--config', cluster.configFile, '--node', 'be1', ...more];
}

async function logIn(): Promise<Dialogue> {
  const imap = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit' });
  await imap.expect(/^\* OK/);
  imap.say(`a LOGIN alice ${cluster.password}`);
  await imap.until(/^a OK/);
  imap.say('b SELECT INBOX');
  await imap.until(/^b OK/);
  return imap;
}

test('the second program of a node is refused while the first lives, and told who holds the storage', async () => {
  const { code, complaint } = await runProgram(programFile, words('--take-over'));
  assert.equal(code, 1);
  assert.match(complaint, new RegExp(`in use by process ${String(cluster.pid('be1'))} on `), complaint);
});

test('after kill -9 of the active one the passive one goes on: sessions come back, and all that was acknowledged is there', async () => {
  const session = await logIn();
  const subjects: string[] = [];
  for (let message = 0; message < 5; message += 1) subjects.push(await sendTo(cluster, 'fe1', 'alice'));
  session.say('n NOOP'); // hears of them
  await session.until(/^n OK/);
  session.say('c UID STORE 1:* +FLAGS (\\Flagged)');
  await session.until(/^c OK/);
  await cluster.kill('be1');
  await session.closed();
  passive = spawn(process.execPath, ['--disable-warning=DEP0060', programFile, ...words()], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], detached: true });
  assert.deepEqual(await once(passive, 'message').then(([message]: unknown[]) => message), { ready: true });
  const again = await logIn();
  again.say('d UID SEARCH FLAGGED');
  const [found] = await again.until(/^\* SEARCH.*/);
  assert.equal(found?.match(/\d+/g)?.length, subjects.length, found);
  again.close();
  const doors = { port: (node: string, service: string) => cluster.port(node as NodeName, service) };
  for (const subject of subjects) {
    const { outcome, words: said } = await attempt(doors, { protocol: 'imap', node: 'fe1', address: 'alice@example.com', password: cluster.password, subject, from: '127.0.0.1' });
    assert.equal(outcome, 'ok', said);
  }
  await sendTo(cluster, 'fe1', 'alice');
});

test('a storage that another machine did not leave in order, or of a newer format, is refused, and taken over when the operator says that it is off', async () => {
  assert.ok(passive?.pid !== undefined);
  const over = once(passive, 'exit');
  process.kill(passive.pid, 'SIGTERM');
  await over;
  passive = undefined;
  const holder = path.join(cluster.folder, 'be1', 'queue', 'holder.json');
  assert.ok(fs.existsSync(path.dirname(holder)) && !fs.existsSync(holder), 'who stops in order leaves no name');
  fs.writeFileSync(holder, JSON.stringify({ host: 'other-machine', machine: 'm', boot: 'b', pid: 7, since: '2026-01-02T03:04:05.000Z' }));
  const refused = await runProgram(programFile, words());
  assert.equal(refused.code, 1);
  assert.match(refused.complaint, /not left in order by process 7 on other-machine, since 2026-01-02.*--take-over/);
  const format = path.join(cluster.folder, 'be1', 'queue', 'queue.json');
  const known = fs.readFileSync(format, 'utf8');
  fs.writeFileSync(format, known.replace('"format":1', '"format":99'));
  const newer = await runProgram(programFile, words('--take-over'));
  assert.equal(newer.code, 1);
  assert.match(newer.complaint + newer.output, /queue format 99; this program knows formats up to 1: it needs a newer version/, 'a newer format is not touched');
  fs.writeFileSync(format, known);
  passive = spawn(process.execPath, ['--disable-warning=DEP0060', programFile, ...words('--take-over')], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], detached: true });
  await once(passive, 'message');
  assert.match(fs.readFileSync(holder, 'utf8'), new RegExp(`"pid":${String(passive.pid)}`));
  (await logIn()).close();
});
