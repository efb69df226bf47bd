/** Damage planted in a storage by hand, beside all rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEnvironment } from '../../../backend/storage/storage.ts';
import type { Table } from '../../../backend/storage/storage.ts';

/** What becomes of an entry; undefined leaves it, and the next one is asked. */
export type Change = (value: Buffer, key: readonly (string | number)[]) => Buffer | 'remove' | undefined;

/** Changes entries of the index. */
export async function inIndex(directory: string, name: string, action: (table: Table) => void): Promise<void> {
  const environment = openEnvironment(join(directory, 'index'));
  const table = environment.table(name);
  await environment.write(() => action(table));
  await environment.close();
}

const all = { from: [], to: ['\u{10ffff}\u{10ffff}'] };

/** Changes the first entry that fits; what it answers puts it back. */
export async function change(directory: string, name: string, to: Change): Promise<() => Promise<void>> {
  let undo: () => Promise<void> = async () => Promise.resolve();
  await inIndex(directory, name, (table) => {
    for (const { key, value } of table.range(all)) {
      const next = to(Buffer.from(value), key);
      if (next === undefined) continue;
      undo = async () => inIndex(directory, name, (same) => same.put(key, value));
      if (next === 'remove') table.remove(key);
      else table.put(key, next);
      return;
    }
    throw new Error(`no entry of ${name} fits`);
  });
  return undo;
}

export function json(value: Buffer, changes: (entry: Record<string, unknown>) => Record<string, unknown> | undefined): Buffer | undefined {
  const entry = JSON.parse(value.toString()) as Record<string, unknown>;
  const changed = changes(entry);
  return changed === undefined ? undefined : Buffer.from(JSON.stringify({ ...entry, ...changed }));
}

/** The pack that has the text. */
export function packWith(directory: string, text: string): { readonly path: string; readonly bytes: Buffer } {
  for (const name of readdirSync(join(directory, 'packs'))) {
    const path = join(directory, 'packs', name);
    const bytes = readFileSync(path);
    if (bytes.includes(text)) return { path, bytes };
  }
  throw new Error(`no pack has ${text}`);
}
