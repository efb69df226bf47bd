/**
 * Fail-over of a back-end between two machines by docs/high-availability: addresses of their own and a floating one, a volume that one
 * of them mounts, a switch that fences. The machines are namespaces of this one's network, mounts, processes and host name; needs root.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const done = promisify(execFile);

test('mail-b takes over only when mail-a is fenced; then logins go on under the floating address, and all that was acknowledged is there', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-machines-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const [machines, inside] = [path.join(import.meta.dirname, 'fail-over-machines.sh'), path.join(import.meta.dirname, 'fail-over-machines-process.ts')];
  const words = ['--net', '--mount', 'sh', '-c', 'sh "$0" "$1" && exec "$2" --disable-warning=DEP0060 "$3" "$1"', machines, folder, process.execPath, inside];
  const { stdout } = await done('unshare', words, { timeout: 600_000 }); // rejects with what it said when something is not so
  t.diagnostic(stdout.trim());
});
