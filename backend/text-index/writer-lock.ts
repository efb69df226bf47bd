/** Only one process at a time writes the text index of a storage. A lock whose process is gone counts for nothing. */
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, thisProcess } from '../storage/storage.ts';

/** Undefined when another process has the lock; else what gives it back. */
export function lockWriter(directory: string): (() => void) | undefined {
  const path = join(directory, 'text-index.writer');
  const draft = `${path}.${String(process.pid)}`;
  try {
    writeFileSync(draft, thisProcess(), { mode: 0o600 }); // on a full disk it is there, empty, and this fails
    if (!tryLink(draft, path)) {
      if (isAlive(holderOf(path))) return undefined;
      rmSync(path, { force: true });
      if (!tryLink(draft, path)) return undefined;
    }
    return () => rmSync(path, { force: true });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whether a process has that lock, which works in the storage by itself. */
export function isIndexing(directory: string): boolean {
  const path = join(directory, 'text-index.writer');
  return existsSync(path) && isAlive(holderOf(path));
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '0:'; // given back at this moment
  }
}
