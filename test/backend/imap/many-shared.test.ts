/** More names of shared folders than one node tells another in one answer: it is asked for further pages, up to a bound beyond which nothing is said to be missing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, pair } from './pairs.ts';
import { ask, demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes({}, 100); // three names to a page
});
after(async () => cluster.stop());

for (const [where, count] of [['here', 10], ['here', 40], ['on another node', 10], ['on another node', 40]] as const) {
  const isCut = count === 40;
  test(`of ${String(count)} folders ${where}, ${isCut ? 'more than are told, none is told as gone, and the client is warned' : 'more than a page, all are told'}`, async () => {
    const both = await pair(cluster, `many${String(count)}-${where.slice(-4)}`, 'lr');
    const { owner, ownerAddress, guestAddress } = both;
    const guest = where === 'here' ? await cluster.logIn('be2', guestAddress) : both.guest;
    const names = Array.from({ length: count }, (_, number) => `F${String(100 + number)}`);
    for (const name of names) {
      await demandOk(owner, `CREATE ${name}`);
      await demandOk(owner, `SETACL ${name} ${guestAddress} lr`);
    }
    const folder = (name: string): string => `"Other Users/${ownerAddress}/${name}"`;
    const last = names.at(-1) ?? '';
    const listed = await demandOk(guest, 'LIST "" "Other Users/%/%"');
    const warnings = listed.filter((line) => line.startsWith('* NO [UNAVAILABLE]')).length;
    assert.equal(warnings, isCut ? 1 : 0);
    assert.equal(listed.some((line) => line.endsWith(folder(last))), !isCut);
    if (!isCut) assert.equal(listed.length, count + 1);
    const account = await cluster.nodes[where === 'here' ? 'be2' : 'be1'].storage.createAccount(guestAddress);
    await account.setSubscribed(`Other Users/${ownerAddress}/${last}`, 'yes');
    assert.deepEqual((await demandOk(guest, 'LIST (SUBSCRIBED) "" "Other Users/*"')).filter((line) => line.startsWith('* LIST')), [`* LIST (\\HasNoChildren \\Subscribed) "/" ${folder(last)}`]);
    const other = await cluster.logIn(where === 'here' ? 'be2' : 'be1', guestAddress);
    await demandOk(guest, `NOTIFY SET (mailboxes ${folder(last)} (SubscriptionChange))`);
    await demandOk(other, `UNSUBSCRIBE ${folder(last)}`);
    await guest.until(new RegExp(`^\\* LIST \\(\\\\HasNoChildren\\) "/" ${folder(last)}$`));
    if (isCut) assert.match((await ask(other, `SUBSCRIBE ${folder(last)}`)).end, where === 'here' ? /^OK/ : /^NO \[UNAVAILABLE\]/);
    other.close();
    if (where === 'here') guest.close();
    close(both);
  });
}
