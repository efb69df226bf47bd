/** Delivers to a storage until a commit has failed, a hundred times at most; prints what the delivery heard, and what the log was told. */
import { createLog } from '../../../shared/log/log.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions } from './harness.ts';

const told: unknown[] = [];
const log = Object.assign(createLog({ node: 'be1', level: 'silent' }), { error: (...[facts, words]: readonly unknown[]) => told.push({ facts, words }) });
const storage = await openStorage({ ...storageOptions(process.argv[2] ?? ''), log });
const account = await storage.createAccount('alice@example.com');
let heard: string | undefined;
for (let number = 0; number < 100 && heard === undefined; number += 1) {
  await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage(`n${String(number)}`)).catch((error: unknown) => { heard = error instanceof Failure ? error.kind : String(error); });
}
process.stdout.write(`${JSON.stringify({ heard, told })}\n`, () => process.exit(0));
