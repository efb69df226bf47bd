/** Keeps all other processes from writing to an index for a while: `node hold-index.ts DIRECTORY MILLISECONDS`. Tells its parent when it does. */
import { openEnvironment } from '../../backend/storage/storage.ts';

const environment = openEnvironment(process.argv[2] ?? '');
await environment.write(() => {
  process.send?.('holding');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.argv[3]));
});
await environment.close();
process.disconnect();
