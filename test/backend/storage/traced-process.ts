/** Appends five messages one after the other, the last one big, and marks begin and acknowledgement of each on standard output; or, told `compact`, compacts the storage. */
import { writeSync } from 'node:fs';
import { compactStorage, openStorage } from '../../../backend/storage/storage.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions } from './harness.ts';

const storage = await openStorage(storageOptions(process.argv[2] ?? ''));
if (process.argv[3] === 'compact') {
  for (const folder of storage.care.folders()) await compactStorage(folder, { deadPercent: 1, bytesPerSecond: 2 ** 30, report: () => undefined, signal: new AbortController().signal });
  await storage.close();
  process.exit();
}
const account = await storage.createAccount('alice@example.com');
const target = { storage, account, mailbox: mailboxOf(account) };
await deliver(target, sampleMessage('opens the pack'));
for (let turn = 0; turn < 5; turn += 1) {
  writeSync(1, 'append\n');
  await deliver(target, sampleMessage(`turn ${turn}`, turn === 4 ? 400_000 : 4000));
  writeSync(1, 'stored\n');
}
await storage.close();
