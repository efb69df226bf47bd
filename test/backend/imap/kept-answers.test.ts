/** Answers to SEARCH that are kept: whatever changes in the mailbox, and however much of it a client has heard, they are what looking anew finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { keptAnswer, lastingSearch } from '../../../backend/imap/kept-answers.ts';
import { Progress } from '../../../backend/imap/progress.ts';
import { markTest, marksOf } from '../../../backend/imap/search-marks.ts';
import { findPlaces } from '../../../backend/imap/search-run.ts';
import type { Session } from '../../../backend/imap/session.ts';
import { View } from '../../../backend/imap/view.ts';
import { Flag } from '../../../backend/storage/storage.ts';
import type { Mailbox } from '../../../backend/storage/storage.ts';
import type { SearchKey } from '../../../shared/imap/search-keys.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { Dice } from '../../torture/dice.ts';
import { temporaryDirectory } from '../storage/harness.ts';
import { deliverMail, openGround } from '../text-index/harness.ts';
import { messageAbout } from './conversation.ts';
import { deliver, mailboxOf, password, startServer } from './harness.ts';
import { demandOk } from './two-nodes.ts';

const address = 'kept@example.com';

interface Seen {
  readonly sequence: number;
  readonly uid: number;
  readonly flags: readonly string[];
}

const questions: readonly { readonly keys: string; readonly hits: (message: Seen) => boolean }[] = [
  { keys: 'FLAGGED UNSEEN', hits: ({ flags }) => flags.includes('\\Flagged') && !flags.includes('\\Seen') },
  { keys: 'KEYWORD $b KEYWORD $A ANSWERED', hits: ({ flags }) => ['$A', '$B', '\\Answered'].every((flag) => flags.includes(flag)) },
  { keys: 'UNKEYWORD $A NOT NOT SEEN', hits: ({ flags }) => !flags.includes('$A') && flags.includes('\\Seen') },
  { keys: 'OR DELETED NOT (FLAGGED SEEN) NOT KEYWORD $Never', hits: ({ flags }) => flags.includes('\\Deleted') || !(flags.includes('\\Flagged') && flags.includes('\\Seen')) },
  { keys: 'SEEN UNSEEN', hits: () => false },
  { keys: '2:* UNDELETED', hits: ({ sequence, flags }) => sequence > 1 && !flags.includes('\\Deleted') },
];

async function logIn(port: number): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port, tls: 'implicit' });
  dialogue.say(`l LOGIN ${address} "${password}"`);
  await dialogue.until(/^l OK/);
  await demandOk(dialogue, 'SELECT INBOX');
  return dialogue;
}

/** As the client knows the mailbox after it has heard of what is new. */
async function present(client: Dialogue): Promise<readonly Seen[]> {
  await demandOk(client, 'SEARCH NOT ALL');
  return (await demandOk(client, 'FETCH 1:* (UID FLAGS)')).flatMap((line) => {
    const [, sequence, uid, flags] = /^\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\)\)$/.exec(line) ?? [];
    return flags === undefined ? [] : [{ sequence: Number(sequence), uid: Number(uid), flags: flags.split(' ') }];
  });
}

async function found(client: Dialogue, command: string): Promise<readonly number[]> {
  const line = (await demandOk(client, command)).find((each) => each.startsWith('* SEARCH'));
  return (line ?? '').split(' ').slice(2).map(Number);
}

test('SEARCH finds what FETCH shows, asked once or again, while two clients change flags and messages come and go', async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const dice = new Dice(11);
  const arrive = async (): Promise<void> => deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout('one'));
  for (let count = 0; count < 70; count += 1) await arrive(); // more than a block of rows
  const mailbox = mailboxOf(await server.storage.createAccount(address), 'INBOX');
  const clients = [await logIn(server.ports.tls), await logIn(server.ports.tls)];
  for (let round = 0; round < 24; round += 1) {
    const actor = dice.pick(clients);
    const { sequence } = dice.pick(await present(actor));
    const flags = dice.pick(['\\Seen', '\\Flagged', '\\Answered $A', '\\Deleted', '$A $B']);
    if (dice.oneIn(2)) await demandOk(actor, `STORE 1:${String(sequence)} ${dice.pick(['+', '-'])}FLAGS.SILENT (${flags})`);
    if (dice.oneIn(4)) await arrive();
    if (dice.oneIn(4)) await mailbox.expunge([dice.pick(mailbox.uids())]);
    if (dice.oneIn(3)) await demandOk(dice.pick(clients), 'NOOP');
    for (const client of clients) {
      const shown = await present(client);
      for (const { keys, hits } of questions) {
        const wanted = shown.filter(hits);
        for (const time of ['once', 'again']) {
          assert.deepEqual(await found(client, `SEARCH ${keys}`), wanted.map(({ sequence: number }) => number), `round ${String(round)}, ${keys}, ${time}`);
          if (keys.startsWith('2:')) continue;
          assert.deepEqual(await found(client, `SEARCH UID 1:* ${keys}`), wanted.map(({ sequence: number }) => number));
        }
      }
    }
  }
  for (const client of clients) client.close();
});

