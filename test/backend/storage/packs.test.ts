/** Packs by themselves, as the queue uses them: staged bytes, live and dead bytes, what happens when the disk refuses. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isFailure } from '../../../shared/base/failure.ts';
import { decodeFileHeader, decodeRecordHeader, decodeRecordTrailer, encodeRecordHeader, fileHeaderBytes } from '../../../backend/storage/pack-format.ts';
import { isAlive, thisProcess } from '../../../shared/base/process-identity.ts';
import { openEnvironment, openPacks } from '../../../backend/storage/storage.ts';
import type { Environment, Packs, StagedBytes } from '../../../backend/storage/storage.ts';
import { inPieces, sampleMessage, temporaryDirectory } from './harness.ts';

interface Parts {
  readonly directory: string;
  readonly environment: Environment;
  readonly packs: Packs;
}

function openParts(t: TestContext, packBytes?: number): Parts {
  const directory = temporaryDirectory(t);
  const environment = openEnvironment(join(directory, 'index'));
  const packs = openPacks(join(directory, 'packs'), { environment, ...(packBytes === undefined ? {} : { packBytes }) });
  t.after(async () => {
    await packs.close();
    await environment.close();
  });
  return { directory, environment, packs };
}

const hasStrace = spawnSync('strace', ['-V']).status === 0;

const options = { maxBytes: 10_000_000, owner: 'queue' };
const packFiles = ({ directory }: Parts): string[] => readdirSync(join(directory, 'packs')).sort();

test('Staged bytes can be read at once, and are counted live and dead as transactions say', async (t) => {
  const { environment, packs } = openParts(t);
  const bytes = sampleMessage('x', 2000);
  const staged = await packs.stage(inPieces(bytes), options);
  assert.deepEqual(await packs.read(staged.place, 0, bytes.length), bytes);
  assert.deepEqual(staged.digest, createHash('sha256').update(bytes).digest());
  await staged.settled();
  await environment.write(() => packs.retain(staged.place));
  staged.done();
  assert.equal((await packs.usage()).liveBytes, bytes.length);
  await environment.write(() => packs.release(staged.place));
  assert.equal((await packs.usage()).liveBytes, 0);
  await assert.rejects(environment.write(() => packs.release(staged.place)), /live bytes/);
});

test('A message that comes byte by byte takes no more memory while it waits for its end than another', async (t) => {
  const { packs } = openParts(t);
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const heldBytes = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = heldBytes();
  let grown = 0;
  async function* bytewise(): AsyncGenerator<Buffer, void, void> {
    await Promise.resolve();
    for (let count = 0; count < 200_000; count += 1) yield Buffer.alloc(1, count % 251);
    grown = heldBytes() - before;
  }
  const staged = await packs.stage(bytewise(), options);
  assert.ok(grown < 4_000_000, `${String(grown)} bytes`);
  assert.ok((await packs.read(staged.place, 0, 200_000)).every((byte, at) => byte === at % 251));
  staged.done();
});

test('A pack explains itself: header, owner, body and checksums can be read without the index', async (t) => {
  const parts = openParts(t);
  const small = sampleMessage('small', 300);
  const big = sampleMessage('big', 800_000);
  const places = [(await parts.packs.stage(inPieces(small), options)).place, (await parts.packs.stage(inPieces(big), options)).place];
  await parts.packs.note({ place: places[0] ?? assert.fail(), account: 'alice@example.com', mailbox: 'INBOX', internalDateMs: 1, flags: 0, keywords: [] });
  for (const [index, body] of [small, big].entries()) {
    const place = places[index] ?? assert.fail();
    const file = readFileSync(join(parts.directory, 'packs', `${String(place.pack).padStart(8, '0')}.pack`));
    assert.equal(decodeFileHeader(file), place.pack);
    const header = decodeRecordHeader(file.subarray(fileHeaderBytes)) ?? assert.fail();
    assert.equal(header.owner, 'queue');
    assert.equal(header.length, index === 0 ? small.length : undefined);
    assert.equal(fileHeaderBytes + header.headerBytes, place.offset);
    const trailer = decodeRecordTrailer(file.subarray(place.offset + place.length)) ?? assert.fail();
    assert.deepEqual(trailer, { length: body.length, recordStart: fileHeaderBytes, outcome: 'whole', digest: createHash('sha256').update(body).digest() });
  }
});

test('A damaged record header is not taken for one', () => {
  const header = encodeRecordHeader({ kind: 'message', owner: 'alice@example.com', writtenAtMs: 5, length: 77 });
  assert.deepEqual(decodeRecordHeader(header), { kind: 'message', owner: 'alice@example.com', writtenAtMs: 5, length: 77, headerBytes: header.length });
  for (let at = 0; at < header.length; at += 1) {
    const damaged = Buffer.from(header);
    damaged.writeUInt8((damaged.readUInt8(at) + 1) & 255, at);
    if (at !== 5) assert.equal(decodeRecordHeader(damaged), undefined, `byte ${at}`);
  }
  assert.equal(decodeRecordHeader(header.subarray(0, -1)), undefined);
});

test('Full packs are left for new ones, and a pack goes only when it is finished and wholly dead', async (t) => {
  const parts = openParts(t, 20_000);
  const { environment, packs } = parts;
  const staged: StagedBytes[] = [];
  for (let number = 0; number < 12; number += 1) {
    const each = await packs.stage(inPieces(sampleMessage(`m${number}`, 5000)), options);
    await each.settled();
    await environment.write(() => packs.retain(each.place));
    staged.push(each);
  }
  assert.ok(packFiles(parts).length >= 3);
  const [first = assert.fail(), ...rest] = staged;
  await environment.write(() => staged.forEach((each) => packs.release(each.place)));
  assert.equal(await packs.removeDead(0), 0, 'every piece is still held');
  rest.forEach((each) => each.done());
  const before = packFiles(parts).length;
  assert.equal(await packs.removeDead(60_000), 0, 'not idle for long enough');
  await eventually(async () => {
    await packs.removeDead(0);
    return packFiles(parts).length === 2; // that of the piece still held, and the one being written
  });
  assert.ok(before > 2);
  assert.deepEqual(await packs.read(first.place, 0, 5), sampleMessage('m0').subarray(0, 5), 'a held pack stays');
  first.done();
  await eventually(async () => {
    await packs.removeDead(0);
    return packFiles(parts).length === 1;
  });
});

/** A pack is finished soon after it was let go; nobody can await it. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, 'it did not come about in five seconds');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('A pack that was deleted answers with a failure, not with other bytes', async (t) => {
  const { packs } = openParts(t);
  const gone = { pack: 77, offset: 100, length: 10 };
  await assert.rejects(packs.read(gone, 0, 10), (error) => isFailure(error, 'storage-failure'));
  const staged = await packs.stage(inPieces(Buffer.from('short')), options);
  await assert.rejects(packs.read({ ...staged.place, length: 4000 }, 0, 4000), (error) => isFailure(error, 'storage-failure'));
});

const fullDisk = join(import.meta.dirname, 'full-disk-process.ts');

/** What `full-disk-process.ts` has printed. */
function outcomeOf({ stdout }: { readonly stdout: string }): { refused: string[]; stored: number; wrong: number; packs: number; left: number; open: number } {
  return JSON.parse(stdout) as ReturnType<typeof outcomeOf>;
}

