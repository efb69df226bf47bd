/** Opens a storage, and says how that ended: `node opening-storage-process.ts <directory>`. An index that is damaged could end the process. */
import { openStorage } from '../../../backend/storage/storage.ts';
import { storageOptions } from './harness.ts';

const [, , directory = ''] = process.argv;
try {
  await (await openStorage(storageOptions(directory))).close();
  process.stdout.write('opened\n');
} catch (error) {
  process.stdout.write(`${error instanceof Error ? `${error.message} (${String(error.cause)})` : String(error)}\n`);
}
