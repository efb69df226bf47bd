/** The commands of docs/backup.md, as the page has them, against a cluster in use: nothing that was backed up is lost, and nothing that is there is overwritten. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { attempt } from '../harness/attempts.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { runCommand } from '../harness/command.ts';
import type { CommandOutcome } from '../harness/command.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { sendTo } from '../harness/moving.ts';

const page = fs.readFileSync(path.resolve(import.meta.dirname, '..', '..', 'docs', 'backup.md'), 'utf8');
/** What the page has typed in a terminal. */
const lines = page.split('\n').filter((line) => line.startsWith('    ')).map((line) => line.trim());
const used = new Set<string>();
let cluster: Cluster;
let commands: CommandRunner;
/** Of alice's mailboxes when the backup was made. */
let atBackup: { readonly inbox: readonly string[]; readonly work: readonly string[] };

before(async () => {
  cluster = await startCluster({ nodes: ['be1', 'fe1'], changeConfig: (yaml) => yaml.replace('workers: 1 ', 'workers: 2 ') });
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
});

/** The one line of the page that begins so. */
function lineOf(beginning: string): string {
  const longer = lines.filter((one) => one.startsWith(`${beginning} `));
  const line = lines.find((one) => one === beginning) ?? (longer.length === 1 ? longer[0] : undefined);
  assert.ok(line !== undefined, `docs/backup.md has one line "${beginning} …"`);
  used.add(line);
  return line;
}

async function waybill(beginning: string): Promise<CommandOutcome> {
  return commands.run(lineOf(beginning).split(' ').slice(1));
}

async function done(beginning: string): Promise<string> {
  const { code, output, complaint } = await waybill(beginning);
  assert.equal(code, 0, `${beginning}: ${output}${complaint}`);
  return output;
}

/** A line for the shell, in the folders of this cluster. */
function shell(line: string): void {
  used.add(line);
  const here = line.replaceAll('/var/lib/waybill/be1', path.join(cluster.folder, 'be1')).replaceAll('/backup/be1', backups()).replace(' -o waybill -g waybill', '');
  execFileSync('sh', ['-c', here], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function backups(): string {
  return path.join(cluster.folder, 'saved');
}

/** UID and SHA-256 of each message. */
async function digests(mailbox: string): Promise<readonly string[]> {
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  await imap.ok(`EXAMINE ${mailbox}`);
  const { untagged } = await imap.run('UID FETCH 1:* (UID BODY.PEEK[])');
  imap.dialogue.close();
  return untagged.flatMap(({ text, literals: [bytes] }) => (bytes === undefined ? [] : [`${/UID (\d+)/.exec(text)?.[1] ?? ''} ${createHash('sha256').update(bytes).digest('hex')}`]));
}

test('a backup is made, listed and checked while the node works; under a lock nobody writes, and who logs in reads', async () => {
  for (let message = 0; message < 3; message += 1) await sendTo(cluster, 'fe1', 'alice');
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  await imap.ok('CREATE Work');
  await imap.ok('SELECT INBOX');
  await imap.ok('COPY 1:2 Work');
  atBackup = { inbox: await digests('INBOX'), work: await digests('Work') };
  assert.match(await done('waybill backup make'), /^backup monday is whole: /);
  assert.match(await done('waybill backup list'), /^monday +20\d\d-.* be1 /m);
  assert.match(await done('waybill backup check'), /storage-1: .*: sound\n.*storage-2: .*: sound/);
  const again = await waybill('waybill backup make');
  assert.deepEqual([again.code, /there is a backup monday already/.test(again.complaint)], [1, true], again.complaint);

  assert.match(await done('waybill storage lock'), /^locked until 20/);
  let isStored = false;
  const stored = imap.ok('STORE 1 +FLAGS (\\Answered)').then(() => { isStored = true; });
  assert.equal((await digests('INBOX')).length, 3, 'logins and reading go on');
  assert.equal(isStored, false);
  await done('waybill storage unlock');
  await stored;
  const never = await waybill('waybill storage unlock');
  assert.deepEqual([never.code, never.complaint], [1, 'waybill: be1 was not locked\n']);
  imap.dialogue.close();
});

test('a deleted mailbox and an expunged message come back, what came since stays; what the backup has spoilt is named by its check', async () => {
  const kept = await sendTo(cluster, 'fe1', 'alice');
  assert.ok(kept !== '');
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  await imap.ok('SELECT INBOX');
  await imap.ok('STORE 2 +FLAGS (\\Deleted)');
  await imap.ok('EXPUNGE');
  await imap.ok('DELETE Work');
  imap.dialogue.close();
  assert.match(await done('waybill account restore alice@example.com --from monday --mailbox'), /Work +2 +as it was, with its UIDs/);
  assert.deepEqual(await digests('Work'), atBackup.work);
  assert.match(await done('waybill account restore alice@example.com --from monday'), /1 message brought back; the account was there\n +INBOX +1 /);
  const inbox = await digests('INBOX');
  assert.deepEqual(inbox.map((line) => line.split(' ')[0]), ['1', '3', '4', '5']);
  assert.equal(inbox[3]?.split(' ')[1], atBackup.inbox[1]?.split(' ')[1]);
  assert.match(await done('waybill backup restore'), /^alice@example\.com: 0 messages brought back/m);

  const place = path.join(cluster.folder, 'be1', 'backups', 'monday');
  const packs = ['storage-1', 'storage-2'].map((part) => path.join(place, part, 'packs')).flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)));
  const spoilt = packs.find((file) => fs.readFileSync(file).includes('sender@example.net'));
  assert.ok(spoilt !== undefined);
  const bytes = fs.readFileSync(spoilt);
  const at = bytes.indexOf('sender@example.net');
  fs.writeFileSync(spoilt, Buffer.concat([bytes.subarray(0, at), Buffer.from('S'), bytes.subarray(at + 1)]));
  const { code, output } = await waybill('waybill backup check');
  assert.equal(code, 2);
  assert.match(output, /record-changed +alice@example\.com +INBOX +UID 1 /);
  fs.writeFileSync(spoilt, bytes);
});

