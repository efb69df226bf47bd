/** A process that locks the data directory named by its argument, says so, and waits to be killed. */
import { lockDataDirectory } from '../../../backend/storage/storage.ts';

const lock = lockDataDirectory(process.argv[2] ?? '');
process.send?.('locked');
process.on('disconnect', () => lock.release());
