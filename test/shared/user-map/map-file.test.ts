import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../../shared/base/failure.ts';
import fc from 'fast-check';
import { SlowExpression, parseMapFile } from '../../../shared/user-map/map-file.ts';
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

test('an expression that backtracks without end is stopped and named, and other users are found meanwhile', async () => {
  const { map, faults } = parseMapFile('alice@example.com be1\n/.*@example\\.org/ be2\n# next\n/(a+)+b@example\\.com/ be1\n');
  assert.deepEqual(faults, []);
  const slow = (error: unknown): boolean => error instanceof SlowExpression && error.line === 4;
  const begun = performance.now();
  assert.throws(() => map.find(`${'a'.repeat(60)}@example.com`), slow);
  assert.ok(performance.now() - begun < 2000);
  // For a moment it costs nobody any more time, and a single address never does.
  const again = performance.now();
  for (let count = 0; count < 100; count += 1) assert.throws(() => map.find(`${'a'.repeat(61)}@example.com`), slow);
  assert.ok(performance.now() - again < 1000, 'five tries would take longer');
  assert.deepEqual(map.find('alice@example.com'), { host: 'be1', by: 'address' });
  await sleep(2100);
  assert.deepEqual(map.find('bob@example.org'), { host: 'be2', by: 'pattern' });
  assert.deepEqual(map.find('aab@example.com'), { host: 'be1', by: 'pattern' });
});

/** On a machine that is busy elsewhere any expression may take too long. */
function unlessSlow<Found>(find: () => Found): Found | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof SlowExpression) return undefined;
    throw error;
  }
}

test('any text is read, and every line is a host, a fault, or nothing', () => {
  const piece = fc.constantFrom('alice@example.com', 'be1', 'be1:143', ' ', '\t', '\n', '\r\n', '/', '/.*/', '/(/', '/[a-]@x/', '\\', '#', ':', '[::1]:1', '@', 'a@b', '\0', '\uFEFF', '\u2028', 'ß@x', '/\\p{L}+@x/', '/(?<n>a)\\k<n>/');
  fc.assert(fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: piece }, fc.string({ maxLength: 5 })), { maxLength: 40 }).map((pieces) => pieces.join('')), (text) => {
    const { faults, map } = parseMapFile(text);
    const count = text.split(/\r?\n/).length;
    for (const { line, problem } of faults) assert.ok(line >= 1 && line <= count && problem !== '');
    const found = unlessSlow(() => map.find('alice@example.com'));
    assert.ok(found === undefined || /^\S+$/.test(found.host));
  }), { numRuns: 2000 });
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
