/** Who is taken for one that hangs: what the system tells of a silent worker decides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sightOf } from '../../../shared/base/process-sight.ts';
import { signOfLife, whySpared } from '../../../shared/service/signs-of-life.ts';

test('a silent worker hangs when it loops, sleeps or was stopped, not when it waits for a disk, is looked at, or hardly had the processor', () => {
  const last = signOfLife();
  const now = sightOf(process.pid) ?? assert.fail();
  assert.deepEqual([last.debugger, now.state, now.tracer], ['none', 'R', 'none']);
  const silence = { last, now, processorMs: 10_000, silenceMs: 30_000 };
  const asleep = { ...silence, now: { ...now, state: 'S' }, processorMs: 0 };
  for (const hanging of [silence, asleep, { ...asleep, now: { ...now, state: 'T' } }, { ...silence, now: undefined, processorMs: undefined }]) assert.equal(whySpared(hanging), undefined);
  assert.match(whySpared({ ...silence, processorMs: 9990 }) ?? '', /hardly had the processor/);
  assert.match(whySpared({ ...asleep, now: { ...now, state: 'D' } }) ?? '', /disk/);
  assert.match(whySpared({ ...asleep, now: { ...now, tracer: 'traced' } }) ?? '', /traces/);
  assert.match(whySpared({ ...asleep, last: { ...last, debugger: 'listens' } }) ?? '', /debugger/);
});
