/** The pictures of the documents: each is there, is shown somewhere, and is small enough for a repository. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const mostBytes = 150_000;
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

test('every picture that a document shows is there, and every one that is there is shown', () => {
  const shown = globSync('{README.md,docs/**/*.md}', { cwd: root }).flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return [...text.matchAll(/!\[[^\]]+\]\((?<path>[^)]+)\)/g)].map((match) => normalize(join(dirname(file), match.groups?.['path'] ?? '')));
  });
  assert.deepEqual(globSync('docs/pictures/*', { cwd: root }).toSorted(), [...new Set(shown)].toSorted());
});

test('pictures are PNG files of 150 kB at most', () => {
  for (const file of globSync('docs/pictures/*', { cwd: root })) {
    const bytes = readFileSync(join(root, file));
    assert.ok(bytes.subarray(0, 8).equals(pngSignature), file);
    assert.ok(bytes.length <= mostBytes, `${file} has ${String(bytes.length)} bytes`);
  }
});
