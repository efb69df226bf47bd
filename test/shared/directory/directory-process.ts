// The embedded directory as a process of its own, for the tests that kill it: node directory-process.ts FILE
import { startDirectory } from '../../../shared/directory/directory.ts';
import { keepingLog } from '../../harness/people.ts';
import { slapdBase } from '../../harness/slapd.ts';

const directory = await startDirectory({ host: '127.0.0.1', port: 0, ...slapdBase, file: process.argv[2] ?? '', log: keepingLog().log });
process.stdout.write(`${String(directory.port)}\n`);
