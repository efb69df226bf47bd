/** The demo's data folder: made once, kept afterwards, and never taken over from something else. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { checkDataFolder, furnishDataFolder } from '../../../cluster-config/demo/data-folder.ts';
import { demoConfigText } from '../../../cluster-config/demo/config-text.ts';
import { startDemo } from '../../../cluster-config/demo/demo.ts';
import { demoLayout } from '../../../cluster-config/demo/layout.ts';
import type { DemoLayout } from '../../../cluster-config/demo/layout.ts';
import { checkLoopback, checkPorts } from '../../../cluster-config/demo/loopback-ports.ts';
import { parseConfig } from '../../../cluster-config/load.ts';
import { loadConfig } from '../../../cluster-config/command-line/load-config.ts';
import { lockFolder } from '../../../shared/base/folder-lock.ts';

async function emptyLayout(context: TestContext): Promise<DemoLayout> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-demo-'));
  context.after(async () => { await rm(folder, { recursive: true }); });
  return demoLayout(folder, 10_000);
}

const silent = (): void => undefined;

test('a second start changes nothing: not the certificates, not the secrets, not what the user edited', async (context) => {
  const layout = await emptyLayout(context);
  await furnishDataFolder(layout, silent);
  await loadConfig(layout.configFile);
  await writeFile(layout.configFile, '# edited\n');
  const kept = [layout.configFile, layout.directory.file, layout.files.cookieSecret, layout.files.authority.certificate, layout.files.node('be2').key];
  const before = await Promise.all(kept.map(async (file) => await readFile(file, 'utf8')));
  const said: string[] = [];
  await furnishDataFolder(layout, (text) => said.push(text));
  assert.deepEqual(await Promise.all(kept.map(async (file) => await readFile(file, 'utf8'))), before);
  assert.deepEqual(said, []);
});

test('what is lost is made again, signed by the same authority', async (context) => {
  const layout = await emptyLayout(context);
  await furnishDataFolder(layout, silent);
  const authority = await readFile(layout.files.authority.certificate, 'utf8');
  await rm(layout.files.node('fe1').certificate);
  const said: string[] = [];
  await furnishDataFolder(layout, (text) => said.push(text));
  assert.match(said.join(), /made 1 certificates/);
  assert.equal(await readFile(layout.files.authority.certificate, 'utf8'), authority);
});

test('keys and secrets are readable by their owner only', async (context) => {
  const layout = await emptyLayout(context);
  await furnishDataFolder(layout, silent);
  for (const file of [layout.files.authority.key, layout.files.node('fe1').key, layout.files.cookieSecret, layout.files.readerPassword, layout.directory.file]) {
    assert.equal((await stat(file)).mode & 0o077, 0, file);
  }
});

test('a folder that holds something else is refused, and one of another port base too', async (context) => {
  const layout = await emptyLayout(context);
  await checkDataFolder(layout);
  await writeFile(join(layout.folder, 'diary.txt'), '');
  await assert.rejects(checkDataFolder(layout), /holds something else \(diary\.txt\)/);
  await furnishDataFolder(layout, silent);
  await checkDataFolder(layout);
  await assert.rejects(checkDataFolder(demoLayout(layout.folder, 10_100)), /made with --port-base 10000/);
});

test('a port in use is named with what wanted it, before anything is made', async (context) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  context.after(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const layout = await emptyLayout(context);
  const config = parseConfig(demoConfigText(layout).replace('127.0.0.1:20110', `127.0.0.1:${port}`), layout.configFile);
  await assert.rejects(checkPorts(config, layout), new RegExp(`127\\.0\\.0\\.1:${port} +pop3Proxy of fe2`));
});

test('a configuration that listens beyond this machine is refused', async (context) => {
  const layout = await emptyLayout(context);
  const text = demoConfigText(layout);
  assert.throws(() => parseConfig(text.replace('127.0.0.1:10143', '0.0.0.0:10143'), layout.configFile), /loopbackOnly forbids/);
  const opened = parseConfig(text.replace('loopbackOnly: true ', 'loopbackOnly: false'), layout.configFile);
  assert.throws(() => { checkLoopback(opened); }, /this machine only/);
});

test('a folder in use by another running demo is refused', async (context) => {
  const layout = await emptyLayout(context);
  const lock = lockFolder(layout.folder, 'demo.lock');
  context.after(() => { lock.release(); });
  const demo = startDemo({ dataFolder: layout.folder, portBase: 10_000, say: silent });
  await assert.rejects(demo.started, /another demo runs on/);
});
