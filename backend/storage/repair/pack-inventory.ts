/** What the packs of a storage say by themselves: which messages lie where, and for whom they were, by the notes of their delivery. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../shared/base/failure.ts';
import { packName } from '../pack-format.ts';
import { digestAt, openPackFile, recordsIn } from '../pack-record.ts';
import { placeKey } from '../packs.ts';
import type { DeliveryNote, PackPlace } from '../packs.ts';

/** A message in a pack. */
export interface InventoryMessage {
  readonly place: PackPlace;
  readonly owner: string;
  readonly writtenAtMs: number;
  /** SHA-256 as it was written, hex. */
  readonly digest: string;
}

/** Bytes of a pack that are no whole record. */
export interface PackDamage {
  readonly pack: number;
  readonly from: number;
  readonly to: number;
  readonly owner: string | undefined;
}

export interface InventoryOptions {
  readonly report: (text: string, done: { readonly bytes: number; readonly of: number }) => void;
  readonly signal: AbortSignal;
}

export class PackInventory {
  readonly messages = new Map<string, InventoryMessage>();
  /** Oldest first. */
  readonly notes: { readonly note: DeliveryNote; readonly writtenAtMs: number }[] = [];
  readonly damage: PackDamage[] = [];
  readonly packs: number[] = [];
  readonly #named = new Set<string>();

  /** Something names the message there. */
  name(place: PackPlace): void {
    this.#named.add(placeKey(place));
  }

  at(place: PackPlace): InventoryMessage | undefined {
    return this.messages.get(placeKey(place));
  }

  /** Messages that nothing names, and that were delivered to such an account with that size and date. */
  unnamed({ isFor, size, internalDateMs }: { readonly isFor: (account: string) => boolean; readonly size: number; readonly internalDateMs: number }): readonly InventoryMessage[] {
    const places = this.notes.filter(({ note }) => note.place.length === size && note.internalDateMs === internalDateMs && isFor(note.account) && !this.#named.has(placeKey(note.place)));
    return [...new Map(places.map(({ note }) => [placeKey(note.place), this.at(note.place)])).values()].filter((message) => message !== undefined);
  }

  /** Messages that nothing names. */
  left(): readonly InventoryMessage[] {
    return [...this.messages].filter(([key]) => !this.#named.has(key)).map(([, message]) => message);
  }
}

/** Reads all packs of the storage. Throws `storage-failure` where their folder is not there. Messages whose bytes are not those that were written are in it as they are. */
export async function takeInventory(directory: string, { report, signal }: InventoryOptions): Promise<PackInventory> {
  const inventory = new PackInventory();
  if (!existsSync(join(directory, 'packs'))) throw new Failure('storage-failure', `${directory} has no folder packs: is all of it mounted? Nothing was changed`);
  const numbers = readdirSync(join(directory, 'packs')).flatMap((name) => (/^\d{8,}\.pack$/.test(name) ? [Number.parseInt(name, 10)] : [])).sort((one, other) => one - other);
  for (const [index, number] of numbers.entries()) {
    signal.throwIfAborted();
    report(`reads what the packs of ${directory} say`, { bytes: index, of: numbers.length });
    await readPack(inventory, join(directory, 'packs', packName(number)), number);
  }
  inventory.notes.sort((one, other) => one.writtenAtMs - other.writtenAtMs);
  return inventory;
}

async function readPack(inventory: PackInventory, path: string, number: number): Promise<void> {
  const file = await openPackFile(path, number);
  inventory.packs.push(number);
  if (file === undefined) {
    inventory.damage.push({ pack: number, from: 0, to: Infinity, owner: undefined });
    return;
  }
  try {
    for await (const one of recordsIn(file, number)) {
      if (one.found === 'damage') inventory.damage.push({ pack: number, from: one.from, to: one.to, owner: one.owner });
      else if (one.header.kind === 'message') inventory.messages.set(placeKey(one.place), { place: one.place, owner: one.header.owner, writtenAtMs: one.header.writtenAtMs, digest: one.trailer.digest.toString('hex') });
      else if ((await digestAt(file, one.place)).equals(one.trailer.digest)) inventory.notes.push({ note: await noteAt(file, one.place), writtenAtMs: one.header.writtenAtMs });
    }
  } finally {
    await file.close();
  }
}

/** It has the checksum of what was written, so it is what was written. */
async function noteAt(file: Awaited<ReturnType<typeof openPackFile>> & object, { offset, length }: PackPlace): Promise<DeliveryNote> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, offset);
  return JSON.parse(bytes.toString()) as DeliveryNote;
}
