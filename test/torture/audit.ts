/** Looks into a storage that nobody uses: whether index and packs agree in every number, and every byte has its checksum. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountEntry, MailboxEntry } from '../../backend/storage/entries.ts';
import { keysUnder } from '../../backend/storage/storage.ts';
import type { MessageRow } from '../../backend/storage/storage.ts';
import { decodeFileHeader, decodeRecordHeader, decodeRecordTrailer } from '../../backend/storage/pack-format.ts';
import type { PackPlace } from '../../backend/storage/storage.ts';
import { PackLedger } from '../../backend/storage/pack-ledger.ts';
import { collectRows, highestModseq } from '../../backend/storage/row-block.ts';
import { closeVolume, openVolume } from '../../backend/storage/volume.ts';
import type { Volume } from '../../backend/storage/volume.ts';

const all = keysUnder([]);

/** Throws at the first thing that is wrong. */
export async function audit(directory: string): Promise<void> {
  const hints = { publish: () => undefined, subscribe: () => () => undefined };
  const volume = openVolume(directory, { hints, reserveBytes: 0, quota: { bytes: 0, messages: 0 } });
  try {
    const rows = auditMailboxes(volume);
    const places = auditMessages(volume, rows);
    auditPacks(volume, directory, places);
  } finally {
    await closeVolume(volume);
  }
}

function auditMailboxes({ tables }: Volume): readonly MessageRow[] {
  const every: MessageRow[] = [];
  const recent: string[] = [];
  const entries = tables.mailboxes.range(all).map(({ value }) => JSON.parse(value.toString()) as MailboxEntry);
  const used = new Map<number, { bytes: number; messages: number }>();
  for (const entry of entries) {
    const rows: MessageRow[] = [];
    for (const { key, value } of tables.rows.range(keysUnder([entry.id]))) {
      collectRows(value, { fromUid: 0, toUid: 2 ** 32 - 1, sinceModseq: 0 }, rows);
      recent.push(`${entry.id} ${highestModseq(value)} ${String(key[1])}`);
    }
    auditMailbox(entry, rows);
    every.push(...rows);
    const sum = used.get(entry.account) ?? { bytes: 0, messages: 0 };
    used.set(entry.account, { bytes: sum.bytes + entry.bytes, messages: sum.messages + entry.messages });
  }
  assert.deepEqual(tables.recent.range(all).map(({ key }) => key.join(' ')).sort(), recent.sort(), 'blocks by mod-sequence');
  const names = tables.names.range(all).map(({ key, value }) => `${key.join(' ')} ${value.toString()}`);
  assert.deepEqual(names.sort(), entries.map(({ account, name, id }) => `${account} ${name} ${id}`).sort(), 'names');
  for (const { value } of tables.accounts.range(all)) {
    const { number, bytes, messages } = JSON.parse(value.toString()) as AccountEntry;
    assert.deepEqual({ bytes, messages }, used.get(number) ?? { bytes: 0, messages: 0 }, 'use of the account');
  }
  return every;
}

function auditMailbox(entry: MailboxEntry, rows: readonly MessageRow[]): void {
  const counted = {
    messages: rows.length,
    unseen: rows.filter(({ flags }) => (flags & 1) === 0).length,
    deleted: rows.filter(({ flags }) => (flags & 8) !== 0).length,
    bytes: rows.reduce((sum, { size }) => sum + size, 0),
  };
  const { messages, unseen, deleted, bytes } = entry;
  assert.deepEqual({ messages, unseen, deleted, bytes }, counted, `counters of ${entry.name}`);
  assert.ok(rows.every(({ uid }, index) => uid > (rows[index - 1]?.uid ?? 0)), `rows of ${entry.name} ascend`);
}

function auditMessages({ tables, messages }: Volume, rows: readonly MessageRow[]): readonly PackPlace[] {
  const references = new Map<number, number>();
  for (const { messageId } of rows) references.set(messageId, (references.get(messageId) ?? 0) + 1);
  const sizes = new Map(rows.map(({ messageId, size }) => [messageId, size]));
  const places = tables.messages.range(all).map(({ key, value }) => {
    const id = Number(key[0]);
    assert.equal(value.readUInt32LE(0), references.get(id), `references to message ${id}`);
    references.delete(id);
    const place = messages.place(id);
    assert.equal(place?.length, sizes.get(id), `size of message ${id}`);
    assert.ok(place !== undefined && messages.structure(id) !== undefined, `message ${id} has a structure`);
    return place;
  });
  assert.deepEqual([...references.keys()], [], 'messages that are missing');
  assert.equal(tables.structures.range(all).length, places.length, 'structures');
  return places;
}

function auditPacks({ environment }: Volume, directory: string, places: readonly PackPlace[]): void {
  const live = new Map<number, number>();
  const files = new Map<number, Buffer>();
  for (const place of places) {
    const file = files.get(place.pack) ?? readFileSync(join(directory, 'packs', `${String(place.pack).padStart(8, '0')}.pack`));
    files.set(place.pack, file);
    assert.equal(decodeFileHeader(file), place.pack, 'header of the pack');
    auditRecord(file, place);
    live.set(place.pack, (live.get(place.pack) ?? 0) + place.length);
  }
  const kept = new Map(new PackLedger(environment).all().map(({ number, entry }) => [number, entry.liveBytes]));
  for (const [number, bytes] of kept) assert.equal(bytes, live.get(number) ?? 0, `live bytes of pack ${number}`);
  for (const number of live.keys()) assert.ok(kept.has(number), `pack ${number} is in the index`);
}

function auditRecord(file: Buffer, { pack, offset, length }: PackPlace): void {
  const body = file.subarray(offset, offset + length);
  const trailer = decodeRecordTrailer(file.subarray(offset + length));
  assert.ok(trailer?.outcome === 'whole' && trailer.length === length, `trailer at ${offset + length} of pack ${pack}`);
  assert.ok(trailer.digest.equals(createHash('sha256').update(body).digest()), `checksum at ${offset} of pack ${pack}`);
  const header = decodeRecordHeader(file.subarray(trailer.recordStart));
  assert.equal(trailer.recordStart + (header?.headerBytes ?? 0), offset, `header before ${offset} of pack ${pack}`);
}
