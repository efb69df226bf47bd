/** Counts in an environment, and tells each number once it is committed: `node counting-process.ts <path>`. Goes on from what it finds, until it is killed. */
import { writeSync } from 'node:fs';
import { openEnvironment } from '../../../backend/storage/storage.ts';

/** Node's own stream would make it one that refuses what the other side, on a busy machine, has not read yet (`EAGAIN`). */
const stdoutNumber = 1;
const [, , path = ''] = process.argv;
const environment = openEnvironment(path, ['t']);
const table = environment.table('t');
for (;;) {
  const number = await environment.write(() => {
    const next = 1 + Number(table.text(['number']) ?? 0);
    table.put(['number'], Buffer.from(String(next)));
    return next;
  });
  writeSync(stdoutNumber, `${String(number)}\n`);
}
