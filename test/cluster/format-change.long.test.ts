/**
 * A node's program is replaced by one that raises the format of its storages: workers of both beside one another, then the node as the new one, then no way back.
 * The old program is the last that knows nothing of changes of flags beside rows. A long proof: it runs with WAYBILL_LONG_TESTS=1 in a clone that has the commit.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { runProgram } from '../harness/command.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { workersOf } from '../harness/workers.ts';

/** The parent of the one that raised the format to 2. */
const oldVersion = '07acb4b';
const isLong = process.env['WAYBILL_LONG_TESTS'] === '1';
const root = path.resolve(import.meta.dirname, '..', '..');
const folder = fs.mkdtempSync(path.join(tmpdir(), 'waybill-format-'));
const installed = path.join(folder, 'installed');
const kept = { old: path.join(folder, 'old'), present: path.join(folder, 'present') };
const files = 'backend cluster-config frontend shared waybill.ts package.json';
const work = 'Work';
/** So many that changes of many of them lie beside their rows: they fill blocks. */
const doublings = 9;
const rounds = 15;

/** What flags each message has by all that was acknowledged, by UID. */
type Flags = Map<number, Set<string>>;

describe('a program that is replaced by one that raises the format of storages', { skip: !isLong }, () => {
  let cluster: Cluster;
  let installedVersion: keyof typeof kept = 'old';
  let oldSession: ImapSession;
  const flags: Flags = new Map();
  let flagsAtBackup: readonly string[];

  before(async () => {
    const sources = { old: `git archive ${oldVersion} ${files} | tar -x -C ${kept.old}`, present: `git ls-files -z -co --exclude-standard ${files} | xargs -0 cp --parents -t ${kept.present}` };
    for (const version of ['old', 'present'] as const) {
      fs.mkdirSync(kept[version]);
      execFileSync('/bin/sh', ['-c', sources[version]], { cwd: root });
      for (const name of ['node_modules', 'dist']) fs.symlinkSync(path.join(root, name), path.join(kept[version], name));
    }
    fs.renameSync(kept.old, installed);
    const wrap = (program: string) => (command: readonly string[]): string[] => [...command.slice(0, 2), path.join(program, 'waybill.ts'), ...command.slice(3)];
    cluster = await startCluster({ nodes: ['fe1', 'be1'], wrap: { be1: wrap(installed), be2: wrap(kept.old) } });
  });

  after(async () => {
    oldSession.close();
    await cluster.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** At the same place, also for a node that runs. */
  function install(version: keyof typeof kept): void {
    fs.renameSync(installed, kept[installedVersion]);
    fs.renameSync(kept[version], installed);
    installedVersion = version;
  }

  async function waybill(...words: readonly string[]): Promise<string> {
    const { code, output, complaint } = await runProgram(path.join(installed, 'waybill.ts'), [...words, '--config', cluster.configFile]);
    assert.equal(code, 0, `${words.join(' ')}: ${output}${complaint}`);
    return output;
  }

  async function open(): Promise<ImapSession> {
    const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    await session.ok(`SELECT ${work}`);
    return session;
  }

  /** STORE of a range of UIDs; what was answered OK counts. */
  async function store(session: ImapSession, [first, last]: readonly [number, number], change: `${'+' | '-'}${string}`): Promise<void> {
    const flag = change.slice(1);
    await session.ok(`UID STORE ${String(first)}:${String(last)} ${change.slice(0, 1)}FLAGS.SILENT (${flag})`);
    for (const [uid, has] of flags) {
      if (uid < first || uid > last) continue;
      if (change.startsWith('+')) has.add(flag);
      else has.delete(flag);
    }
  }

  async function assertFlags(session: ImapSession, what: string): Promise<void> {
    assert.deepEqual(await flagsSeen(session), inRuns(flags), what);
    const seen = [...flags].filter(([, has]) => has.has('\\Seen')).map(([uid]) => uid);
    assert.deepEqual(await session.search('SEEN'), seen, `${what}: a search`);
  }

  /** Of each storage of the node. */
  function formats(): readonly number[] {
    return storageFolders().map((directory) => (JSON.parse(fs.readFileSync(path.join(directory, 'storage.json'), 'utf8')) as { format: number }).format);
  }

  function storageFolders(): readonly string[] {
    return ['storage1', 'storage2'].map((name) => path.join(cluster.folder, 'be1', name));
  }

  test('the old program makes a storage with mail, and a backup of it', async () => {
    oldSession = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    await oldSession.ok(`CREATE ${work}`);
    await oldSession.append(work, newMessage().bytes);
    await oldSession.ok(`SELECT ${work}`);
    for (let doubling = 0; doubling < doublings; doubling += 1) await oldSession.ok(`UID COPY 1:* ${work}`);
    await oldSession.ok('NOOP');
    for (let uid = 1; uid <= 2 ** doublings; uid += 1) flags.set(uid, new Set());
    await store(oldSession, [1, 300], '+\\Seen');
    await store(oldSession, [100, 400], '+one');
    await assertFlags(oldSession, 'before');
    assert.deepEqual(formats(), [1, 1]);
    flagsAtBackup = inRuns(flags);
    await waybill('backup', 'make', 'be1', '--name', 'before');
  });

  test('workers of both programs beside one another see each other\'s changes of flags, messages and removals, and leave the format as it is', async () => {
    const [oldWorker] = workersOf(cluster.pid('be1'));
    install('present');
    const from = cluster.log('be1').length;
    fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace('drainSeconds: 5', 'drainSeconds: 6'));
    await logLine(cluster, 'be1', { words: ['runs the new configuration'], from, patienceMs: 60_000 });
    const session = await open();
    assert.ok(workersOf(cluster.pid('be1')).length === 2 && workersOf(cluster.pid('be1')).includes(oldWorker ?? 0), 'the old worker keeps its session, and a new one is beside it');
    for (let round = 0; round < rounds; round += 1) {
      const start = 1 + round * 20;
      await Promise.all([
        store(oldSession, [start, start + 199], round % 3 === 2 ? '-\\Seen' : `+old${String(round % 4)}`),
        store(session, [start + 50, start + 249], round % 3 === 1 ? '-one' : `+new${String(round % 4)}`),
      ]);
      await oldSession.ok('NOOP');
      await session.ok('NOOP');
      await assertFlags(oldSession, `the old worker, round ${String(round)}`);
      await assertFlags(session, `the new worker, round ${String(round)}`);
    }
    for (const [one, other] of [[oldSession, session], [session, oldSession]] as const) {
      const uid = await one.append(work, newMessage().bytes);
      flags.set(uid, new Set());
      await other.ok('NOOP'); // till then the message is none of its
      await store(other, [uid, uid], '+\\Flagged');
      const gone = Math.min(...flags.keys());
      await store(one, [gone, gone], '+\\Deleted');
      await other.ok(`UID EXPUNGE ${String(gone)}`);
      flags.delete(gone);
      await one.ok('NOOP');
      await assertFlags(one, 'after a removal');
      await assertFlags(other, 'after a removal');
    }
    assert.deepEqual(formats(), [1, 1]);
    assert.match(await waybill('storage', 'check', 'be1'), /: sound\n.*: sound/);
    session.close();
  });

  test('the node as the new program has every flag, raises the format, and keeps changes beside rows', async () => {
    assert.equal(await cluster.stopNode('be1'), 0);
    await cluster.startNode('be1');
    assert.deepEqual(formats(), [2, 2]);
    const session = await open();
    await assertFlags(session, 'after the upgrade');
    await store(session, [1, 2 ** doublings], '+\\Answered');
    await store(session, [60, 360], '-\\Seen');
    await assertFlags(session, 'changes of the new format');
    session.close();
    assert.match(await waybill('storage', 'check', 'be1'), /: sound\n.*: sound/);
  });

  test('the old program does not touch what the new one has used, and says why', async () => {
    assert.equal(await cluster.stopNode('be1'), 0);
    install('old');
    const digests = (): readonly string[] => storageFolders().flatMap((directory) => ['storage.json', 'index/data.mdb'].map((name) => createHash('sha256').update(fs.readFileSync(path.join(directory, name))).digest('hex')));
    const atStop = digests();
    await assert.rejects(cluster.startNode('be1'), /storage1 has storage format 2; this program knows formats up to 1: it needs a newer version/);
    assert.deepEqual(digests(), atStop);
    install('present');
    await cluster.startNode('be1');
    const session = await open();
    await assertFlags(session, 'after the old program was tried');
    session.close();
  });

  test('an account with changes beside its rows has all flags on a node that is the old program still, and when it is back; that node takes no backup of the new form', async () => {
    await cluster.startNode('be2');
    for (const [node, format] of [['be2', 1], ['be1', 2]] as const) {
      await waybill('account', 'move', 'alice@example.com', node);
      const session = await open();
      await assertFlags(session, `at ${node}, of format ${String(format)}`);
      await store(session, [30 * format, 200 + 30 * format], `+at${node}`);
      await assertFlags(session, `changed at ${node}`);
      session.close();
    }
    await waybill('backup', 'make', 'be1', '--name', 'after');
    fs.cpSync(path.join(cluster.folder, 'be1', 'backups', 'after'), path.join(cluster.folder, 'be2', 'backups', 'after'), { recursive: true });
    const { code, complaint } = await runProgram(path.join(kept.old, 'waybill.ts'), ['backup', 'restore', 'be2', 'after', '--config', cluster.configFile]);
    assert.deepEqual([code, /backup after has format 2; this program knows formats up to 1: it needs a newer version/.test(complaint)], [1, true], complaint);
  });

  test('a mailbox comes back out of the backup that the old program made, with its flags of then', async () => {
    const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    await session.ok(`DELETE ${work}`);
    assert.match(await waybill('account', 'restore', 'alice@example.com', '--from', 'before', '--mailbox', work), /as it was, with its UIDs/);
    await session.ok(`SELECT ${work}`);
    assert.deepEqual(await flagsSeen(session), flagsAtBackup);
    session.close();
  });
});

/** As `inRuns`. */
async function flagsSeen(session: ImapSession): Promise<readonly string[]> {
  const { untagged } = await session.ok('UID FETCH 1:* (FLAGS)');
  const rows = untagged.flatMap(({ text }): [number, string[]][] => {
    const [, uid, words = ''] = /^\* \d+ FETCH \((?=.*UID (\d+)).*FLAGS \(([^)]*)\)/.exec(text) ?? [];
    return uid === undefined ? [] : [[Number(uid), words.split(' ').filter((word) => word !== '' && word !== '\\Recent')]];
  });
  return inRuns(rows);
}

/** `FIRST:LAST FLAGS` for neighbours that have the same flags. */
function inRuns(rows: Iterable<readonly [uid: number, flags: Iterable<string>]>): readonly string[] {
  const runs: { readonly first: number; last: number; readonly flags: string }[] = [];
  for (const [uid, has] of rows) {
    const [run, flags] = [runs.at(-1), [...has].toSorted().join(' ')];
    if (run?.flags === flags && run.last === uid - 1) run.last = uid;
    else runs.push({ first: uid, last: uid, flags });
  }
  return runs.map(({ first, last, flags }) => `${String(first)}:${String(last)} ${flags}`);
}
