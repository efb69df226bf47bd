/** Reads what counting-process.ts counts in an environment, until that file is there: `node reading-process.ts <path> <file>`. Says each time that it reads less than before, and how often it read. */
import { existsSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { openEnvironment } from '../../../backend/storage/storage.ts';

const [, , path = '', end = ''] = process.argv;
const environment = openEnvironment(path, ['t']);
const table = environment.table('t');
process.stdout.write('begins\n');
let [last, reads] = [0, 0];
while (!existsSync(end)) {
  const number = environment.read(() => Number(table.text(['number']) ?? 0));
  if (number < last) process.stdout.write(`${String(number)} after ${String(last)}\n`);
  [last, reads] = [number, reads + 1];
  await turn();
}
await environment.close();
process.stdout.write(`${String(reads)} reads\n`);
