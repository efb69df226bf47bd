/** Files of users against a directory, whole and in parts as the admin API gets them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partsOf } from '../../cluster-config/command-line/user-file-parts.ts';
import type { ListedEntry } from '../../cluster-config/directory-listing.ts';
import type { NodeEntry } from '../../cluster-config/effective.ts';
import { changesOf, compareUsers, formatOf, leaveHost, userFile } from '../../cluster-config/user-files.ts';
import type { UserFile } from '../../cluster-config/user-files.ts';

const names = { address: 'mail', alias: 'mailLocalAddress', host: 'mailHost' };
const nodes = Object.fromEntries(['be1', 'be2'].map((name): [string, NodeEntry] => [name, { name, role: 'backend', host: `${name}.example.com`, endpoints: {} } as NodeEntry]));
const entries = Array.from({ length: 40 }, (_, index): ListedEntry => ({
  dn: `uid=ü${String(index)},dc=example,dc=com`, addresses: [`u${String(index)}@example.com`, `alias${String(index)}@example.com`], mailHost: 'be1', needsHost: 'yes', domains: undefined, names,
}));
const whole = (text: string): UserFile => ({ format: formatOf(text), text, firstLine: 1 });

test('parts of a file are each as long as is allowed at most, and together say what the whole says, in both formats', async () => {
  for (const format of ['csv', 'ldif'] as const) {
    const text = userFile(format, entries).replaceAll('be1', 'be2');
    const parts = partsOf({ format, text }, 300);
    assert.ok(parts.length > 5 && parts.every((part) => Buffer.byteLength(part.text) <= 300));
    assert.equal(parts.map((part) => part.text).join(''), text);
    const told = async (file: UserFile): Promise<readonly string[]> => (await changesOf(compareUsers({ nodes }, entries, file).pairs, leaveHost)).told;
    assert.deepEqual((await Promise.all(parts.map(told))).flat(), await told(whole(text)));
    assert.equal((await told(whole(text))).length, entries.length);
  }
});

test('mistakes are told by their line in the whole file, or by the name of the entry', () => {
  const mistakes = (text: string): unknown => partsOf(whole(text), 200).flatMap((part) => compareUsers({ nodes }, entries, part).mistakes);
  const lines = userFile('csv', entries).split('\n');
  lines.splice(20, 0, 'nobody@example.com,be1,', 'u3@example.com,be7,');
  assert.deepEqual(mistakes(lines.join('\n')), [{ where: 'line 21', what: 'no entry has the address "nobody@example.com"' }, { where: 'line 22', what: '"be7" is no node of this cluster' }]);
  const ldif = userFile('ldif', entries);
  const at = ldif.split('\n').indexOf('mail: u17@example.com') + 1;
  assert.deepEqual(mistakes(ldif.replace('mail: u17@', 'mail u17@')), [{ where: `line ${String(at)}`, what: 'not of the form "name: value"' }]);
  assert.deepEqual(mistakes(ldif.replace('u17@', 'v17@')), [{ where: 'uid=ü17,dc=example,dc=com', what: 'no entry has the address "v17@example.com"' }]);
});

test('a single line or record that is too long is refused by its number', () => {
  assert.throws(() => partsOf(whole(`a@b,be1,\n${'x'.repeat(300)},be1,\n`), 200), /^UsageError: line 2: more than 200 bytes|line 2: more than 200 bytes/);
  assert.deepEqual(partsOf(whole(''), 200), []);
});
