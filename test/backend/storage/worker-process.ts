/**
 * A worker process of the tests. `mixed`: appends, flags, moves and expunges in alice's mailboxes, then reports what it
 * got. `stream`: appends without end and says on standard output, after each acknowledgement, what was stored.
 */
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openStorage } from '../../../backend/storage/storage.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions } from './harness.ts';

const [mode = '', directory = '', name = ''] = process.argv.slice(2);
const storage = await openStorage(storageOptions(directory));
const account = await storage.createAccount('alice@example.com');
const inbox = mailboxOf(account);
const target = { storage, account, mailbox: inbox };

async function mixed(): Promise<void> {
  const uids: number[] = [];
  const moved: number[] = [];
  await Promise.all(Array.from({ length: 4 }, async (_, lane) => {
    for (let turn = 0; turn < 40; turn += 1) {
      const { uids: [uid = 0] } = await deliver(target, sampleMessage(`${name} ${lane} ${turn}`, 300 + turn));
      uids.push(uid);
      await inbox.changeFlags([uid, uid - 1], { mode: turn % 2 === 0 ? 'add' : 'remove', flags: 1 + 8, keywords: [`k${turn % 3}`] });
      if (turn % 4 === 0) moved.push(...(await inbox.moveTo([uid], mailboxOf(account, 'Trash'))).uids);
      if (turn % 5 === 0) await inbox.expunge([uid - 3]);
    }
  }));
  await storage.close();
  process.send?.({ uids, moved });
}

async function stream(): Promise<void> {
  await Promise.all(Array.from({ length: 8 }, async (_, lane) => {
    for (let turn = 0; ; turn += 1) {
      const bytes = sampleMessage(`${name} ${lane} ${turn}`, turn % 50 === 49 ? 400_000 : 1000 + turn);
      const { uids } = await deliver(target, bytes);
      writeSync(1, `${uids[0]} ${createHash('sha256').update(bytes).digest('hex')}\n`);
    }
  }));
}

await (mode === 'mixed' ? mixed() : stream());
