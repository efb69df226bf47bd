/** A process that lets two lots of messages enter a mailbox without showing them, says so, and waits to be killed. */
import { openStorage } from '../../../backend/storage/storage.ts';
import { enterLot } from './lot.ts';
import { mailboxOf, storageOptions } from './harness.ts';

const storage = await openStorage(storageOptions(process.argv[2] ?? ''));
const account = await storage.createAccount(process.argv[3] ?? '');
const lots = mailboxOf(account).lots();
await enterLot({ storage, address: account.address }, lots, ['one', 'two']);
await enterLot({ storage, address: account.address }, lots, ['three']);
process.send?.('between');
process.on('disconnect', () => void storage.close());
