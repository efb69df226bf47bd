/** An index that is made as small as what is in it (`waybill storage compact --index`), with lost pages and on a full disk. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { storageTables } from '../../../backend/storage/keys.ts';
import { keysUnder, shrinkIndex } from '../../../backend/storage/storage.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { createLog } from '../../../shared/log/log.ts';
import { SmallDisk, smallDiskProblem } from '../../harness/small-disk.ts';
import { check, filled, inStorage, liveOf } from './filled-storage.ts';
import { mailboxOf, temporaryDirectory } from './harness.ts';

/** As a commit whose flush failed may leave it (docs/decisions/storage.md, "Repair, compaction, storages that come and go"): the file ends with pages that are neither in use nor free. */
function losePages(directory: string, pages: number): void {
  const file = join(directory, 'index', 'data.mdb');
  const bytes = readFileSync(file);
  for (const meta of [0, 4096]) {
    const at = bytes.indexOf(Buffer.from([0xde, 0xc0, 0xef, 0xbe]), meta) + lastPageAt;
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) + BigInt(pages), at);
  }
  writeFileSync(file, bytes);
  truncateSync(file, bytes.length + pages * 4096);
}

/** From the magic number of a meta page: that and the version, address, size of the map, and two records of tables (`MDB_meta` of LMDB's mdb.c). */
const lastPageAt = 8 + 8 + 8 + 2 * 48;

test('An index is made as small as what is in it, also one that has lost pages; of these a check says in the log that they are there, and what gets them back', async (t) => {
  const directory = await filled(t);
  await inStorage(directory, async (storage) => {
    await mailboxOf(liveOf(storage, 'alice@example.com')).expunge([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
  const first = await shrinkIndex(directory);
  assert.ok(first.after < first.before, JSON.stringify(first));
  losePages(directory, 500);
  const told: unknown[][] = [];
  const listening = Object.assign(createLog({ node: 'be1', level: 'silent' }), { warn: (...words: unknown[]) => told.push(words) });
  const known = await inStorage(directory, async (storage) => {
    assert.deepEqual(await check(storage), []);
    return storage.care.folders()[0]?.environment.read(() => storageTables.map((name) => storage.care.folders()[0]?.environment.table(name).range(keysUnder([]))));
  }, { log: listening });
  assert.equal(told.length, 1);
  assert.match(String(told[0]?.[1]), new RegExp(`neither in use nor free.*waybill storage compact --index ${directory} `));
  told.length = 0;
  const second = await shrinkIndex(directory);
  assert.ok(second.before > first.after + 500 * 4096 && second.after <= first.after, JSON.stringify([first, second]));
  await inStorage(directory, async (storage) => {
    assert.deepEqual(await check(storage), []);
    assert.equal(mailboxOf(liveOf(storage, 'zoe@example.com')).rows().length, 13);
    assert.deepEqual(storageTables.map((name) => storage.care.folders()[0]?.environment.table(name).range(keysUnder([]))), known);
  }, { log: listening });
  assert.deepEqual(told, [], 'they are gone');
});

test('Where there is no room for a smaller copy of an index, that is said before anything is written; as much as was said is enough, also where pages are lost', { skip: smallDiskProblem() }, async (t) => {
  const opening = 16_384; // what the files of its locks grow by
  for (const state of ['sound', 'with lost pages'] as const) {
    const directory = await filled(t);
    if (state === 'with lost pages') losePages(directory, 3000);
    const disk = new SmallDisk(join(temporaryDirectory(t), 'disk'), 65_536);
    const storage = join(disk.folder, 'storage');
    cpSync(directory, storage, { recursive: true });
    disk.fill();
    const names = readdirSync(storage);
    const needed = async (): Promise<number> => {
      const refused: unknown = await shrinkIndex(storage).catch((error: unknown) => error);
      assert.ok(refused instanceof Failure && refused.kind === 'storage-full', String(refused));
      assert.deepEqual(readdirSync(storage), names, 'nothing is left');
      return Number(/needs (\d+) bytes/.exec(refused.message)?.[1]) + opening;
    };
    try {
      disk.leave(await needed());
      if (state === 'with lost pages') disk.leave(await needed());
      const { before, after } = await shrinkIndex(storage);
      assert.ok(after < before, JSON.stringify([before, after]));
    } finally {
      disk.remove();
    }
  }
});
