/**
 * The short form of `npm run bench -- store`: all of it works, and its JSON and its table are whole. What it measures says nothing. Servers of their own
 * (memory, flushes, a slow disk) and the profile take most of the time: they have their turn with WAYBILL_LONG_TESTS=1.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { cellsOf } from './cell-list.ts';
import { tableOf } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { specialIds } from './special.ts';

const isLong = process.env['WAYBILL_LONG_TESTS'] === '1';
const shared = cellsOf({ bigMailbox: 1, connections: 1 }).map(({ id }) => id);

test('a short run of the store bench measures every server in every cell and judges each', { timeout: 400_000 }, async (t) => {
  const words = ['store', '--short', '--floor', '--json', ...(isLong ? [] : ['--only', shared.join()])];
  // Rejects, with all that was said, when a cell failed: also when servers answer a question in different ways.
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=DEP0060', join(import.meta.dirname, '..', 'bench.ts'), ...words], { maxBuffer: 16_000_000, signal: t.signal });
  const outcome = JSON.parse(stdout) as Outcome;
  const own: readonly string[] = isLong ? specialIds : [];
  assert.deepEqual(outcome.cells.map(({ id }) => id), [...shared, ...own]);
  for (const { id, title, figures } of outcome.cells) {
    assert.deepEqual(Object.keys(figures), serversOf(id), title);
    for (const [server, [first]] of Object.entries(figures)) {
      assert.ok(first !== undefined, `${title}: ${server} was not measured`);
      for (const [unit, value] of Object.entries(first)) assert.ok(Number.isFinite(value), `${title}: ${server}, ${unit}`);
    }
  }
  const judged = outcome.verdicts.filter(({ says }) => says.endsWith('beside the better Dovecot')).length;
  const ofOwn = outcome.cells.filter(({ id }) => own.includes(id) && id !== 'search-indexed-big').flatMap(({ figures }) => Object.keys(figures['Waybill']?.[0] ?? {})).filter((unit) => unit.includes('/s,'));
  assert.equal(judged, shared.length + ofOwn.length);
  if (isLong) checkFlushesAndTimes(outcome);
  const table = tableOf(outcome);
  for (const { title } of outcome.cells) assert.ok(table.includes(`\n## ${title}\nWaybill `), `the table lacks ${title}`);
  for (const { says } of outcome.verdicts) assert.ok(table.includes(` ${says}\n`), `the table lacks ${says}`);
  assert.doesNotMatch(table, /NaN|undefined|does not serve/);
});

function serversOf(cell: string): readonly string[] {
  if (cell === 'search-indexed-middle') return ['Waybill', 'Dovecot sdbox with Xapian'];
  if (cell === 'search-indexed-big') return ['Waybill'];
  if (cell === 'deliveries-indexed') return ['Waybill', 'Waybill without index'];
  const bare = /^(?:lmtp|append|store)-/.test(cell) ? ['Bare Node', 'Bare Node with LMDB', ...(cell.startsWith('store-') ? ['Bare Node, not flushed'] : [])] : cell === 'open-big' ? ['Bare Node'] : [];
  return ['Waybill', 'Dovecot sdbox', 'Dovecot maildir', ...bare];
}

function checkFlushesAndTimes({ cells, times }: Outcome): void {
  const [flushes] = cells.find(({ id }) => id === 'flushes')?.figures['Waybill'] ?? [];
  assert.ok((flushes?.['flushes/delivery, alone'] ?? 0) >= 2, 'what is acknowledged was flushed: bytes and index');
  const [groups = {}] = Object.values(times);
  assert.ok(Object.keys(groups).length > 3, 'where the time goes is known by several groups');
}