test('When the disk refuses a write, that pack is given up, the sender hears of it, and the next message is stored', async (t) => {
  // the limit on the size of a file, in blocks of 512 bytes, stands for a disk that fails
  const outcome = outcomeOf(await promisify(execFile)('/bin/sh', ['-c', `ulimit -f 1000; exec "${process.execPath}" "${fullDisk}" "${temporaryDirectory(t)}"`]));
  assert.ok(outcome.refused.length > 0 && outcome.stored > 60, JSON.stringify(outcome));
  assert.deepEqual([...new Set(outcome.refused)], ['storage-failure']);
  assert.equal(outcome.wrong, 0);
  assert.ok(outcome.packs > 1);
  assert.deepEqual([outcome.left, outcome.open], [0, 0]);
});

for (const [which, what] of [[1, 'made'], [2, 'opened once more, to be written through O_DSYNC']] as const) {
  test(`When a pack can not be ${what}, the sender hears of it, the next message is stored in another one, and neither file nor descriptor is left`, { skip: !hasStrace && 'strace is not installed' }, async (t) => {
    const directory = temporaryDirectory(t);
    const strace = ['-f', '-qq', '-o', join(directory, 'trace'), '-P', join(directory, 'packs', '00000001.pack'), '-e', 'trace=openat', '-e', `inject=openat:error=EMFILE:when=${String(which)}`];
    const outcome = outcomeOf(await promisify(execFile)('strace', [...strace, process.execPath, fullDisk, directory], { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } })); // each thread's calls are counted for themselves
    assert.deepEqual(outcome, { refused: ['storage-failure'], stored: 79, wrong: 0, packs: which, left: 0, open: 0 });
  });
}

