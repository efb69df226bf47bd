/** The power-cut proof in its short form, and that it finds a build which doesn't keep the promise. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Dice } from './dice.ts';
import { describedTraces } from './flag-traces.ts';
import { cutPower } from './power-cut.ts';
import type { PowerCutReport, Work } from './power-cut.ts';
import { hardships, makeSpoiltBuild, spoilings } from './spoilt-build.ts';

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-power-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function cut(t: TestContext, build: { readonly copy?: string; readonly directory: string }, what: { readonly work: Work; readonly cuts: number }): Promise<PowerCutReport> {
  const seed = randomInt(2 ** 30);
  t.diagnostic(`seed ${seed}`);
  return cutPower({ ...build, ...what, dice: new Dice(seed) });
}

test('power is cut at any moment: a storage opened on what is left on the disk has all that was acknowledged', { timeout: 200_000 }, async (t) => {
  const report = await cut(t, { directory: temporary(t) }, { work: { of: 'mail', lanes: 4, actions: 25 }, cuts: 60 });
  assert.deepEqual(report.losses, []);
  assert.equal(report.acknowledged, 125);
  t.diagnostic(describedTraces(report.flagTraces));
  assert.ok(report.flagTraces.kept > 0, 'some changes of flags were kept beside the rows');
});

test('power is cut while mail is taken and delivered: a node started on what is left delivers each message exactly once', { timeout: 200_000 }, async (t) => {
  const report = await cut(t, { directory: temporary(t) }, { work: { of: 'queue', clients: 4, messages: 16 }, cuts: 16 });
  assert.deepEqual(report.losses, []);
  assert.equal(report.acknowledged, 16);
});

function buildIn(directory: string, changes: Parameters<typeof makeSpoiltBuild>[1]): { readonly copy: string; readonly directory: string } {
  const copy = join(directory, 'build');
  mkdirSync(copy);
  makeSpoiltBuild(copy, changes);
  return { copy, directory };
}

/** So often work is recorded at most until the cuts find something: which commits a fault strikes depends on how the machine runs, and once in some hundred recordings nothing showed it. */
const mostRecordings = 4;

for (const [fault, changes] of Object.entries(spoilings)) {
  test(`the proof finds a build in which ${fault}`, { timeout: 200_000 }, async (t) => {
    const { copy } = buildIn(temporary(t), changes);
    let found: readonly string[] = [];
    for (let turn = 0; turn < mostRecordings && found.length === 0; turn += 1) {
      const { losses, acknowledged } = await cut(t, { copy, directory: temporary(t) }, { work: { of: 'mail', lanes: 4, actions: 12 }, cuts: 24 });
      t.diagnostic(`${String(losses.length)} of 24: ${losses[0]?.slice(0, 500) ?? ''}`);
      assert.equal(acknowledged, 60, 'all work was done');
      found = losses;
    }
    assert.notEqual(found.length, 0);
  });
}

for (const [hardship, changes] of Object.entries(hardships)) {
  test(`nothing is lost, and nothing done twice, where ${hardship}`, { timeout: 200_000 }, async (t) => {
    const report = await cut(t, buildIn(temporary(t), changes), { work: { of: 'mail', lanes: 4, actions: 12 }, cuts: 24 });
    assert.deepEqual(report.losses, []);
    assert.equal(report.acknowledged, 60);
  });
}
