/** Log files that several processes write: nothing is lost at the end or by rotation, old files go, a full disk stops nobody. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { awayFiles, keepLogFiles } from '../../../shared/log/rotation.ts';
import type { KeptFile } from '../../../shared/log/rotation.ts';
import { run } from '../../harness/programs.ts';

const writer = path.resolve(import.meta.dirname, 'log-writer.ts');
let folder: string;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-log-'));
});
after(() => fs.rmSync(folder, { recursive: true }));

async function write(file: string, name: string, lines: number): Promise<{ readonly writes: number; readonly lost: number }> {
  const { code, output, complaint } = await run(process.execPath, [writer, file, name, String(lines)]);
  assert.equal(code, 0, complaint);
  return JSON.parse(output) as { writes: number; lost: number };
}

const kept = (file: string, more: Partial<KeptFile>): KeptFile => ({ file, rotateBytes: 0, rotateMs: 0, keepFiles: 0, keepMs: 0, compress: 'gzip', ...more });

test('two processes write, the file is put away and compressed meanwhile: every line is there once, and few writes were needed', async () => {
  const file = path.join(folder, 'busy.log');
  const complaints: unknown[] = [];
  const end = keepLogFiles(() => [kept(file, { rotateBytes: 30_000 })], (error) => complaints.push(error), { lookEveryMs: 100, settleMs: 2500 });
  const said = await Promise.all(['one', 'two'].map(async (name) => write(file, name, 20_000)));
  const deadline = Date.now() + 45_000;
  while ((await awayFiles(file)).some(({ form }) => form !== 'gzip')) {
    assert.ok(Date.now() < deadline, 'compressed in time');
    await sleep(100);
  }
  end();
  assert.deepEqual(complaints, []);
  const away = await awayFiles(file);
  assert.ok(away.length >= 1, 'was put away');
  const texts = [...away.map((one) => gunzipSync(fs.readFileSync(one.path)).toString()), fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''];
  const lines = texts.join('').trimEnd().split('\n').map((line) => JSON.parse(line) as { host: string; line: number });
  assert.equal(new Set(lines.map(({ host, line }) => `${host} ${String(line)}`)).size, 40_002);
  assert.equal(lines.length, 40_002);
  for (const { writes, lost } of said) assert.ok(lost === 0 && writes < 2000, `${String(writes)} writes for 20000 lines`);
});

test('of the files put away so many and so young ones are kept as was asked for', async () => {
  const file = path.join(folder, 'old.log');
  const name = (daysAgo: number): string => `${file}.${new Date(Date.now() - daysAgo * 86_400_000).toISOString().replace(/[:.]/g, '-')}`;
  for (const days of [1, 2, 3, 9]) fs.writeFileSync(name(days), 'x\n');
  fs.writeFileSync(`${file}.notes`, 'not ours');
  const times = { lookEveryMs: 20, settleMs: 0 };
  const until = async (files: KeptFile, count: number): Promise<void> => {
    const end = keepLogFiles(() => [files], (error) => assert.fail(String(error)), times);
    for (let turn = 0; turn < 500 && (await awayFiles(file)).length !== count; turn += 1) await sleep(20);
    end();
    await sleep(50); // a look that is under way
    assert.equal((await awayFiles(file)).length, count);
  };
  await until(kept(file, { keepMs: 5 * 86_400_000, compress: 'no' }), 3);
  await until(kept(file, { keepFiles: 2, compress: 'no' }), 2);
  assert.ok(fs.existsSync(`${file}.notes`));
});

test('a disk that takes nothing costs lines, which are counted, and nothing else', async () => {
  const { lost } = await write('/dev/full', 'full', 2000);
  assert.ok(lost >= 500);
});
