/**
 * Puts right what the index says of messages: their bytes are found again in the packs, structures are made anew, references
 * are counted, and those that are in no mailbox come into one. One transaction for each, which looks for itself.
 */
import { join } from 'node:path';
import { counted } from '../../../shared/base/counted.ts';
import { decodeStructure, encodeStructure } from '../../../shared/mime/encode-structure.ts';
import { AccountChange } from '../account-change.ts';
import { StoredAccount } from '../account.ts';
import { getAccount, getMailbox, mailboxIdOf } from '../entries.ts';
import type { MailboxEntry } from '../entries.ts';
import { keysUnder } from '../environment.ts';
import type { MessageRow } from '../interface.ts';
import { blockOf } from '../keys.ts';
import type { Tables } from '../keys.ts';
import { saveBlock } from '../mailbox-change.ts';
import { allRows } from '../mailbox-rows.ts';
import { createMailbox } from '../mailbox-tree.ts';
import { decodeMessage, encodeMessage } from '../message-store.ts';
import { packName } from '../pack-format.ts';
import { PackLedger } from '../pack-ledger.ts';
import { digestAt, frameOf, openPackFile } from '../pack-record.ts';
import type { FramedRecord } from '../pack-record.ts';
import type { PackPlace } from '../packs.ts';
import { emptyBlock, withRow } from '../row-block.ts';
import { scanStream } from '../scanned-message.ts';
import type { ScannedMessage } from '../scanned-message.ts';
import { threadOf } from '../threads.ts';
import type { Volume } from '../volume.ts';
import { lostAndFound } from './mended.ts';
import { accountsIn } from './mend-mailbox.ts';
import { isNamed } from './mend-left-over.ts';
import type { Mended } from './mended.ts';
import type { PackInventory } from './pack-inventory.ts';
import { keptStructure } from '../structure-texts.ts';

/** Both ends of a message's record; undefined when they are not sound. */
export async function frameAt(directory: string, place: PackPlace): Promise<FramedRecord | undefined> {
  const file = await openPackFile(join(directory, 'packs', packName(place.pack)), place.pack);
  try {
    return file === undefined ? undefined : await frameOf(file, place);
  } finally {
    await file?.close();
  }
}

/** Who the message was written for; undefined when that can't be told. */
export async function ownerOf(volume: Volume, directory: string, messageId: number): Promise<string | undefined> {
  const place = volume.environment.read(() => volume.messages.place(messageId));
  return place === undefined ? undefined : (await frameAt(directory, place))?.header.owner;
}

/** Reads the message once more for its structure; only when its bytes are those that were written. */
export async function mendStructure(volume: Volume, directory: string, messageId: number): Promise<readonly Mended[]> {
  const place = volume.environment.read(() => volume.messages.place(messageId));
  const found = place === undefined ? undefined : await scannedAt(volume, directory, place);
  if (found === undefined) return [];
  return volume.environment.write(() => {
    if (volume.messages.place(messageId) === undefined || volume.tables.structures.get([messageId]) !== undefined) return [];
    volume.tables.structures.put([messageId], found.structure);
    return [{ text: `the structure of message ${String(messageId)} was made anew` }];
  });
}

/** What is kept of the header is read once more; where the message can't be read, it is kept no longer. */
export async function mendFields(volume: Volume, directory: string, messageId: number): Promise<readonly Mended[]> {
  const place = volume.environment.read(() => volume.messages.place(messageId));
  const found = place === undefined ? undefined : await scannedAt(volume, directory, place);
  return volume.environment.write(() => {
    const { headerFields } = volume.tables;
    const known = headerFields.get([messageId]);
    if (known === undefined || volume.messages.place(messageId) === undefined || found?.fields.equals(known) === true) return [];
    if (found === undefined) headerFields.remove([messageId]);
    else headerFields.put([messageId], found.fields);
    return [{ text: `what is kept of the header of message ${String(messageId)} was ${found === undefined ? 'removed' : 'made anew'}` }];
  });
}

/** As the index keeps it. */
type KeptMessage = Pick<ScannedMessage, 'fields'> & { readonly structure: Buffer };

/** Undefined when the bytes are not those that were written. */
async function scannedAt(volume: Volume, directory: string, place: PackPlace): Promise<KeptMessage | undefined> {
  const frame = await frameAt(directory, place);
  const file = frame === undefined ? undefined : await openPackFile(join(directory, 'packs', packName(place.pack)), place.pack);
  try {
    if (frame === undefined || file === undefined || !(await digestAt(file, place)).equals(frame.trailer.digest)) return undefined;
  } finally {
    await file?.close();
  }
  const { structure, fields } = await scanStream(volume.packs.pieces(place));
  return { structure: encodeStructure(structure), fields };
}

