/**
 * Contents of files that the configuration names and this node could not write: a front-end without a disk holds what it was given in
 * memory, in all of its processes, until the file itself is changed or the node ends.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** A text, and what the file said when it was given: another text in the file is newer, and counts. */
export interface HeldFile {
  readonly text: string;
  /** Undefined: there was none. */
  readonly insteadOf: string | undefined;
}

export type HeldFiles = Readonly<Record<string, HeldFile>>;

let held: HeldFiles = {};

/** All that this process holds, for its workers. */
export function heldFiles(): HeldFiles {
  return held;
}

/** What the first process of the node told. */
export function takeHeldFiles(files: HeldFiles): void {
  held = files;
}

export async function holdFile(file: string, text: string): Promise<void> {
  held = { ...held, [file]: { text, insteadOf: await textOnDisk(file) } };
}

/** The text in use: what is held, or what the file says. @throws the system's error when there is neither */
export async function readNamedFile(file: string): Promise<string> {
  const own = held[file];
  if (own === undefined || await textOnDisk(file) !== own.insteadOf) return readFile(file, 'utf8');
  return own.text;
}

/** The same at once, for what is small and seldom read. */
export function readNamedFileSync(file: string): string {
  const own = held[file];
  const read = (): string => readFileSync(file, 'utf8');
  if (own === undefined) return read();
  let onDisk: string | undefined;
  try {
    onDisk = read();
  } catch {
    onDisk = undefined; // as in `textOnDisk`
  }
  return onDisk === own.insteadOf ? own.text : read();
}

async function textOnDisk(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined; // whoever needs it says why
  }
}
