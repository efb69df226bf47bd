/**
 * Measures a storage as a whole: durable appends of 4 kB messages by 1 and by 20 at once, and reading all rows of a big
 * mailbox. `npm run bench -- storage-appends --help`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStorage } from '../../backend/storage/storage.ts';
import { deliver, inPieces, mailboxOf, sampleMessage, storageOptions } from '../backend/storage/harness.ts';
import { figuresCommand } from './command/plain-commands.ts';

const bigMailbox = 100_000;

async function timed(action: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}

async function main(): Promise<void> {
  const { json } = figuresCommand('storage-appends', 'A storage as a whole: durable appends by 1 and by 20 at once, and reading all rows of a big mailbox.').parse().opts<{ readonly json?: true }>();
  const directory = mkdtempSync(join(tmpdir(), 'storage-appends-'));
  const storage = await openStorage(storageOptions(directory));
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  const bytes = sampleMessage('four kilobytes', 4096);
  const appendsPerSecond: Record<number, number> = {};
  for (const [lanes, turns] of [[1, 1000], [20, 300]] as const) {
    const seconds = await timed(async () => {
      await Promise.all(Array.from({ length: lanes }, async () => {
        for (let turn = 0; turn < turns; turn += 1) await deliver({ storage, account, mailbox: inbox }, bytes);
      }));
    });
    appendsPerSecond[lanes] = Math.round((lanes * turns) / seconds);
  }
  const staged = await account.stage(inPieces(bytes), 10_000);
  const missing = bigMailbox - inbox.state().messages;
  for (let done = 0; done < missing; done += 1000) {
    await inbox.append(Array.from({ length: Math.min(1000, missing - done) }, () => ({ staged, marks: { flags: 0, keywords: [] } })));
  }
  await staged.discard();
  const scans = 10;
  const scanSeconds = await timed(() => {
    for (let turn = 0; turn < scans; turn += 1) if (inbox.rows().length !== bigMailbox) throw new Error('rows are missing');
  });
  const { highestModseq } = inbox.state();
  const changesSeconds = await timed(async () => {
    await inbox.changeFlags([77], { mode: 'add', flags: 1, keywords: [] });
    for (let turn = 0; turn < scans; turn += 1) inbox.changesSince(highestModseq);
  });
  await storage.close();
  rmSync(directory, { recursive: true });
  const figures = {
    appendsPerSecondAlone: appendsPerSecond[1],
    appendsPerSecondTwentyAtOnce: appendsPerSecond[20],
    rowsPerSecond: Math.round((bigMailbox * scans) / scanSeconds),
    changesSinceMs: Math.round((changesSeconds * 1e5) / scans) / 100,
  };
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else console.table([figures]);
}

await main();
