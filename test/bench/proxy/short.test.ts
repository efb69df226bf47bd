/** The short form of `npm run bench -- proxy`: all of it works, and its JSON and its table are whole. What it measures says nothing. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { cellIds } from './cell-list.ts';
import { tableOf } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { targets } from './targets.ts';

test('a short run of the proxy bench measures every server in every cell, judges every target and profiles the front-end', { timeout: 220_000 }, async (t) => {
  // Rejects, with all that was said, when a cell failed.
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=DEP0060', join(import.meta.dirname, '..', 'bench.ts'), 'proxy', '--short', '--json'], { maxBuffer: 16_000_000, signal: t.signal });
  const outcome = JSON.parse(stdout) as Outcome;
  assert.deepEqual(outcome.cells.map(({ id }) => id), cellIds);
  assert.deepEqual(new Set([...targets.map(({ cell }) => cell), 'directory']), new Set(cellIds));
  for (const { title, figures } of outcome.cells) {
    assert.ok(Object.keys(figures).length >= 2, `${title}: nobody beside us`);
    for (const [server, [first]] of Object.entries(figures)) {
      assert.ok(first !== undefined, `${title}: ${server} was not measured`);
      for (const [unit, value] of Object.entries(first)) assert.ok(Number.isFinite(value), `${title}: ${server}, ${unit}`);
      assert.equal(first['sessions held'] ?? outcome.sessions, outcome.sessions, `${title}: ${server}`);
    }
  }
  assert.deepEqual(outcome.verdicts.map(({ says }) => says), targets.map(({ says }) => says));
  const [[, groups = {}] = []] = Object.entries(outcome.times);
  assert.ok(Object.keys(groups).length > 3, 'where the time goes is known by several groups');
  const table = tableOf(outcome);
  for (const { title, figures } of outcome.cells) {
    const part = table.slice(table.indexOf(`## ${title}`)).split('\n\n')[0] ?? '';
    for (const server of Object.keys(figures)) assert.ok(part.includes(`\n${server} `), `the table of ${title} lacks ${server}`);
  }
  for (const { says } of targets) assert.match(table, new RegExp(`^(?:reached|MISSED ) .* ${says.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm'));
  assert.doesNotMatch(table, /NaN|undefined|does not serve/);
});
