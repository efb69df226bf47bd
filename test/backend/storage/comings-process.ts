/** Opens an environment, writes to it and closes it so many times: `node comings-process.ts <path> <times>`. */
import { openEnvironment } from '../../../backend/storage/storage.ts';

const [, , path = '', times = ''] = process.argv;
for (let time = 0; time < Number(times); time += 1) {
  const environment = openEnvironment(path, ['t']);
  await environment.write(() => environment.table('t').put([process.pid], Buffer.from(String(time))));
  await environment.close();
}