test('Who brings more than the disk takes waits for it: memory does not fill with what was staged', async (t) => {
  const parts = openParts(t);
  const message = [sampleMessage('x', 200_000)];
  const atOnce = async function* (): AsyncGenerator<Buffer> {
    yield* await Promise.resolve(message); // no turn of the event loop, in which a write could end
  };
  const all: StagedBytes[] = [];
  for (let count = 1; count <= 40; count += 1) {
    all.push(await parts.packs.stage(atOnce(), options));
    const written = packFiles(parts).reduce((sum, name) => sum + statSync(join(parts.directory, 'packs', name)).size, 0);
    assert.ok(count * 200_000 - written < 1_400_000, `${String(written)} bytes of ${String(count)} messages are in the file`);
  }
  await Promise.all(all.map(async (staged) => staged.settled()));
  for (const staged of all) staged.done();
});

test('Of many sessions that bring messages at the same moment each finds its own', async (t) => {
  const { packs } = openParts(t);
  await (await packs.stage(inPieces(sampleMessage('first')), options)).settled(); // the pack is open
  const messages = Array.from({ length: 60 }, (_, number) => sampleMessage(`n${String(number)}`, 100 + number * 4000));
  const all = await Promise.all(messages.map(async (bytes) => packs.stage(inPieces(bytes, 2 ** 20), options)));
  await Promise.all(all.map(async (staged) => staged.settled()));
  for (const [number, { place }] of all.entries()) assert.ok((await packs.read(place, 0, place.length)).equals(messages[number] ?? Buffer.alloc(0)), String(number));
  assert.equal(new Set(all.map(({ place }) => place.pack)).size, 1, 'all in one pack');
});

test('A process is known by pid and start, so that another with its pid is not taken for it', () => {
  const self = thisProcess();
  assert.ok(isAlive(self));
  assert.ok(!isAlive(`${process.pid}:1`));
  assert.ok(!isAlive('4194303:12345'));
});

test('A pack whose writer commits a message and dies while somebody looks for dead packs is none of them', async (t) => {
  const { directory, environment, packs } = openParts(t);
  const staged = await packs.stage(inPieces(sampleMessage('x', 2000)), options);
  const table = environment.table('packs');
  const nobody = '4194304:1'; // a process that there can not be
  await environment.write(() => table.put([staged.place.pack], Buffer.from(JSON.stringify({ writer: nobody, liveBytes: 0, idleSinceMs: 0 }))));
  const early = environment.read(() => table.range({ from: [0], to: ['next'] }));
  await environment.write(() => packs.retain(staged.place));
  let looks = 0;
  const range: typeof table.range = (wanted) => (wanted.from[0] === 0 && (looks += 1) === 1 ? early : table.range(wanted));
  const seenEarly = new Proxy(table, { get: (target, key) => (key === 'range' ? range : bound(target, key)) });
  const late = openPacks(join(directory, 'packs'), { environment: new Proxy(environment, { get: (target, key) => (key === 'table' ? () => seenEarly : bound(target, key)) }) });
  t.after(async () => late.close());
  assert.equal(await late.removeDead(0), 0);
  assert.equal(looks, 2);
  assert.equal((await packs.read(staged.place, 0, 10)).length, 10);
});

function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === 'function' ? (...given: unknown[]): unknown => Reflect.apply(value, target, given) : value;
}