/** A row names a message that the index does not have: its bytes are looked for among the records that nothing names, and known by account, size and date, and its structure where that is left: by that also those of an account that was renamed since. */
export async function relink(volume: Volume, { directory, inventory }: { readonly directory: string; readonly inventory: PackInventory }, where: { readonly mailbox: number; readonly uid: number }): Promise<readonly Mended[]> {
  const wanted = volume.environment.read(() => rowAndAccount(volume.tables, where));
  if (wanted === undefined) return [];
  const { row, account, mailbox } = wanted;
  const known = volume.environment.read(() => volume.tables.structures.get([row.messageId]));
  const fitting: (KeptMessage & { readonly place: PackPlace; readonly digest: string })[] = [];
  const isNobodys = (address: string): boolean => volume.environment.read(() => getAccount(volume.tables, address)) === undefined;
  const isFor = (address: string): boolean => address === account || (known !== undefined && isNobodys(address));
  for (const record of inventory.unnamed({ isFor, size: row.size, internalDateMs: row.internalDateMs })) {
    const scanned = await scannedAt(volume, directory, record.place);
    if (scanned !== undefined && (known === undefined || known.equals(scanned.structure))) fitting.push({ ...record, ...scanned });
  }
  const [found] = fitting;
  if (found === undefined || new Set(fitting.map(({ digest }) => digest)).size > 1) return []; // two that fit: nobody can tell which
  return volume.environment.write(() => {
    if (volume.messages.place(row.messageId) !== undefined) return [];
    new PackLedger(volume.environment).know(found.place.pack);
    volume.messages.add(found.place, keptStructure(decodeStructure(found.structure), found.fields, found.structure), row.messageId);
    inventory.name(found.place);
    return [{ account, mailbox, uid: where.uid, text: 'the bytes of the message were found again' }];
  });
}

function rowAndAccount(tables: Tables, { mailbox, uid }: { readonly mailbox: number; readonly uid: number }): { readonly row: MessageRow; readonly account: string; readonly mailbox: string } | undefined {
  const entry = getMailbox(tables, mailbox);
  const row = allRows(tables, mailbox).find((one) => one.uid === uid);
  const address = accountsIn(tables).find(({ number }) => number === entry?.account)?.address;
  return entry === undefined || row === undefined || address === undefined ? undefined : { row, account: address, mailbox: entry.name };
}

/** How often mailboxes name these messages, and with which size. All in one transaction: nobody else changes them meanwhile. */
export async function mendReferences(volume: Volume, suspects: ReadonlySet<number>): Promise<readonly Mended[]> {
  if (suspects.size === 0) return [];
  const { environment, tables } = volume;
  return environment.write(() => {
    const named = new Map<number, number>();
    for (const { value } of tables.mailboxes.range(keysUnder([]))) {
      const { id } = JSON.parse(value.toString()) as MailboxEntry;
      for (const row of allRows(tables, id)) if (suspects.has(row.messageId)) countRow(volume, named, { mailbox: id, row });
    }
    return [...suspects].flatMap((messageId): Mended[] => {
      const value = tables.messages.get([messageId]);
      const references = named.get(messageId) ?? 0;
      if (value === undefined || references === 0) return []; // one that is in no mailbox is another matter
      const entry = decodeMessage(value);
      if (entry.references === references) return [];
      tables.messages.put([messageId], encodeMessage({ ...entry, references }));
      return [{ text: `message ${String(messageId)} is in mailboxes ${counted(references, 'time')}; it was counted as ${String(entry.references)}` }];
    });
  });
}

function countRow({ tables, messages }: Volume, named: Map<number, number>, { mailbox, row }: { readonly mailbox: number; readonly row: MessageRow }): void {
  named.set(row.messageId, (named.get(row.messageId) ?? 0) + 1);
  const size = messages.place(row.messageId)?.length;
  if (size === undefined || size === row.size) return;
  const number = blockOf(row.uid);
  saveBlock(tables, mailbox, { number, block: withRow(Buffer.from(tables.rows.get([mailbox, number]) ?? emptyBlock), { ...row, size }) });
}

/** A message that is in no mailbox comes into one of who it was written for. Left as it is where that account is not here, or can't be changed now. */
export async function rescueOrphan(volume: Volume, directory: string, messageId: number): Promise<readonly Mended[]> {
  const { environment, tables, messages } = volume;
  const place = environment.read(() => messages.place(messageId));
  const frame = place === undefined ? undefined : await frameAt(directory, place);
  if (place === undefined || frame === undefined) return [];
  await mendStructure(volume, directory, messageId);
  const { owner, writtenAtMs } = frame.header;
  const rescued = await environment.write(() => {
    const entry = getAccount(tables, owner);
    const structure = messages.structure(messageId);
    const value = tables.messages.get([messageId]);
    if (entry === undefined || entry.movedTo !== undefined || entry.arriving !== undefined || entry.withdrawn !== undefined || structure === undefined || value === undefined || isNamed(tables, messageId)) return undefined;
    const change = new AccountChange(new StoredAccount(volume, entry));
    const mailbox = mailboxIdOf(tables, entry.number, lostAndFound) ?? createMailbox(change, lostAndFound, []);
    const uid = change.mailbox(mailbox).add({
      flags: 0, keywords: 0, size: place.length, internalDateMs: writtenAtMs, savedDateMs: Date.now(), messageId, threadId: threadOf(tables, entry.number, { keys: [], messageId }),
    });
    tables.messages.put([messageId], encodeMessage({ ...decodeMessage(value), references: 1 }));
    change.save('its-own');
    return { change, uid };
  });
  if (rescued === undefined) return [];
  rescued.change.publish();
  return [{ account: owner, mailbox: lostAndFound, uid: rescued.uid, text: 'a message that was in no mailbox any more' }];
}

/** What lives in each pack, from what the index says of messages. */
export async function mendLedger({ environment, tables }: Volume): Promise<readonly Mended[]> {
  return environment.write(() => {
    const live = new Map<number, number>();
    for (const { value } of tables.messages.range(keysUnder([]))) {
      const { place } = decodeMessage(value);
      live.set(place.pack, (live.get(place.pack) ?? 0) + place.length);
    }
    new PackLedger(environment).recount(live);
    return [{ text: 'what lives in each pack was counted anew' }];
  });
}
