/** The beginnings of an index: one process at a time opens it, and one that is lost is never taken for a new one. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openEnvironment, openStorage, rebuildIndex, shrinkIndex } from '../../../backend/storage/storage.ts';
import { Failure, isFailure } from '../../../shared/base/failure.ts';
import { lockFolder } from '../../../shared/base/folder-lock.ts';
import { createLog } from '../../../shared/log/log.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

test('While one process opens an index, others wait, also where it is there already', async (t) => {
  const path = temporaryDirectory(t);
  for (const state of ['new', 'there'] as const) {
    const lock = lockFolder(path, 'opening.lock');
    const child = spawn(process.execPath, [join(import.meta.dirname, 'opening-process.ts'), path, join(path, `released-${state}`)], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'close');
    await once(child.stdout, 'data'); // it begins
    const opened = once(child.stdout, 'data') as Promise<[Buffer]>;
    assert.equal(await Promise.race([opened, sleep(300)]), undefined, 'it waits');
    mkdirSync(join(path, `released-${state}`));
    lock.release();
    const [said] = await opened;
    assert.equal(String(said).trim(), 'opened after the release');
    await ended; // it closes the index alone, too
  }
  assert.deepEqual(readdirSync(path).filter((name) => name.startsWith('new-')), [], 'no draft is left');
});

test('Processes that would open an index at the same time take turns, and none keeps the others from it', async (t) => {
  const path = temporaryDirectory(t);
  const turns = Array.from({ length: 3 }, async () => promisify(execFile)(process.execPath, [join(import.meta.dirname, 'turns-process.ts'), path, '300']));
  await Promise.all(turns);
});

test('An index that its last process closes can be opened and written at the same moment', async (t) => {
  const path = temporaryDirectory(t);
  await Promise.all(Array.from({ length: 2 }, async () => promisify(execFile)(process.execPath, [join(import.meta.dirname, 'comings-process.ts'), path, '200'])));
});

test('No commit is lost, and none is hidden from who reads, that another process makes while one opens the index, however long that one takes', async (t) => {
  const path = temporaryDirectory(t);
  await openEnvironment(path, ['t']).close();
  for (let turn = 0; turn < 4; turn += 1) {
    const counting = spawn(process.execPath, [join(import.meta.dirname, 'counting-process.ts'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => counting.kill('SIGKILL'));
    const ended = once(counting, 'close') as Promise<[number | null, string | null]>;
    let said = '';
    counting.stdout.on('data', (data: Buffer) => { said += data.toString(); });
    await once(counting.stdout, 'data');
    const end = join(temporaryDirectory(t), 'end');
    const reading = spawn(process.execPath, [join(import.meta.dirname, 'reading-process.ts'), path, end], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => reading.kill('SIGKILL'));
    let read = '';
    reading.stdout.on('data', (data: Buffer) => { read += data.toString(); });
    const readingEnded = once(reading, 'close');
    await once(reading.stdout, 'data'); // else who comes would keep it from the index until all is over
    const slowly = ['-f', '-qq', '-o', '/dev/null', '-P', join(path, 'data.mdb'), '-e', 'trace=mmap', '-e', 'inject=mmap:delay_exit=50000'];
    await promisify(execFile)('strace', [...slowly, process.execPath, join(import.meta.dirname, 'comings-process.ts'), path, '3']);
    writeFileSync(end, '');
    await readingEnded;
    assert.match(read, /^begins\n\d{3,} reads\n$/, 'it never reads less than before');
    counting.kill('SIGKILL');
    assert.equal((await ended)[1], 'SIGKILL');
    const numbers = said.split('\n').slice(0, -1).map(Number);
    assert.deepEqual(numbers, numbers.map((_, index) => (numbers[0] ?? 0) + index), 'each number once');
    const environment = openEnvironment(path, ['t']);
    const found = Number(environment.read(() => environment.table('t').text(['number'])));
    await environment.close();
    assert.ok(found >= (numbers.at(-1) ?? 0), `${String(numbers.at(-1))} was answered, ${String(found)} found`);
  }
});

test('A process that ends in the midst of a commit does end, says why, and others write on; what it was answered is there', async (t) => {
  for (const [how, words] of [['exit', /^$/], ['fault', /a fault of a process/]] as const) {
    const path = temporaryDirectory(t);
    const outcome = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'ending-process.ts'), path, how], { timeout: 60_000, killSignal: 'SIGTERM' }).then(() => undefined, (error: unknown) => error);
    assert.ok(outcome instanceof Error && 'signal' in outcome && 'stdout' in outcome && 'stderr' in outcome);
    assert.deepEqual([outcome.signal, outcome.stdout], ['SIGKILL', 'answered\n'], 'by itself');
    assert.match(String(outcome.stderr), words);
    const environment = openEnvironment(path, ['t']);
    t.after(() => environment.close());
    await environment.write(() => environment.table('t').put(['later'], Buffer.from('1')));
    assert.ok(['answered', 'later'].every((key) => environment.read(() => environment.table('t').get([key])) !== undefined));
  }
});

test('What a process that was killed has left of a new index is removed, and the index is made', async (t) => {
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'new-abcdef'));
  const environment = openEnvironment(path, ['t']);
  await environment.write(() => environment.table('t').put(['a'], Buffer.from('1')));
  await environment.close();
  assert.deepEqual(readdirSync(path).filter((name) => name.startsWith('new-')), []);
});

test('Packs without their index are not taken for a new storage: it does not open', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  const account = await storage.createAccount('alice@example.com');
  await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage('a'));
  await storage.close();
  rmSync(join(directory, 'index'), { recursive: true });
  await assert.rejects(openStorage(storageOptions(directory)), { kind: 'storage-failure', message: /has packs of messages and no index/ });
  assert.ok(!readdirSync(directory).includes('index'), 'nothing was made');
});

test('An index that is empty, without a header or cut short is not taken for a new one, and ends no process: it is said which, and what to do', async (t) => {
  for (const [damage, words] of [['emptied', /data\.mdb is empty/], ['overwritten', /data\.mdb has no header of an index/], ['cut', /MDB_/]] as const) {
    const directory = temporaryDirectory(t);
    const storage = await openStorage(storageOptions(directory));
    const account = await storage.createAccount('alice@example.com');
    await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage('a'));
    await storage.close();
    const file = join(directory, 'index', 'data.mdb');
    const before = readFileSync(file);
    if (damage === 'overwritten') writeFileSync(file, Buffer.alloc(before.length, 'x'));
    else truncateSync(file, damage === 'cut' ? 2 * 4096 : 0);
    const child = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'opening-storage-process.ts'), directory], { timeout: 60_000 }).catch((error: unknown) => error as { readonly stdout: string });
    assert.match(child.stdout, words, damage);
    assert.ok(child.stdout.includes(`waybill storage repair --rebuild ${directory}`), child.stdout);
    writeFileSync(file, before);
    const again = await openStorage(storageOptions(directory));
    t.after(() => again.close());
    assert.deepEqual(again.addresses(), ['alice@example.com'], 'nothing else was made of it');
  }
});

test('An index that is damaged is not made smaller, and none is made anew where the packs are not there: it is said of which storage, and nothing is changed', async (t) => {
  const directory = temporaryDirectory(t);
  await (await openStorage(storageOptions(directory))).close();
  const file = join(directory, 'index', 'data.mdb');
  const damaged = Buffer.from(readFileSync(file));
  damaged.fill('x', 2 * 4096);
  writeFileSync(file, damaged);
  await assert.rejects(shrinkIndex(directory), (error: unknown) => error instanceof Failure && error.message.startsWith(`${directory}: `) && error.message.includes(`waybill storage repair --rebuild ${directory}`));
  rmSync(join(directory, 'packs'), { recursive: true });
  await assert.rejects(rebuildIndex(directory, { report: () => undefined, signal: new AbortController().signal }), { kind: 'storage-failure', message: /has no folder packs/ });
  mkdirSync(join(directory, 'packs'));
  await assert.rejects(rebuildIndex(directory, { report: () => undefined, signal: new AbortController().signal }), { kind: 'storage-failure', message: /has no packs of messages: is all of it mounted\?/ }, 'a folder that is empty is no better');
  assert.ok(readFileSync(file).equals(damaged));
  assert.ok(!readdirSync(directory).some((name) => name.startsWith('scratch-')));
});

test('Who needs a page of the index that rots while the node works hears of a failure of the storage, and the log names the storage and the way out; the process goes on', async (t) => {
  const directory = temporaryDirectory(t);
  const told: unknown[][] = [];
  const options = storageOptions(directory);
  const storage = await openStorage({ ...options, log: Object.assign(createLog({ node: 'be1', level: 'silent' }), { error: (...words: unknown[]) => told.push(words) }) });
  t.after(() => storage.close());
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  await deliver({ storage, account, mailbox: inbox }, sampleMessage('a'));
  const file = join(directory, 'index', 'data.mdb');
  const pages = openSync(file, 'r+');
  const sound = readFileSync(file).subarray(2 * 4096);
  writeSync(pages, Buffer.alloc(sound.length, 'x'), 0, undefined, 2 * 4096);
  const isSaid = (thrown: unknown): boolean => isFailure(thrown, 'storage-failure') && /^the storage is damaged/.test(thrown.message) && !thrown.message.includes(directory);
  assert.throws(() => inbox.state(), isSaid);
  await assert.rejects(account.createMailbox('new'), isSaid);
  assert.equal(told.length, 1, 'once a minute');
  assert.equal((told[0]?.[0] as { readonly directory: string }).directory, directory);
  assert.match(String(told[0]?.[1]), new RegExp(`waybill storage repair --rebuild ${directory}`));
  writeSync(pages, sound, 0, undefined, 2 * 4096);
  closeSync(pages);
  assert.equal(inbox.state().messages, 1);
});

test('When a commit fails, those in it hear of a failure of the storage, and the log says why and where', async (t) => {
  const directory = temporaryDirectory(t);
  await (await openStorage(storageOptions(directory))).close();
  const failing = ['-f', '-qq', '-o', '/dev/null', '-P', join(directory, 'index', 'data.mdb'), '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=6+'];
  const { stdout } = await promisify(execFile)('strace', [...failing, process.execPath, join(import.meta.dirname, 'failed-commit-process.ts'), directory]);
  const { heard, told } = JSON.parse(stdout) as { readonly heard: string; readonly told: readonly { readonly facts: { readonly directory: string }; readonly words: string }[] };
  assert.equal(heard, 'storage-failure');
  assert.equal(told.length, 1);
  assert.equal(told[0]?.facts.directory, directory);
  assert.match(told[0].words, /^the index of a storage could not be written/);
});
