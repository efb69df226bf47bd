/** A process that locks the data directory named by its argument, says so, and waits to be killed. */
import { lockFolder } from '../../../shared/base/folder-lock.ts';

const lock = lockFolder(process.argv[2] ?? '', 'supervisor.lock');
process.send?.('locked');
process.on('disconnect', () => lock.release());
