/** Goes through big tables some entries at a time; other work of the process gets its turn in between. */
import { keysUnder } from './environment.ts';
import type { Environment, Key, Table } from './environment.ts';

export interface TableEntry {
  readonly key: Key;
  readonly value: Buffer;
}

const usualPage = 1000;

/** The entries of a table that nobody changes. */
export function pagesOf(table: Table): AsyncGenerator<readonly TableEntry[]> {
  return pages((from) => table.range({ ...keysUnder([]), from, limit: usualPage }));
}

/** The entries of a table in use, each page as it is when its turn comes. */
export function freshPagesOf(environment: Environment, table: Table, limit: number = usualPage): AsyncGenerator<readonly TableEntry[]> {
  return pages((from) => environment.read(() => table.range({ ...keysUnder([]), from, limit: Math.max(limit, 2) })));
}

async function* pages(read: (from: Key) => readonly TableEntry[]): AsyncGenerator<readonly TableEntry[]> {
  let last: Key | undefined;
  for (;;) {
    const page = read(last ?? keysUnder([]).from);
    const fresh = last !== undefined && isSame(page[0]?.key, last) ? page.slice(1) : page;
    if (fresh.length === 0) return;
    yield fresh;
    last = fresh.at(-1)?.key;
    await breathe();
  }
}

function isSame(one: Key | undefined, other: Key): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export async function breathe(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
