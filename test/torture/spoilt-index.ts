/** Spoils the index of a storage in many places at once, so that nothing is lost for good: each thing can be told from the rest. */
import { inIndex } from '../backend/storage/damage.ts';

const all = { from: [], to: ['\u{10ffff}\u{10ffff}'] };

type Entry = Readonly<Record<string, unknown>>;

export async function spoilIndex(directory: string): Promise<void> {
  await changeJson(directory, 'mailboxes', (entry) => ({ ...entry, unseen: Number(entry['unseen']) + 3, bytes: 1 }));
  await changeJson(directory, 'accounts', (entry) => ({ ...entry, messages: Number(entry['messages']) + 1 }));
  await inIndex(directory, 'recent', (table) => { for (const { key } of everyThird(table.range(all))) table.remove(key); });
  await inIndex(directory, 'names', (table) => { for (const { key } of everyThird(table.range(all))) table.remove(key); });
  await inIndex(directory, 'packs', (table) => {
    for (const { key, value } of table.range(all)) if (typeof key[0] === 'number') table.put(key, Buffer.from(JSON.stringify({ ...(JSON.parse(value.toString()) as Entry), liveBytes: 1 })));
  });
  const lost: number[] = [];
  await inIndex(directory, 'messages', (table) => {
    for (const [index, { key, value }] of table.range(all).entries()) {
      if (index % 4 === 0) table.remove(key);
      else if (index % 4 === 1) {
        const wrong = Buffer.from(value);
        wrong.writeUInt32LE(wrong.readUInt32LE(0) + 2, 0);
        table.put(key, wrong);
      } else lost.push(Number(key[0]));
    }
  });
  await inIndex(directory, 'structures', (table) => { for (const id of lost) table.remove([id]); });
}

function everyThird<T>(entries: readonly T[]): readonly T[] {
  return entries.filter((_, index) => index % 3 === 0);
}

async function changeJson(directory: string, name: string, to: (entry: Entry) => Entry): Promise<void> {
  await inIndex(directory, name, (table) => {
    for (const { key, value } of table.range(all)) table.put(key, Buffer.from(JSON.stringify(to(JSON.parse(value.toString()) as Entry))));
  });
}
