/** The watched file: a good edit is handed on, a bad one is refused with the reason while the old version stays. */
import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { watchConfig } from '../../cluster-config/file-source.ts';
import type { ConfigWatch } from '../../cluster-config/file-source.ts';
import { sample, sampleWith } from './sample.ts';

const changed = sampleWith('drainSeconds: 20', 'drainSeconds: 21');
const bad = sampleWith('drainSeconds: 20', 'drainSecond: 21');

interface Watched {
  readonly file: string;
  readonly watch: ConfigWatch;
  readonly applied: string[];
  readonly logged: string[];
}

async function watched(context: TestContext, apply: (text: string) => Promise<void> = async () => undefined): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-config-'));
  const file = join(folder, 'waybill.yaml');
  await writeFile(file, sample);
  const applied: string[] = [];
  const logged: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  const watch = watchConfig(file, {
    initialText: sample,
    log,
    onVersion: async (text) => {
      await apply(text);
      applied.push(text);
    },
  });
  context.after(async () => {
    watch.close();
    await rm(folder, { recursive: true });
  });
  return { file, watch, applied, logged };
}

/** Waits until the condition holds; fails after three seconds. */
async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 9_000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'it happens within three seconds');
    await delay(20);
  }
}

test('a good edit is handed on once, however often the file is touched', async (context) => {
  const { file, applied } = await watched(context);
  await writeFile(file, changed);
  await writeFile(file, changed);
  await until(() => applied.length > 0);
  await delay(400);
  assert.deepEqual(applied, [changed]);
});

test('a file that is replaced by renaming is noticed, again and again', async (context) => {
  const { file, applied } = await watched(context);
  for (const text of [changed, sample, changed]) {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
    await until(() => applied.at(-1) === text);
  }
  assert.deepEqual(applied, [changed, sample, changed]);
});

test('a bad edit is refused with its line and the reason, and the next good one is taken', async (context) => {
  const { file, applied, logged } = await watched(context);
  await writeFile(file, bad);
  await until(() => logged.some((line) => line.includes('refused')));
  assert.match(logged.join(''), /waybill\.yaml:16:3: frontends\.drainSecond: unknown key/);
  assert.deepEqual(applied, []);
  await writeFile(file, changed);
  await until(() => applied.length > 0);
  assert.deepEqual(applied, [changed]);
});

test('a bad edit that is taken back changes nothing', async (context) => {
  const { file, watch, applied, logged } = await watched(context);
  await writeFile(file, bad);
  await watch.lookNow();
  await writeFile(file, sample);
  await watch.lookNow();
  assert.deepEqual(applied, []);
  assert.match(logged.at(-1) ?? '', /again the one in use/);
});

test('a version that could not be applied is logged, and the one before counts as in use', async (context) => {
  const { file, watch, applied, logged } = await watched(context, async () => Promise.reject(new Error('port taken')));
  await writeFile(file, changed);
  await watch.lookNow();
  assert.match(logged.join(''), /port taken/);
  await writeFile(file, sample);
  await watch.lookNow();
  assert.deepEqual(applied, []);
});

test('a file that is gone for a moment leaves the version in use', async (context) => {
  const { file, watch, applied, logged } = await watched(context);
  await rm(file);
  await watch.lookNow();
  assert.match(logged.join(''), /missing/);
  await writeFile(file, changed);
  await watch.lookNow();
  assert.deepEqual(applied, [changed]);
});
