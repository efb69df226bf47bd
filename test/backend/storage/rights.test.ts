/** Rights on folders: how allow, deny and inheritance add up, and that they stay with the mailbox through renames, moves between nodes and deletion. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levelOf, levels } from '../../../shared/imap/rights-levels.ts';
import { formatRights, parseRights } from '../../../shared/imap/rights.ts';
import { effectiveRights } from '../../../backend/storage/storage.ts';
import type { Applies, RightsEntry } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { temporaryStorage } from './harness.ts';

const bob = 'bob@example.com';
const grant = (allow: string, deny = '', scope: RightsEntry['scope'] = 'folder') => (before: RightsEntry): RightsEntry => ({ ...before, allow, deny, scope });

test('what is denied to a user or a group anywhere on the way up is denied, what is allowed anywhere is allowed, all else is denied', () => {
  const entry = (who: string, allow: string, deny = ''): RightsEntry => ({ who, allow, deny, scope: 'subfolders' });
  const inherited = (who: string, allow: string, deny = '') => ({ ...entry(who, allow, deny), from: 'Top' });
  const isBobs = (who: string): Applies => (who === '$gone@example.com' ? 'unknown' : who === bob || who === '$team@example.com' ? 'yes' : 'no');
  const cases: readonly (readonly [own: readonly RightsEntry[], above: readonly (RightsEntry & { readonly from: string })[], rights: string])[] = [
    [[], [], ''],
    [[entry(bob, 'rl')], [], 'lr'],
    [[entry(bob, 'l')], [inherited('$team@example.com', 'rt')], 'lrt'],
    [[entry(bob, 'lrt')], [inherited('$team@example.com', '', 't')], 'lr'],
    [[entry('$team@example.com', 'lrt', 'r')], [inherited(bob, 'lrt')], 'lt'],
    [[entry('carol@example.com', 'lr', '')], [inherited('carol@example.com', '', 'l')], ''],
    [[entry(bob, 'lrt'), entry('$gone@example.com', 'i', 't')], [], 'lr'],
    [[entry(bob, 'lr'), entry('carol@example.com', '', 'lr')], [], 'lr'],
  ];
  for (const [own, above, rights] of cases) assert.equal(effectiveRights({ own, inherited: above }, isBobs), rights, JSON.stringify([own, above]));
});

test('rights have letters, old letters and levels', () => {
  assert.equal(parseRights('cdrl'), 'lrkxte');
  assert.equal(formatRights('lrx'), 'lrxc');
  assert.throws(() => parseRights('lq'), (error) => isFailure(error, 'bad-input'));
  assert.deepEqual(Object.entries(levels).map(([name, rights]) => levelOf(rights) === name), Object.keys(levels).map(() => true));
  assert.equal(levelOf('lrs'), 'custom');
});

test('rights hold for a folder or for those below too, follow a rename, and are found by whom they are granted to', async (t) => {
  const storage = await temporaryStorage(t);
  const alice = await storage.createAccount('alice@example.com');
  await alice.createMailbox('Work/Deep/Deeper');
  await alice.changeRights('Work', bob, grant('lr', 't', 'subfolders'));
  await alice.changeRights('Work/Deep', '$team@example.com', grant('lri'));
  assert.deepEqual(alice.folderRights('Work/Deep/Deeper'), { own: [], inherited: [{ who: bob, allow: 'lr', deny: 't', scope: 'subfolders', from: 'Work' }] });
  assert.deepEqual(alice.folderRights('Work/Deep').own.map(({ who }) => who), ['$team@example.com']);
  assert.deepEqual([storage.ownersGranting(bob), storage.ownersGranting('$team@example.com'), storage.groupsGranted(), storage.ownersGranting('carol@example.com')], [[alice.address], [alice.address], ['$team@example.com'], []]);
  await alice.renameMailbox('Work', 'Play');
  assert.deepEqual(alice.folderRights('Play/Deep/Deeper').inherited.map(({ from }) => from), ['Play']);
  assert.deepEqual(alice.folderRights('Work/Deep/Deeper'), { own: [], inherited: [] });
  await alice.createMailbox('Play/Deep/New');
  assert.deepEqual(alice.folderRights('Play/Deep/New').own.map(({ who, allow }) => [who, allow]), [['$team@example.com', 'lri']], 'a new folder takes over what holds for the folder above alone');
  await storage.lives.rename('alice@example.com', 'anna@example.com', 'dropped');
  assert.deepEqual(storage.ownersGranting(bob), ['anna@example.com']);
  const record = storage.find('anna@example.com');
  assert.ok(record.at === 'live');
  await record.account.changeRights('Play', bob, grant(''));
  assert.deepEqual(record.account.folderRights('Play').own, []);
  assert.deepEqual(storage.ownersGranting(bob), []);
  await record.account.deleteMailbox('Play/Deep');
  await record.account.deleteMailbox('Play/Deep/New');
  assert.deepEqual(storage.groupsGranted(), []);
});

test('a folder has entries for at most two hundred', async (t) => {
  const storage = await temporaryStorage(t);
  const alice = await storage.createAccount('alice@example.com');
  for (let number = 0; number < 200; number += 1) await alice.changeRights('INBOX', `u${String(number)}@example.com`, grant('lr'));
  await assert.rejects(alice.changeRights('INBOX', 'one-more@example.com', grant('lr')), (error) => isFailure(error, 'limit'));
  await assert.rejects(alice.changeRights('Nowhere', bob, grant('lr')), (error) => isFailure(error, 'mailbox-missing'));
});

test('an account that moves takes along its rights, and what the directory lets it hold, and is found by them where it is', async (t) => {
  const [from, to] = [await temporaryStorage(t, { nodeName: 'be1' }), await temporaryStorage(t, { nodeName: 'be2' })];
  const alice = await from.createAccount('alice@example.com');
  await alice.changeRights('INBOX', bob, grant('lrs', 't', 'subfolders'));
  await from.lives.learnLimits(alice.address, { bytes: 12_345 });
  const snapshot = from.transfers.leaving.snapshot(alice.address);
  const { arriving } = to.transfers;
  await arriving.begin(alice.address, { from: 'be1', id: alice.id, epoch: alice.epoch + 1, holder: '' });
  await arriving.shape(alice.address, snapshot);
  for (const mailbox of snapshot.mailboxes) await arriving.apply(alice.address, { mailbox, page: { ...from.transfers.leaving.changes(alice.address, mailbox.id, { since: 0, limit: 100 }) }, arrived: [], gone: new Set() });
  await alice.changeRights('INBOX', bob, grant('lr', 't', 'subfolders')); // after its mailbox has come
  await arriving.complete(alice.address, from.transfers.leaving.snapshot(alice.address));
  assert.equal(arriving.fingerprint(alice.address), from.transfers.leaving.fingerprint(alice.address));
  assert.deepEqual(to.ownersGranting(bob), [], 'not before it is owned here');
  await from.markMoved(alice.address, 'be2', alice.epoch + 1);
  await arriving.activate(alice.address);
  const record = to.find(alice.address);
  assert.ok(record.at === 'live');
  assert.deepEqual(record.account.folderRights('INBOX').own, [{ who: bob, allow: 'lr', deny: 't', scope: 'subfolders' }]);
  assert.deepEqual([to.ownersGranting(bob), from.ownersGranting(bob)], [[alice.address], []]);
  assert.equal(record.account.quota().bytesLimit, 12_345, 'mail for it may come before anybody asks the directory');
});
