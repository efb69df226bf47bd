/** Opens an environment and says whether that was after its parent let it: `node opening-process.ts <path> <sign of the parent>`. */
import { existsSync } from 'node:fs';
import { openEnvironment } from '../../../backend/storage/storage.ts';

const [, , path = '', sign = ''] = process.argv;
process.stdout.write('begins\n');
const environment = openEnvironment(path, ['one', 'two']);
process.stdout.write(existsSync(sign) ? 'opened after the release\n' : 'opened before the release\n');
await environment.close();
