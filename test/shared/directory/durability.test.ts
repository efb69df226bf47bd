import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fsDefault, * as fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { mock, test } from 'node:test';
import type { TestContext } from 'node:test';
import { entryFromRecord, treeKey } from '../../../shared/directory/entry.ts';
import { loadTree, saveTree } from '../../../shared/directory/entry-file.ts';
import { parseLdif } from '../../../shared/directory/ldif.ts';
import { startEmbeddedDirectory } from '../../harness/embedded-directory.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import { directoryLdif, peoplesPassword } from '../../harness/people.ts';
import { slapdBase } from '../../harness/slapd.ts';

const admin = [slapdBase.adminDn, slapdBase.adminPassword] as const;
const newUser = (name: string): string => [
  `dn: uid=${name},ou=people,dc=example,dc=com`, 'objectClass: inetOrgPerson', `uid: ${name}`, `cn: ${name}`, `sn: ${name}`, `description: ${'x'.repeat(300)}`, '',
].join('\n');

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'durability-'));
  context.after(async () => { await fs.rm(folder, { recursive: true, force: true }); });
  return folder;
}

test('content is synced before the rename and the folder after it, all before the change counts as made', async (context) => {
  const file = path.join(await temporaryFolder(context), 'directory.ldif');
  const done: string[] = [];
  const handle = await fs.open(file, 'w');
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const { sync, writeFile } = prototype;
  mock.method(prototype, 'writeFile', async function write(this: typeof handle, ...parameters: Parameters<typeof writeFile>) {
    await writeFile.apply(this, parameters);
    done.push('written');
  });
  mock.method(prototype, 'sync', async function syncAndTell(this: typeof handle) {
    await sync.call(this);
    done.push((await this.stat()).isDirectory() ? 'folder synced' : 'file synced');
  });
  const { rename } = fsDefault;
  mock.method(fsDefault, 'rename', async (...parameters: Parameters<typeof rename>) => {
    await rename(...parameters);
    done.push('renamed');
  });
  syncBuiltinESMExports();
  context.after(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
  });
  const tree = new Map(parseLdif(directoryLdif([{ name: 'alice' }])).map(entryFromRecord).map((entry) => [treeKey(entry.dn), entry]));
  await saveTree(file, tree);
  assert.deepEqual(done, ['written', 'file synced', 'renamed', 'folder synced']);
  assert.deepEqual(await loadTree(file), tree);
});

test('killed at any moment, the directory has every change it answered with success, and its file is whole', async (context) => {
  const file = path.join(await temporaryFolder(context), 'directory.ldif');
  await fs.writeFile(file, directoryLdif(Array.from({ length: 300 }, (_, index) => ({ name: `someone${String(index)}` }))));
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'directory-process.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(child.stdout, 'data') as [Buffer];
    const uri = `ldap://127.0.0.1:${line.toString().trim()}`;
    const names = Array.from({ length: 400 }, (_, index) => `user${String(round)}x${String(index)}`);
    const adding = runTool('ldapadd', { uri, as: admin, input: names.map(newUser).join('\n') });
    setTimeout(() => child.kill('SIGKILL'), 400 + round * 150);
    const { output } = await adding;
    // ldapadd says what it tries; the last one was not acknowledged.
    acknowledged.push(...[...output.matchAll(/"uid=(user\w+),/g)].map((match) => match[1] ?? '').slice(0, -1));
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  const tree = await loadTree(file);
  assert.ok(acknowledged.length > 5, `only ${String(acknowledged.length)} changes were made`);
  for (const name of acknowledged) assert.ok(tree.has(`uid=${name},ou=people,dc=example,dc=com`), name);
  assert.ok(tree.size >= 302 + acknowledged.length && tree.size <= 302 + acknowledged.length + 3);
});

test('clear-text passwords found in the file are hashed before the directory answers, and still hold', async () => {
  const directory = await startEmbeddedDirectory({ ldif: directoryLdif([{ name: 'alice' }]) });
  try {
    const text = await fs.readFile(directory.file, 'utf8');
    assert.doesNotMatch(text, new RegExp(peoplesPassword));
    assert.match(text, /userPassword: \{SSHA512\}/);
    assert.equal((await fs.stat(directory.file)).mode & 0o077, 0, 'nobody else may read the file');
    assert.equal((await runTool('ldapwhoami', { uri: directory.uri, as: ['uid=alice,ou=people,dc=example,dc=com', peoplesPassword] })).code, 0);
    const added = `${newUser('dave')}userPassword: {SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3\n`;
    assert.equal((await runTool('ldapadd', { uri: directory.uri, as: admin, input: added })).code, 0);
    assert.match(await fs.readFile(directory.file, 'utf8'), /\{SSHA\}DkMTwBl\+a/, 'a hashed value is kept as it is');
    assert.equal((await runTool('ldapwhoami', { uri: directory.uri, as: ['uid=dave,ou=people,dc=example,dc=com', 'secret'] })).code, 0);
  } finally {
    await directory.stop();
  }
});

test('a change that can\'t be brought to the disk is refused and not seen', async () => {
  const directory = await startEmbeddedDirectory({ ldif: directoryLdif([{ name: 'alice' }]) });
  try {
    await fs.mkdir(`${directory.file}.new`); // in the way of the new file
    assert.equal((await runTool('ldapadd', { uri: directory.uri, as: admin, input: newUser('dave') })).code, 80);
    assert.equal((await runTool('ldapsearch', { uri: directory.uri, parameters: ['-LLL', '-b', 'dc=example,dc=com', '(uid=dave)', '1.1'] })).output.trim(), '');
    await fs.rmdir(`${directory.file}.new`);
    assert.equal((await runTool('ldapadd', { uri: directory.uri, as: admin, input: newUser('dave') })).code, 0);
  } finally {
    await directory.stop();
  }
});

test('a file that somebody edits while the directory runs is not written over', async () => {
  const directory = await startEmbeddedDirectory({ ldif: directoryLdif([{ name: 'alice' }]) });
  try {
    await fs.appendFile(directory.file, '\ndn: cn=hand,dc=example,dc=com\nobjectClass: top\ncn: hand\n');
    assert.equal((await runTool('ldapadd', { uri: directory.uri, as: admin, input: newUser('dave') })).code, 80);
    assert.match(await fs.readFile(directory.file, 'utf8'), /cn: hand/);
  } finally {
    await directory.stop();
  }
});

for (const [content, complaint] of [['nonsense\n', /line 1/], ['dn: nonsense\nobjectClass: x\n', /not a distinguished name/], ['dn: cn=a\ncn: a\n\ndn: CN=A\ncn: a\n', /twice/]] as const) {
  test(`a file that can't be understood (${JSON.stringify(content)}) stops the start and stays as it is`, async (context) => {
    const file = path.join(await temporaryFolder(context), 'directory.ldif');
    await fs.writeFile(file, content);
    await assert.rejects(loadTree(file), complaint);
    assert.equal(await fs.readFile(file, 'utf8'), content);
  });
}
