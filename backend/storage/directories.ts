/** Directories whose names, and the names of the files in them, are on stable storage. */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes the directory and those above it that are missing, for this user only. Also the name of one that is there is
 * flushed: whoever made it may have been killed before doing so, or be about to.
 */
export function makeDirectory(path: string): void {
  const first = resolve(mkdirSync(path, { recursive: true, mode: 0o700 }) ?? path);
  for (let made = resolve(path); ; made = dirname(made)) {
    flush(dirname(made));
    if (made === first) return;
  }
}

/** Puts a file, or the names of a directory's files, on stable storage. */
export function flush(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
