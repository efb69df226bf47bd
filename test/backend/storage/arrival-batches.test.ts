/** Group commit by itself: who is alone does not wait, those who come again together enter together, and nobody waits for long, but while the processor works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ArrivalBatches } from '../../../backend/storage/arrival-batches.ts';

test('Who is alone does not wait, and hears what became of the work', async () => {
  const batches = new ArrivalBatches();
  for (let round = 0; round < 3; round += 1) {
    let begun = false;
    const answer = batches.run(async () => {
      begun = true;
      await nextTurn();
      return round;
    });
    await nextTurn();
    assert.ok(begun, 'it begins before anything else can come in');
    assert.equal(await answer, round);
  }
  await assert.rejects(batches.run(async () => Promise.reject(new Error('refused'))), /refused/);
  assert.equal(await batches.run(async () => Promise.resolve('after a refusal')), 'after a refusal');
});

test('Senders that come again one after the other enter together, and one that stays away holds up nobody for long', async () => {
  const batches = new ArrivalBatches();
  const sizes: number[] = [];
  let members = 0;
  const work = async (): Promise<void> => {
    members += 1;
    const before = members;
    await new Promise((resolve) => setTimeout(resolve, 40)); // a disk that needs a while
    if (before === 1) sizes.push(members);
    members = 0;
  };
  const sender = async (turns: number): Promise<void> => {
    for (let turn = 0; turn < 8; turn += 1) {
      await batches.run(work);
      for (let waited = 0; waited < turns; waited += 1) await nextTurn(); // each comes again at another time
    }
  };
  await Promise.all([sender(0), sender(3), sender(6), sender(9)]);
  assert.ok(sizes.filter((size) => size === 4).length >= 5, `most batches have all four: ${sizes.join(' ')}`);
  const began = performance.now();
  await batches.run(work); // the others stay away
  await batches.run(work);
  assert.ok(performance.now() - began < 5000);
});

/** A round of two senders: one comes again at once, the other when the event loop has been at work for so long. Answers how many entered with the first. */
async function togetherAfter(batches: ArrivalBatches, busyMs: number): Promise<number> {
  let members = 0;
  const work = async (): Promise<number> => {
    members += 1;
    await new Promise((resolve) => setTimeout(resolve, 4));
    return members;
  };
  await Promise.all([batches.run(work), batches.run(work)]);
  members = 0;
  const first = batches.run(work);
  for (const began = performance.now(); performance.now() - began < busyMs;) await nextTurn(); // timers have their turns, but the loop never stands still
  void batches.run(work);
  return first;
}

test('A batch waits on while the event loop is at work, which may be for those who are missing, but not for ever', async () => {
  const batches = new ArrivalBatches();
  assert.equal(await togetherAfter(batches, 8), 2, 'twice as long as a batch takes');
  assert.equal(await togetherAfter(batches, 200), 1, 'so long it may be at work for somebody else');
});
