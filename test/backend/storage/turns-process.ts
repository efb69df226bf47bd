/** Is alone with a path so many times: `node turns-process.ts <path> <times>`. Fails when another process is there, too. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from '../../../backend/storage/environment-file.ts';

const [, , path = '', times = ''] = process.argv;
const sign = join(path, 'somebody');
for (let turn = 0; turn < Number(times); turn += 1) {
  alone(path, () => {
    closeSync(openSync(sign, 'wx'));
    rmSync(sign);
  });
}
