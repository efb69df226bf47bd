/** Folders of the servers that a bench starts: they go when it ends, however that is; those of one that was killed go when the next begins. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ours = new Set<string>();

/** @param kind as `nginx` */
export function serverFolder(kind: string): string {
  if (ours.size === 0) {
    sweep();
    process.once('exit', () => ours.forEach(remove));
  }
  const folder = mkdtempSync(join(tmpdir(), `bench-${kind}-${String(process.pid)}-`));
  ours.add(folder);
  return folder;
}

function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = /^bench-[a-z]+-(\d+)-\w{6}$/.exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) remove(join(tmpdir(), name));
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A server that just ends may write there still: the next bench removes it then. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    process.stderr.write(`${folder} stays for now: ${String(error)}\n`);
  }
}
