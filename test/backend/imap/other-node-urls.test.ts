/** URLs of messages that another node keeps (RFC 4467, RFC 5524): read by whom their owner authorised, whatever node he comes by. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Dialogue } from '../../harness/dialogue.ts';
import { close, deliverTo, pair } from './pairs.ts';
import { ask, demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes();
});
after(async () => cluster.stop());

async function authorised(owner: Dialogue, address: string, access: string): Promise<string> {
  const [line = ''] = await demandOk(owner, `GENURLAUTH "imap://${encodeURIComponent(address)}@mail.example.com/INBOX/;UID=1/;SECTION=TEXT;URLAUTH=${access}" INTERNAL`);
  return /"(.*)"/.exec(line)?.[1] ?? assert.fail(line);
}

const text = ['Body of meant for others.', ''];

test('whoever a URL is meant for reads by it what another node keeps, also while a folder there is open; nobody else does', async () => {
  const both = await pair(cluster, 'urls', 'lr');
  const { owner, guest, ownerAddress, guestAddress, inbox } = both;
  await deliverTo(cluster, ['be2', ownerAddress], 'meant for others');
  const [his, any, anothers] = [await authorised(owner, ownerAddress, `user+${encodeURIComponent(guestAddress)}`), await authorised(owner, ownerAddress, 'anonymous'), await authorised(owner, ownerAddress, 'user+somebody%40example.com')];
  const forged = any.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  const nobodys = any.replace('urls-owner', 'nobody');
  for (const open of ['INBOX', inbox]) {
    await demandOk(guest, `SELECT ${open}`);
    const lines = await demandOk(guest, `URLFETCH "${his}" ("${any}" BODY) "${anothers}" "${forged}" "${nobodys}"`);
    assert.deepEqual(lines.slice(0, 3), [`* URLFETCH "${his}" {27}`, ...text]);
    assert.deepEqual(lines.slice(3, 6), [`* URLFETCH "${any}" (BODY {27}`, text[0], ')']);
    assert.deepEqual(lines.slice(6), [anothers, forged, nobodys].map((url) => `* URLFETCH "${url}" NIL`));
  }
  await demandOk(owner, 'RESETKEY INBOX');
  assert.deepEqual(await demandOk(guest, `URLFETCH "${his}"`), [`* URLFETCH "${his}" NIL`]);
  close(both);
});

test('while the node that has the message is away URLFETCH says so, and not that the URL is good for nothing', async () => {
  const both = await pair(cluster, 'away', 'lr');
  const { owner, guest, ownerAddress } = both;
  await deliverTo(cluster, ['be2', ownerAddress], 'meant for others');
  const url = await authorised(owner, ownerAddress, 'authuser');
  cluster.road.behaviour = { kind: 'refuse' };
  assert.match((await ask(guest, `URLFETCH "${url}"`)).end, /^NO \[UNAVAILABLE\]/);
  cluster.road.behaviour = { kind: 'pass' };
  assert.deepEqual(await demandOk(guest, `URLFETCH "${url}"`), [`* URLFETCH "${url}" {27}`, ...text]);
  close(both);
});
