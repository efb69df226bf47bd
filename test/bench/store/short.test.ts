/** The short form of `npm run bench -- store`: all of it works, and its JSON and its table are whole. What it measures says nothing. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { cellsOf } from './cell-list.ts';
import { tableOf } from './outcome.ts';
import type { Outcome } from './outcome.ts';

test('a short run of the store bench measures every server in every cell, judges each and profiles the back-end', { timeout: 220_000 }, async (t) => {
  // Rejects, with all that was said, when a cell failed: also when servers answer a question in different ways.
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=DEP0060', join(import.meta.dirname, '..', 'bench.ts'), 'store', '--short', '--json'], { maxBuffer: 16_000_000, signal: t.signal });
  const outcome = JSON.parse(stdout) as Outcome;
  const cells = cellsOf(outcome);
  assert.deepEqual(outcome.cells.map(({ id }) => id), [...cells.map(({ id }) => id), 'memory-plain', 'memory-tls', 'flushes', 'slow-disk']);
  // What not everybody announces is compared only where he does.
  const optional = new Set(cells.filter(({ capability }) => capability !== undefined).map(({ id }) => id));
  for (const { id, title, figures } of outcome.cells) {
    assert.deepEqual(Object.keys(figures), ['Waybill', 'Dovecot sdbox', 'Dovecot maildir'], title);
    for (const [server, [first]] of Object.entries(figures)) {
      if (first === undefined && optional.has(id)) continue;
      assert.ok(first !== undefined, `${title}: ${server} was not measured`);
      for (const [unit, value] of Object.entries(first)) assert.ok(Number.isFinite(value), `${title}: ${server}, ${unit}`);
    }
  }
  const [flushes] = outcome.cells.find(({ id }) => id === 'flushes')?.figures['Waybill'] ?? [];
  assert.ok((flushes?.['flushes/delivery, alone'] ?? 0) >= 2, 'what is acknowledged was flushed: bytes and index');
  const judged = outcome.verdicts.filter(({ says }) => says.endsWith('beside the better Dovecot')).length;
  assert.ok(judged >= cells.length - optional.size + 4, `only ${String(judged)} rates were judged`);
  const [groups = {}] = Object.values(outcome.times);
  assert.ok(Object.keys(groups).length > 3, 'where the time goes is known by several groups');
  const table = tableOf(outcome);
  for (const { title } of outcome.cells) assert.ok(table.includes(`\n## ${title}\nWaybill `), `the table lacks ${title}`);
  for (const { says } of outcome.verdicts) assert.ok(table.includes(` ${says}\n`), `the table lacks ${says}`);
  assert.doesNotMatch(table, /NaN|undefined/);
});