/** A command that is not on the page; `code` is what it has to end with. */
async function command(words: readonly string[], code: number): Promise<string> {
  // What opens a storage itself gets a process of its own.
  const outcome = words.includes('--rebuild') ? await runCommand(cluster, words) : await commands.run(words);
  assert.equal(outcome.code, code, `${words.join(' ')}: ${outcome.output}${outcome.complaint}`);
  return outcome.output;
}

/** The storage that has alice's account, and what `storage stats` says of it. */
async function stats(): Promise<readonly { readonly directory: string; readonly state: string; readonly mailBytes?: number }[]> {
  return JSON.parse(await command(['storage', 'stats', 'be1', '--json'], 0)) as Awaited<ReturnType<typeof stats>>;
}

async function aliceStorage(): Promise<{ readonly directory: string; readonly state: string }> {
  const storage = (await stats()).find(({ mailBytes = 0, state }) => mailBytes > 0 || state === 'detached');
  assert.ok(storage !== undefined);
  return storage;
}

/** On a busy machine the new workers take longer than the command waits for them: then it says where to look. */
async function takeIn(directory: string): Promise<void> {
  assert.match(await command(['storage', 'attach', 'be1', directory], 0), /is (?:taken into be1, and in use|being taken into be1: waybill storage stats be1 says when .*)$/m);
  for (const deadline = Date.now() + 60_000; ;) {
    const state = (await stats()).find((storage) => storage.directory === directory)?.state;
    if (state === 'ok') break;
    assert.ok(state === 'attached' && Date.now() < deadline, `${directory} is ${state ?? 'gone'}`);
  }
}