test('Marks of several keys are one comparison, up to the last keyword', () => {
  const bitOf = (keyword: string): number => Number(keyword);
  const flag: SearchKey = { key: 'flag', flag: '\\Flagged' };
  const last: SearchKey = { key: 'keyword', keyword: '31' };
  const keys: readonly SearchKey[] = [flag, { key: 'not', operand: { key: 'flag', flag: '\\Seen' } }, last, { key: 'not', operand: { key: 'keyword', keyword: '0' } }];
  const isHit = markTest(keys.flatMap((key) => marksOf(key, bitOf) ?? []));
  const bit31 = 2 ** 31;
  assert.equal(isHit({ flags: Flag.Flagged | Flag.Draft, keywords: bit31 + 2 }), true);
  assert.equal(isHit({ flags: Flag.Flagged | Flag.Seen, keywords: bit31 }), false);
  assert.equal(isHit({ flags: Flag.Flagged, keywords: bit31 + 1 }), false);
  assert.equal(isHit({ flags: Flag.Flagged, keywords: 2 }), false);
  assert.equal(marksOf({ key: 'not', operand: { key: 'not', operand: flag } }, bitOf), undefined);
  assert.equal(marksOf({ key: 'keyword', keyword: '-1' }, bitOf), undefined, 'a keyword that no message has is none of the bits');
});

/** A mailbox whose newest state is seen as it was once more, as when another process changes it just then. */
function seenLate(mailbox: Mailbox, change: () => Promise<unknown>): { readonly late: Mailbox; readonly changed: Promise<unknown> } {
  const before = [mailbox.latest()];
  const changed = change();
  const late = new Proxy(mailbox, {
    get: (target, name) => {
      if (name === 'latest') return () => before.pop() ?? target.latest();
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value;
    },
  });
  return { late, changed };
}

test('What is found by the keywords of a moment is not kept as an answer of the next', async (t) => {
  const ground = await openGround(temporaryDirectory(t));
  t.after(async () => ground.storage.close());
  await deliverMail(ground, messageAbout('one'));
  const [uid = 0] = ground.mailbox.uids();
  const { late, changed } = seenLate(ground.mailbox, async () => ground.mailbox.changeFlags([uid], { mode: 'add', flags: 0, keywords: ['$New'] }));
  await changed;
  const view = new View(late, 'read-only', 'lrs');
  const session = { abandoned: false, options: { limits: {} } } as unknown as Session;
  const ask = async (): Promise<readonly number[]> => Array.from((await findPlaces({ session, view }, { key: 'keyword', keyword: '$New' }, new Progress(session, view.count))).uids);
  await ask(); // may have seen what was before
  assert.deepEqual(await ask(), [uid]);
});

test('Lists of messages of old are not held for the answers that were found in them', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const session = { abandoned: false } as unknown as Session;
  const lists: WeakRef<readonly number[]>[] = [];
  let looks = 0;
  const ask = async (view: View, keyword: string): Promise<void> => {
    const lasting = lastingSearch(view, { key: 'keyword', keyword }) ?? assert.fail();
    await keptAnswer({ session, view }, lasting, async () => {
      looks += 1;
      return Promise.resolve({ sequences: [], uids: [] });
    });
  };
  const askAgain = async (number: number): Promise<void> => {
    const uids = Array.from({ length: 1000 }, (_, index) => index + number);
    lists.push(new WeakRef(uids));
    const view = { lasting: 'a mailbox', uids, mailbox: { latest: () => ({ highestModseq: number }) } } as unknown as View;
    for (const time of ['once', 'again']) await ask(view, `$${String(number)}`).then(() => assert.equal(looks, number, time));
  };
  for (let number = 1; number <= 10; number += 1) await askAgain(number);
  await new Promise((resolve) => { setImmediate(resolve); });
  collectGarbage();
  assert.deepEqual(lists.filter((list) => list.deref() !== undefined).length, 0);
});
