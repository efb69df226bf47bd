/** Notes again and again that a storage is taken out: `node noting-process.ts <folder of notes> <storage> <times>`. Begins when its standard input ends. */
import { text } from 'node:stream/consumers';
import { noteTakenOut } from '../../../backend/storage/storage-list.ts';

const [, , folder = '', directory = '', times = ''] = process.argv;
process.stdout.write('there\n');
await text(process.stdin);
for (let time = 0; time < Number(times); time += 1) noteTakenOut(folder, { directory, since: 'then', addresses: new Set([`${String(time)}@example.com`]) });
