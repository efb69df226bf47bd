/** A mailing group whose node is another: hand-overs to it count once, as those to accounts do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboxOf, messageOf, openLeg, pieces, TestCluster, until, usualOwners } from './cluster.ts';

const custodian = new Map([['XWAYBILL-CUSTODIAN', true as const]]);
const team = 'team@example.com';

test('a group on another node hears that the client of a handed-over message was cut: its members have one copy, and the retry adds none', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1', { owners: { ...usualOwners, [team]: 'be2' } });
  const be2 = await cluster.start(t, 'be2', { expansions: { [team]: ['bob@example.com'] } });
  const bytes = messageOf('to a group');
  const say = async (): Promise<Awaited<ReturnType<typeof openLeg>>> => {
    const leg = await openLeg(be1.ports.lmtp);
    assert.equal((await leg.mail({ address: 's@example.net', extra: custodian })).code, 250);
    assert.equal((await leg.rcpt({ address: team })).code, 250);
    assert.equal((await leg.data(pieces(bytes)))[0]?.code, 250);
    return leg;
  };
  const queuesAreEmpty = (): boolean => [be1, be2].every(({ processing }) => processing.list({ from: '', limit: 1 }).length === 0);
  const first = await say();
  await until('bob has it', async () => (await inboxOf(be2, 'bob@example.com')).length === 1);
  first.destroy();
  await until('the group\'s node has heard', queuesAreEmpty);
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 1, 'the same hand-over again');
  await (await say()).quit();
  await until('the retry is through', queuesAreEmpty);
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 1, 'the retry');
  await (await say()).quit();
  await until('the copy that is meant is through', queuesAreEmpty);
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 2, 'a copy that is meant');
});
