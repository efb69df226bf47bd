/** An account is taken back from a node that is gone after the seal: one owner by the epochs, also when that node comes back. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Flag } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { accountAt, put, startNodes, subjectsAt } from './nodes.ts';
import type { TestNodes } from './nodes.ts';

const address = 'ann@example.com';

/** be1 gave it to be2, which has it whole, and has not heard of it. */
async function sealed(nodes: TestNodes): Promise<void> {
  const { be1, be2 } = nodes.storages;
  await be1.createAccount(address);
  nodes.directory.set(address, 'be1');
  await put(be1, address, 'before');
  const { id, epoch } = be1.transfers.leaving.snapshot(address);
  await be2.transfers.arriving.begin(address, { from: 'be1', id, epoch: epoch + 1, holder: '' });
  await be1.transfers.leaving.hold(address, { token: 'be2/x', forMs: 10_000 });
  await be1.transfers.leaving.seal(address, { token: 'be2/x', node: 'be2', epoch: epoch + 1 });
}

function refused(kind: Parameters<typeof isFailure>[1], words: RegExp): (error: unknown) => boolean {
  return (error) => isFailure(error, kind) && words.test(error.message);
}

test('a target that died between the seal and going live: the source owns again, and the half of the target goes when it is back', async (t) => {
  const nodes = await startNodes(t);
  await sealed(nodes);
  await assert.rejects(nodes.moves.be1.reclaim(address, 'be2'), refused('in-use', /be2 answers.*finishes the move/));
  assert.deepEqual(nodes.owners(address), [], 'nothing was done while it answers');
  await nodes.die('be2');
  await assert.rejects(nodes.moves.be1.reclaim(address, 'be3'), refused('unknown-user', /did not give/), 'another node than the one that it went to');
  const { epoch } = await nodes.moves.be1.reclaim(address, 'be2');
  assert.deepEqual([nodes.owners(address), nodes.directory.get(address), accountAt(nodes.storages.be1, address).epoch], [['be1'], 'be1', epoch]);
  assert.deepEqual(await subjectsAt(nodes.storages.be1, address), ['before']);
  await put(nodes.storages.be1, address, 'after');
  await nodes.comeBack('be2');
  assert.deepEqual([nodes.owners(address), nodes.storages.be2.find(address)], [['be1'], { at: 'moved', node: 'be1', epoch }]);
  await nodes.move(address, 'be3');
  assert.deepEqual(await subjectsAt(nodes.storages.be3, address), ['before', 'after'], 'and it can be moved again');
});

test('a target that served already: what it had is a tombstone before it serves anybody, whoever had it open can write no more, and its mail stays on disk', async (t) => {
  const nodes = await startNodes(t);
  await nodes.storages.be1.createAccount(address);
  nodes.directory.set(address, 'be1');
  await put(nodes.storages.be1, address, 'before');
  await nodes.move(address, 'be2');
  await put(nodes.storages.be2, address, 'only there');
  const open = accountAt(nodes.storages.be2, address);
  await nodes.die('be2');
  await nodes.die('be3');
  await assert.rejects(nodes.moves.be1.reclaim(address, 'be2'), refused('backend-unavailable', /be3 must say/), 'a third node may have it');
  await nodes.comeBack('be3');
  await nodes.moves.be1.reclaim(address, 'be2');
  assert.deepEqual(nodes.owners(address), ['be1', 'be2'], 'be2 is away: what is on its disk does not know');
  await nodes.comeBack('be2');
  assert.deepEqual(nodes.owners(address), ['be1']);
  await assert.rejects(async () => open.createMailbox('Late'), refused('not-kept-here', /moved/));
  assert.equal(nodes.storages.be2.transfers.leaving.leftOf(address), 'unverified', 'nobody removes it');
  assert.deepEqual(nodes.storages.be1.find(address).at === 'live' && accountAt(nodes.storages.be1, address).mailbox('INBOX')?.rows().map(({ flags }) => flags & Flag.Deleted), [0]);
});

test('a node that came back while the other was away hears of it from there, also after the account went on to a third', async (t) => {
  const nodes = await startNodes(t);
  await sealed(nodes);
  await nodes.die('be2');
  await nodes.moves.be1.reclaim(address, 'be2');
  await nodes.move(address, 'be3');
  await nodes.die('be1');
  await nodes.comeBack('be2'); // be1, which knows, is silent
  assert.equal(nodes.storages.be2.find(address).at, 'arriving');
  await nodes.comeBack('be1');
  const tidying = nodes.moves.be1.startTidying();
  t.after(async () => tidying.stop(0));
  for (const deadline = Date.now() + 60_000; nodes.storages.be1.transfers.leaving.reclaimed().length > 0;) {
    assert.ok(Date.now() < deadline, 'be2 never heard of it');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual([nodes.owners(address), nodes.storages.be2.find(address).at], [['be3'], 'moved']);
});
