/** Writes to an environment until well after the first commit was refused, makes room and writes again; prints what became of it. */
import { Failure } from '../../../shared/base/failure.ts';
import { keysUnder, openEnvironment } from '../../../backend/storage/storage.ts';

const environment = openEnvironment(process.argv[2] ?? '');
const table = environment.table('t');
const refused: string[] = [];
let stored = 0;
for (let number = 0; number < 40; number += 1) {
  try {
    await environment.write(() => table.put([number], Buffer.alloc(20_000, number)));
    stored += 1;
  } catch (error) {
    refused.push(error instanceof Failure && error.cause instanceof Error ? `${error.kind}: ${error.cause.message}` : String(error));
  }
}
const found = environment.read(() => table.range(keysUnder([]))).length;
await environment.write(() => table.remove([0]));
await environment.write(() => table.put(['after'], Buffer.from('small')));
const after = environment.read(() => table.get(['after']))?.toString();
await environment.close();
process.stdout.write(JSON.stringify({ stored, found, refused, after }));