test('storages are repaired and compacted in use; one that is taken out makes nobody unknown; an index that is lost is made anew from the packs', async () => {
  const subject = await sendTo(cluster, 'fe1', 'alice');
  const before = await digests('INBOX');
  const checked = await command(['storage', 'check', 'be1'], 0);
  assert.match(checked, /queue: 0 accounts, .*sound\n.*storage1: .*sound/);
  const queue = /^(\/.*queue): /m.exec(checked)?.[1] ?? '';
  const refused = await commands.run(['storage', 'repair', 'be1', '--directory', queue]);
  assert.deepEqual([refused.code, /queue is the queue, which is checked and not repaired: .*waybill queue retry/.test(refused.complaint)], [1, true], refused.complaint);
  const { directory } = await aliceStorage();
  fs.renameSync(path.join(directory, 'packs'), path.join(directory, 'packs-away'));
  fs.mkdirSync(path.join(directory, 'packs'));
  assert.match(await command(['storage', 'check', 'be1', '--directory', directory], 2), /pack-lost +alice@example\.com [^]*\nNext: waybill storage repair be1 /);
  assert.match(await command(['storage', 'repair', 'be1', '--directory', directory], 2), new RegExp(`pack-lost +alice@example\\.com +INBOX +UID \\d+ .* ${subject}[^]*\nNext: waybill storage repair be1 --remove-lost `));
  fs.rmSync(path.join(directory, 'packs'), { recursive: true });
  fs.renameSync(path.join(directory, 'packs-away'), path.join(directory, 'packs'));
  assert.match(await command(['storage', 'compact', 'be1', '--dead-percent', '1'], 0), /storage1: /);
  assert.deepEqual(await digests('INBOX'), before);

  assert.match(await command(['storage', 'detach', 'be1', directory], 0), /is taken out of be1: its \d+ address(es)?/);
  const doors = { port: (node: string, service: string) => cluster.port(node as 'fe1', service as 'imaps') };
  const outcomes = async (): Promise<readonly string[]> => Promise.all((['imap', 'pop3', 'webmail', 'mx'] as const).map(async (protocol) => {
    const { outcome, words } = await attempt(doors, { protocol, node: 'fe1', address: 'alice@example.com', password: cluster.password, subject, from: '127.0.0.1' });
    const isWaiting = protocol === 'mx' && (outcome === 'ok' || words.startsWith('451 ')); // taken into the queue, or left to the client's
    return isWaiting || outcome === 'temporary' ? 'temporary' : `${outcome}: ${words}`;
  }));
  assert.deepEqual(await outcomes(), ['temporary', 'temporary', 'temporary', 'temporary']);
  assert.equal((await aliceStorage()).state, 'detached');
  await takeIn(directory);
  const inUse = await digests('INBOX');
  assert.ok(before.every((line) => inUse.includes(line)), 'what was there is there again, without a restart');

  assert.equal(await cluster.stopNode('be1'), 0);
  fs.rmSync(path.join(directory, 'index'), { recursive: true });
  assert.match(await command(['storage', 'repair', '--rebuild', directory], 0), /messages of \d+ accounts?, from \d+ packs?/);
  await cluster.startNode('be1');
  for (const deadline = Date.now() + 60_000; ;) {
    const { outcome, words } = await attempt(doors, { protocol: 'imap', node: 'fe1', address: 'alice@example.com', password: cluster.password, subject, from: '127.0.0.1' });
    if (outcome === 'ok') break;
    assert.ok(Date.now() < deadline, `it is settled whose the account is: ${outcome}, ${words}`);
  }
  const bytes = (await digests('INBOX')).map((line) => line.split(' ')[1]);
  for (const line of before) assert.ok(bytes.includes(line.split(' ')[1]), 'all that was delivered is there');
});

test('a destroyed node goes on from a backup, and from a copy of the stopped node, byte for byte; a node that began empty gets its mail back', async () => {
  const folder = path.join(cluster.folder, 'be1');
  fs.mkdirSync(backups());
  fs.renameSync(path.join(folder, 'backups', 'monday'), path.join(backups(), 'monday'));
  assert.equal(await cluster.stopNode('be1'), 0);
  fs.rmSync(folder, { recursive: true });
  shell(lineOf('install -d'));
  shell(lineOf('cp -a /backup/be1/monday/queue'));
  const storage = lineOf('cp -a /backup/be1/monday/storage-1');
  for (const line of [storage, storage.replace('storage-1', 'storage-2').replace('storage1', 'storage2')]) shell(line);
  lineOf('systemctl start');
  await cluster.startNode('be1');
  assert.deepEqual(await digests('INBOX'), atBackup.inbox);
  await sendTo(cluster, 'fe1', 'alice');
  const four = await digests('INBOX');
  assert.deepEqual(four.slice(0, 3), atBackup.inbox);
  assert.equal(four.length, 4);

  assert.equal(await cluster.stopNode('be1'), 0);
  shell(lineOf('tar --create'));
  fs.rmSync(folder, { recursive: true });
  fs.mkdirSync(folder, { mode: 0o700 });
  shell(lineOf('tar --extract'));
  await cluster.startNode('be1');
  assert.deepEqual(await digests('INBOX'), four);

  assert.equal(await cluster.stopNode('be1'), 0);
  fs.rmSync(folder, { recursive: true });
  fs.mkdirSync(path.join(folder, 'backups'), { recursive: true, mode: 0o700 });
  fs.renameSync(path.join(backups(), 'monday'), path.join(folder, 'backups', 'monday'));
  await cluster.startNode('be1');
  await sendTo(cluster, 'fe1', 'alice');
  assert.match(await done('waybill backup restore'), /^alice@example\.com: 5 messages brought back; the account was there/m);
  assert.deepEqual(await digests('Work'), atBackup.work, 'a mailbox that was not there has its UIDs');
  assert.equal((await digests('INBOX')).length, 4);
  await done('waybill backup delete');
  assert.deepEqual(lines.filter((line) => !used.has(line)), lines.filter((line) => line.startsWith('0 2 * * *')), 'every line of the page was run, but that of cron');
});
