/** Orders of mailboxes that are remembered: whatever comes and goes meanwhile, they are those that sorting anew makes. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { foundOf } from '../../../backend/imap/found-list.ts';
import { comparison, keyMessages } from '../../../backend/imap/sort-order.ts';
import { inOrder, knownOrder, rememberOrder } from '../../../backend/imap/sort-orders.ts';
import { View } from '../../../backend/imap/view.ts';
import type { Numbered } from '../../../backend/imap/view.ts';
import type { SortCriterion } from '../../../shared/imap/search-arguments.ts';
import { Dice } from '../../torture/dice.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import { storageOptions, temporaryDirectory } from '../storage/harness.ts';
import { deliver, mailboxOf, startServer } from './harness.ts';

const server = await startServer();
after(async () => server.stop());

const words = ['apple', 'Re: apple', 'Äpfel', '=?utf-8?q?=C3=A4pfel?=', 'pear', '[list] Pear', 'fig (fwd)', ''];

function letter(dice: Dice): Buffer {
  return Buffer.from(`From: ${dice.pick(['ann', 'bob', 'Cyd'])}@example.org\r\nDate: ${String(1 + dice.below(28))} Jan 2025 10:00:00 +0000\r\nSubject: ${dice.pick(words)}\r\n\r\ntext\r\n`, 'latin1');
}

const criteria: readonly (readonly SortCriterion[])[] = [
  [{ key: 'SUBJECT', direction: 'ascending' }],
  [{ key: 'DATE', direction: 'descending' }, { key: 'FROM', direction: 'ascending' }],
  [{ key: 'SIZE', direction: 'ascending' }, { key: 'SUBJECT', direction: 'descending' }],
];

function present(view: View): Numbered[] {
  return [...view.batches(view.count === 0 ? [] : [{ from: 0, to: view.count - 1 }], 1000)].flat();
}

test('An order that was remembered is that of sorting anew, after messages came and went, for who has heard of it and who has not', async () => {
  const [dice, address] = [new Dice(5), 'orders@example.com'];
  const mailbox = mailboxOf(await server.storage.createAccount(address), 'INBOX');
  const [fresh, stale] = [new View(mailbox, 'read-write', ''), new View(mailbox, 'read-write', '')];
  let known = 0;
  for (let round = 0; round < 60; round += 1) {
    for (let arriving = dice.below(6); arriving > 0; arriving -= 1) await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, letter(dice));
    if (dice.oneIn(3)) await mailbox.expunge(dice.some(mailbox.uids()).slice(0, 3));
    fresh.refresh('everything');
    stale.refresh(dice.oneIn(4) ? 'everything' : 'no-expunges');
    for (const view of dice.oneIn(2) ? [fresh, stale] : [stale, fresh]) {
      for (const each of criteria) {
        const found = present(view);
        const sorted = (await keyMessages(view, found, { criteria: each })).sort(comparison(each));
        const order = knownOrder(view, each);
        if (order === undefined) rememberOrder(view, each, sorted);
        else {
          known += 1;
          const wanted = foundOf(sorted.map(({ message }) => message));
          const got = inOrder(foundOf(found), order);
          assert.deepEqual([Array.from(got.uids), Array.from(got.sequences), Array.from(got.modseqs ?? [])], [wanted.uids, wanted.sequences, wanted.modseqs], `round ${String(round)}`);
          const few = found.filter((_, index) => index % 3 === 0);
          assert.deepEqual(Array.from(inOrder(foundOf(few), order).uids), sorted.filter(({ message }) => few.includes(message)).map(({ message }) => message.row.uid));
        }
      }
    }
  }
  assert.ok(known > 250, `${String(known)} of 360 were known`);
});

test('An order that depends on the search is not remembered', async () => {
  const address = 'relevancy@example.com';
  await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, letter(new Dice(1)));
  const view = new View(mailboxOf(await server.storage.createAccount(address), 'INBOX'), 'read-write', '');
  const byRelevancy: readonly SortCriterion[] = [{ key: 'RELEVANCY', direction: 'ascending' }];
  rememberOrder(view, byRelevancy, await keyMessages(view, present(view), { criteria: byRelevancy }));
  assert.equal(knownOrder(view, byRelevancy), undefined);
  const bySize: readonly SortCriterion[] = [{ key: 'SIZE', direction: 'ascending' }];
  rememberOrder(view, bySize, await keyMessages(view, present(view), { criteria: bySize }));
  assert.deepEqual(knownOrder(view, bySize), Uint32Array.of(0));
});

test('What was kept of a storage says nothing of one that was restored in its place and gave UIDs again', async (t) => {
  const folder = temporaryDirectory(t);
  const [directory, backup, address] = [join(folder, 'storage'), join(folder, 'backup'), 'restored@example.com'];
  mkdirSync(directory, { mode: 0o700 });
  const orderWith = async (subject: string): Promise<number[]> => {
    const storage = await openStorage(storageOptions(directory));
    const account = await storage.createAccount(address);
    await deliver({ storage, address, mailbox: 'INBOX' }, Buffer.from(`Subject: ${subject}\r\n\r\ntext\r\n`));
    const view = new View(mailboxOf(account, 'INBOX'), 'read-write', '');
    const [bySubject = []] = criteria;
    const found = present(view);
    const known = knownOrder(view, bySubject);
    const sorted = (await keyMessages(view, found, { criteria: bySubject })).sort(comparison(bySubject));
    rememberOrder(view, bySubject, sorted);
    await storage.close();
    assert.equal(known, undefined);
    return sorted.map(({ message }) => message.row.uid);
  };
  assert.deepEqual(await orderWith('m'), [1]);
  cpSync(directory, backup, { recursive: true });
  assert.deepEqual(await orderWith('z'), [1, 2]);
  rmSync(directory, { recursive: true });
  cpSync(backup, directory, { recursive: true });
  assert.deepEqual(await orderWith('a'), [2, 1]);
});
