/** A node whose disk is full to the last byte starts, however it ended: mail can be read and removed, new mail is refused for the time being, and taken once there is room. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { newMessage } from '../harness/messages.ts';
import { sendTo } from '../harness/moving.ts';
import { SmallDisk, smallDiskProblem } from '../harness/small-disk.ts';
import { deliver } from '../harness/smtp-session.ts';

const problem = smallDiskProblem();
let cluster: Cluster | undefined;
let disk: SmallDisk | undefined;

before(async () => {
  if (problem !== undefined) return;
  cluster = await startCluster({
    nodes: ['be1', 'fe1'],
    changeConfig: (yaml, folder) => {
      disk = new SmallDisk(join(folder, 'be1'), 65_536); // storages, queue and all else that be1 keeps
      return yaml.replaceAll('    storage:\n', '    storage:\n      reserveMegabytes: 1\n');
    },
  });
});

after(async () => {
  await cluster?.kill('be1');
  disk?.remove();
  await cluster?.stop();
});

/** What a session of Alice's is told, line by line. */
async function session(running: Cluster, commands: readonly string[]): Promise<string> {
  const imap = await Dialogue.connect({ port: running.port('fe1', 'imaps'), tls: 'implicit' });
  const said: string[] = [];
  for (const [index, command] of [`LOGIN alice ${running.password}`, 'SELECT INBOX', ...commands].entries()) {
    imap.say(`t${String(index)} ${command}`);
    do said.push(await imap.line()); while (said.at(-1)?.startsWith(`t${String(index)} `) !== true);
  }
  imap.close();
  return said.join('\n');
}

/** Of the index, whose file can't grow on a full disk: what a commit frees can't be used again while anybody keeps a view of the one before. */
async function leaveFreePages(running: Cluster): Promise<void> {
  const bytes = newMessage().bytes.toString();
  const append = `APPEND Gone {${String(bytes.length)}+}\r\n${bytes}`;
  assert.match(await session(running, ['CREATE Gone', ...Array.from({ length: 60 }, () => append), 'DELETE Gone']), /^t63 OK/m);
}

async function demandUse(running: Cluster, full: SmallDisk, left: number): Promise<void> {
  assert.equal(full.freeBytes, 0);
  assert.match(await session(running, ['UID FETCH 1:* BODY.PEEK[TEXT]']), new RegExp(`^(\\* \\d+ FETCH[^]*Hello\\.[^]*){${String(left)}}t2 OK`, 'm'));
  const { bytes } = newMessage();
  assert.match(await deliver(running, 'fe1', { from: 'sender@example.net', to: ['alice@example.com'], bytes }), /^452 4\.3\.1 /);
  assert.match(await session(running, [`APPEND INBOX {${String(bytes.length)}+}\r\n${bytes.toString()}`]), /^t2 NO /m);
  assert.match(await session(running, ['UID STORE 1:* +FLAGS (\\Seen)', 'UID STORE * +FLAGS (\\Deleted)', 'EXPUNGE']), /^t2 OK[^]*^t3 OK[^]*^\* \d+ EXPUNGE[^]*^t4 OK/m);
}

function recordsIn(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => basename(name) === 'storage.json');
  assert.ok(names.length > 0);
  return names.map((name) => join(folder, name));
}

function formatOf(record: string): number {
  return (JSON.parse(readFileSync(record, 'utf8')) as { readonly format: number }).format;
}

/** In its place: there is no room for another file. */
function asOfFormat1(record: string): void {
  const text = readFileSync(record, 'utf8');
  writeFileSync(record, text.replace('"format":2', '"format":1'), { flag: 'r+' });
  assert.equal(formatOf(record), 1);
}

test('a node whose disk is full starts after kill -9, and after it had stopped in order: it serves what needs no space', { skip: problem }, async () => {
  assert.ok(cluster !== undefined && disk !== undefined);
  await leaveFreePages(cluster);
  for (let message = 0; message < 4; message += 1) await sendTo(cluster, 'fe1', 'alice');
  await cluster.kill('be1');
  disk.fill();
  await cluster.startNode('be1');
  await demandUse(cluster, disk, 4);
  assert.equal(await cluster.stopNode('be1'), 0);
  disk.fill();
  const records = recordsIn(join(cluster.folder, 'be1'));
  for (const record of records) asOfFormat1(record);
  await cluster.startNode('be1');
  await demandUse(cluster, disk, 3);
  assert.deepEqual(records.map(formatOf), records.map(() => 1));
  assert.match(cluster.log('be1'), /"msg":"the disk of a storage is full: it keeps the format of an earlier version/);
  assert.match(cluster.log('be1'), /"msg":"the disk of a storage is full: this start is not counted/);
  disk.empty();
  await sleep(1100); // how much is free is asked once a second
  await sendTo(cluster, 'fe1', 'alice');
  assert.equal(await cluster.stopNode('be1'), 0);
  await cluster.startNode('be1');
  assert.match(await session(cluster, []), /^\* 3 EXISTS/m);
  assert.deepEqual(records.map(formatOf), records.map(() => 2));
});
