/** Ends in the midst of a commit: `node ending-process.ts <path of an environment> <exit | fault>`. */
import { openEnvironment } from '../../../backend/storage/storage.ts';

const [, , path = '', how = ''] = process.argv;
const environment = openEnvironment(path, ['t']);
const table = environment.table('t');
await environment.write(() => table.put(['answered'], Buffer.from('1')));
process.stdout.write('answered\n');
void environment.write(() => table.put(['open'], Buffer.from('1')));
setImmediate(() => {
  const untilMs = Date.now() + 200;
  while (Date.now() < untilMs); // the other thread has begun the transaction, and waits for what to write
  if (how === 'fault') throw new Error('a fault of a process');
  process.exit(1);
});
