/** The SSL random file is mixed in, never trusted alone, and an unreadable one is named. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRandomSource } from '../../../shared/tls/random.ts';

test('the same file gives different bytes each time: the system\'s randomness is always in', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-random-'));
  context.after(async () => { await rm(folder, { recursive: true }); });
  const file = join(folder, 'seed');
  await writeFile(file, 'not random at all');
  const [one, other] = await Promise.all([createRandomSource(file), createRandomSource(file)]);
  assert.equal(one(32).length, 32);
  assert.notDeepEqual(one(32), other(32));
  assert.notDeepEqual(one(32), one(32));
});

test('a device without an end can be the file', async () => {
  const source = await createRandomSource('/dev/urandom');
  assert.equal(source(64).length, 64);
});

test('a missing or empty file is an error that names it', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-random-'));
  context.after(async () => { await rm(folder, { recursive: true }); });
  const empty = join(folder, 'empty');
  await writeFile(empty, '');
  await assert.rejects(createRandomSource(empty), new RegExp(`${empty}.*empty`));
  await assert.rejects(createRandomSource(join(folder, 'missing')), /missing.*ENOENT/);
});
