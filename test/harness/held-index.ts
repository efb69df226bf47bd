/** An index that nobody can write to for a while, as another process does. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Resolves when nobody else can write to the index in that folder; the process that holds it ends after `forMs`. */
export async function holdIndex(folder: string, forMs: number): Promise<ChildProcess> {
  const holder = fork(join(import.meta.dirname, 'hold-index.ts'), [folder, String(forMs)]);
  await once(holder, 'message');
  return holder;
}
