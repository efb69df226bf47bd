/** Drafts: places and values in a document whose comments stay, and a draft from its beginning to its commit into a file. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { checkText } from '../../../cluster-config/command-line/config-command.ts';
import { draftCheck, draftCommit, draftDiff, draftDiscard, draftNew, draftSet, draftShow } from '../../../cluster-config/command-line/draft-command.ts';
import { parsePlace, withoutValueAt, withValueAt } from '../../../cluster-config/publishing/draft.ts';
import { sample } from '../sample.ts';

test('a place is a path with names, indices and quoted names', () => {
  assert.deepEqual(parsePlace('nodes.be1.services.imap.listeners[0].address'), ['nodes', 'be1', 'services', 'imap', 'listeners', 0, 'address']);
  assert.deepEqual(parsePlace('cluster.catchAll["example.com"]'), ['cluster', 'catchAll', 'example.com']);
  assert.deepEqual(parsePlace('a[+]'), ['a', '+']);
  for (const bad of ['', 'a..b', 'a[', 'a[-1]', '.a', 'a]']) assert.throws(() => parsePlace(bad), /no place in a configuration/, bad);
});

test('edits keep comments and order; lists are gone into only where they are', () => {
  const text = '# first\na: 1 # one\nb:\n  - { x: 1 }\n  # last\n';
  assert.equal(withValueAt(text, parsePlace('a'), '2'), '# first\na: 2 # one\nb:\n  - { x: 1 }\n  # last\n');
  assert.equal(withValueAt(text, parsePlace('b[+]'), '{ x: 2 }'), '# first\na: 1 # one\nb:\n  - { x: 1 }\n  - { x: 2 }\n  # last\n');
  assert.equal(withValueAt(text, parsePlace('b[0].y'), 'no'), '# first\na: 1 # one\nb:\n  - { x: 1, y: no }\n  # last\n');
  assert.match(withValueAt(text, parsePlace('c.d.e'), '[1, 2]'), /^c: \{ "d": \{ "e": \[1, 2\] \} \}$/m);
  assert.match(withValueAt(text, parsePlace('b'), '[]'), /^# first\na: 1 # one\nb:\n? +\[\]\n/);
  assert.equal(withoutValueAt(text, parsePlace('a')), '# first\nb:\n  - { x: 1 }\n  # last\n');
  assert.doesNotMatch(withoutValueAt(text, parsePlace('b[0]')), /x: 1/);
  for (const place of ['a.b', 'b[7].x', 'b[7]']) assert.throws(() => withValueAt(text, parsePlace(place), '1'), /nothing can be put at/, place);
  assert.throws(() => withoutValueAt(text, parsePlace('z')), /there is nothing at this place/);
  assert.throws(() => withValueAt(text, parsePlace('a'), '{ broken'), /is no YAML/);
});

test('a draft of a file: begun, edited, checked, compared, committed; refused when the file was changed meanwhile', async (context) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'draft-'));
  context.after(async () => fs.rm(folder, { recursive: true, force: true }));
  const config = path.join(folder, 'waybill.yaml');
  await fs.writeFile(config, sample, { mode: 0o640 });
  const options = { config, waitSeconds: '0' };
  const isIn = async (file: string, words: string): Promise<boolean> => (await fs.readFile(file, 'utf8')).includes(words);
  await assert.rejects(draftShow(options), /there is no draft/);
  await draftNew(options);
  await assert.rejects(draftNew(options), /there is a draft already/);
  assert.match(await draftSet('cluster.workers', 'many', options), /^\+ {2}workers: many$[^]*not good yet:\n.*waybill\.yaml\.draft:\d+:\d+: cluster\.workers/m);
  await assert.rejects(draftCheck(options), /cluster\.workers/);
  await assert.rejects(draftCommit(options, () => undefined), /cluster\.workers/);
  assert.doesNotMatch(await draftSet('cluster.workers', '7', options), /not good/);
  assert.match(await draftCheck(options), /is good/);
  assert.match(await draftDiff(options), /^\+ {2}workers: 7$/m);
  assert.equal(await isIn(config, 'workers: 7'), false);
  const said: string[] = [];
  assert.equal(await draftCommit(options, (text) => said.push(text)), 0);
  assert.ok(await isIn(config, 'workers: 7'));
  assert.equal((await fs.stat(config)).mode & 0o777, 0o640);
  const before = path.join(folder, 'before.yaml');
  await fs.writeFile(before, sample.replace('[mail/one, mail/two]', '[mail/one]'));
  assert.match(await checkText(config, { against: before }, () => undefined), /is good: [^]*\nbe1: storage\.directories only after "waybill node restart be1"$/);
  await draftNew(options);
  await draftSet('cluster.workers', '8', options);
  await fs.appendFile(config, '# by somebody else\n');
  await assert.rejects(draftCommit(options, () => undefined), /was changed since the draft was begun/);
  assert.ok(await isIn(config, '# by somebody else') && await isIn(config, 'workers: 7'));
  await draftDiscard(options);
  await assert.rejects(draftShow(options), /there is no draft/);
});
