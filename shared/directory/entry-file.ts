/** Keeps the tree in an LDIF file, which always holds a whole, committed state: written beside, synced, then renamed over. */
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { entryFromRecord, recordFromEntry, treeKey } from './entry.ts';
import type { DirectoryEntry, Tree } from './entry.ts';
import { formatRecord, joinRecords, parseLdif } from './ldif.ts';

/** Reads the file; an absent file is an empty directory. @throws LdifError, NameSyntaxError, or the system's error */
export async function loadTree(file: string): Promise<Tree> {
  const entries = parseLdif(await readIfThere(file)).map(entryFromRecord).toSorted((a, b) => a.dn.length - b.dn.length);
  const tree = new Map(entries.map((entry) => [treeKey(entry.dn), entry]));
  if (tree.size !== entries.length) throw new Error(`${file}: an entry is there twice`);
  return tree;
}

/**
 * Replaces the file. When this resolves the new state is on stable storage: content synced before the rename, the folder after.
 * Passwords are in it, so that nobody but the owner may read it.
 */
export async function saveTree(file: string, tree: Tree): Promise<void> {
  const fresh = `${file}.new`;
  const handle = await fs.open(fresh, 'w', 0o600);
  try {
    await handle.writeFile(joinRecords([...tree.values()].map(textOf)));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fs.rename(fresh, file);
  await syncFolder(path.dirname(file));
}

/** Tells whether the file is still the one that was read or written last. */
export async function fileVersion(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await fs.stat(file, { bigint: true });
    return [ino, size, mtimeNs].join('-');
  } catch (error) {
    if (isAbsent(error)) return 'absent';
    throw error;
  }
}

/** Entries never change, and a change of the directory leaves nearly all of them in place: each is formatted once. */
const texts = new WeakMap<DirectoryEntry, string>();

function textOf(entry: DirectoryEntry): string {
  const known = texts.get(entry);
  if (known !== undefined) return known;
  const text = formatRecord(recordFromEntry(entry));
  texts.set(entry, text);
  return text;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return '';
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
