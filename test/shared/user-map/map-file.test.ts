import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../../shared/base/failure.ts';
import { parseMapFile } from '../../../shared/user-map/map-file.ts';
import { createUserMaps } from '../../../shared/user-map/user-maps.ts';
import { keepingLog } from '../../harness/people.ts';

test('single addresses go before expressions, expressions in the order of the file', () => {
  const { map, faults } = parseMapFile([
    '\uFEFF# who lives where', '', '/.*@example\\.com/  be2', 'Alice@Example.com be1', '/(bob|carol)@example\\.org/ old.example.net:1143 # legacy', '/.*@example\\.org/ [2001:db8::1]:143\r',
  ].join('\n'));
  assert.deepEqual(faults, []);
  assert.deepEqual(map.find('alice@example.com'), { host: 'be1', by: 'address' });
  assert.deepEqual(map.find('dave@example.com'), { host: 'be2', by: 'pattern' });
  assert.deepEqual(map.find('bob@example.org'), { host: 'old.example.net:1143', by: 'pattern' });
  assert.deepEqual(map.find('xbob@example.org'), { host: '[2001:db8::1]:143', by: 'pattern' }, 'an expression must match the whole address');
  assert.equal(map.find('dave@example.net'), undefined);
});

test('every bad line is named', () => {
  const { faults } = parseMapFile(['alice be1', 'a@b', 'a@b be1:99999', 'a@b be1:0', '/(/ be1', 'a@b be1', 'A@B be2', 'a@c be1 x', 'a@d be_1!'].join('\n'));
  assert.deepEqual(faults.map(({ line }) => line), [1, 2, 3, 4, 5, 7, 8, 9]);
});

test('a changed file is used soon; a faulty one leaves the last good map; an absent one is an outage', async (context) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'map-'));
  context.after(async () => { await fs.rm(folder, { recursive: true, force: true }); });
  const file = path.join(folder, 'map');
  const { log, lines } = keepingLog();
  const maps = createUserMaps({ maps: [{ kind: 'localFile', name: 'local', path: file }], log });
  const host = async (): Promise<string | undefined> => (await maps.lookUp('Alice@example.com'))?.mailHost;
  await assert.rejects(host(), (error) => isFailure(error, 'directory-unavailable'));
  await fs.writeFile(file, 'alice@example.com be1\n');
  await sleep(300);
  assert.equal(await host(), 'be1');
  await fs.writeFile(file, 'alice@example.com be2\nnonsense\n');
  await sleep(300);
  assert.equal(await host(), 'be1');
  assert.deepEqual(lines.find((line) => 'faults' in line)?.['faults'], [{ line: 2, problem: 'not of the form "address host" or "/expression/ host"' }]);
  await fs.writeFile(file, 'alice@example.com be2\n');
  await sleep(300);
  assert.equal(await host(), 'be2');
  await fs.rm(file);
  await sleep(300);
  assert.equal(await host(), 'be2');
  const entry = await maps.lookUp('alice@example.com');
  assert.ok(entry !== undefined);
  assert.equal(await maps.authenticate(entry, 'anything'), 'refused');
});
