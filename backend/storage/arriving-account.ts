/**
 * The side of a move where the account arrives. Until it is activated its record says `arriving`, so nobody opens it, and the
 * `highestModseq` of each mailbox is the mark up to which its changes have come: after a crash the copy goes on from there.
 */
import { definite } from '../../shared/base/definite.ts';
import { Failure } from '../../shared/base/failure.ts';
import { isAlive } from '../../shared/base/process-identity.ts';
import { decodeStructure } from '../../shared/mime/encode-structure.ts';
import { dropMailOf, forgetCrossing } from './accounts-table.ts';
import { dropAccountAnnotations, putAnnotations } from './annotations.ts';
import { getAccount, keywordNames, putAccount, putActs, putLocalName, putMailbox, putName } from './entries.ts';
import type { AccountEntry, MailboxEntry, RetiredName } from './entries.ts';
import { keysUnder } from './environment.ts';
import { dropGrants, noteGrants } from './grants.ts';
import type { MessageRow } from './interface.ts';
import { blockOf, nextNumber, noValue } from './keys.ts';
import type { Tables } from './keys.ts';
import { mailboxesOf } from './leaving-account.ts';
import { saveBlock } from './mailbox-change.ts';
import { allRows } from './mailbox-rows.ts';
import { dropMessages } from './mailbox-tree.ts';
import { PassingHeader } from './passing-header.ts';
import { emptyBlock, encodeUidRanges, findRow, withoutRow, withRow } from './row-block.ts';
import { StagedArrival } from './staged-arrival.ts';
import { keptStructure } from './structure-texts.ts';
import { threadKeys } from './threads.ts';
import type { AccountSnapshot, Arrivals, ArrivedMessage, ArrivingRecord, CameRecord } from './transfers.ts';
import { noteUidValidity } from './uid-validity.ts';
import type { Volume } from './volume.ts';

export async function beginArrival(volume: Volume, address: string, move: { readonly from: string; readonly id: string; readonly epoch: number; readonly holder: string }): Promise<void> {
  await volume.space.check();
  const { from, id, epoch, holder } = move;
  await volume.environment.write(() => {
    const old = getAccount(volume.tables, address);
    if (old !== undefined && old.movedTo === undefined && old.arriving === undefined) throw new Failure('mailbox-exists', 'this node owns the account');
    if (old?.arriving !== undefined && old.arriving.holder !== holder && isWorker(old.arriving.holder)) throw new Failure('in-use', 'the account is being moved to here already');
    if (old?.arriving?.from === from && old.id === id) {
      const { stage } = old.epoch === epoch ? old.arriving : { stage: 'copying' as const };
      return putAccount(volume.tables, { ...old, epoch, arriving: { from, stage, holder } });
    }
    volume.tables.arriving.put([address], noValue);
    if (old?.movedTo !== undefined && old.left?.mail !== 'removed') dropMailOf(volume, old);
    if (old?.arriving !== undefined) dropArrived(volume, old);
    putAccount(volume.tables, { number: nextNumber(volume.tables, 'account'), id, address, epoch, bytes: 0, messages: 0, arriving: { from, stage: 'copying', holder } });
  });
}

/** Whether a process works at an arrival: one that lives and has not given up. */
export function isWorker(holder: string): boolean {
  return holder !== '' && isAlive(holder);
}

export async function restArrival(volume: Volume, address: string, holder: string): Promise<void> {
  await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.arriving?.holder === holder) putAccount(volume.tables, { ...entry, arriving: { ...entry.arriving, holder: '' } });
    if (entry?.came?.holder === holder) putAccount(volume.tables, { ...entry, came: { ...entry.came, holder: '' } });
  });
}

export function arrivingRecords(volume: Volume): ArrivingRecord[] {
  const { environment, tables } = volume;
  return environment.read(() => tables.arriving.range(keysUnder([])).flatMap(({ key }): ArrivingRecord[] => {
    const entry = getAccount(tables, String(key[0]));
    return entry?.arriving === undefined ? [] : [{ address: entry.address, epoch: entry.epoch, ...entry.arriving }];
  }));
}

export function cameRecords(volume: Volume): CameRecord[] {
  const { environment, tables } = volume;
  return environment.read(() => tables.arriving.range(keysUnder([])).flatMap(({ key }): CameRecord[] => {
    const entry = getAccount(tables, String(key[0]));
    return entry?.came === undefined ? [] : [{ address: entry.address, ...entry.came }];
  }));
}

export async function takeUpArrival(volume: Volume, address: string, holder: string): Promise<void> {
  await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.came === undefined || entry.came.holder === holder) return;
    if (isWorker(entry.came.holder)) throw new Failure('in-use', 'another process is about to finish the move');
    putAccount(volume.tables, { ...entry, came: { ...entry.came, holder } });
  });
}

/** Nothing is left to do for an account that came. */
export async function finishArrival(volume: Volume, address: string): Promise<void> {
  await forgetCrossing(volume, address, 'came');
}

export function marksOf(volume: Volume, address: string): ReadonlyMap<string, number> {
  return volume.environment.read(() => {
    const { number } = requireArriving(volume, address);
    return new Map(mailboxesOf(volume, number).map(({ mailboxId, highestModseq }) => [mailboxId, highestModseq]));
  });
}

export async function writeArrival(volume: Volume, address: string, message: { readonly messageId: number; readonly size: number; readonly structure: Buffer; readonly bytes: AsyncIterable<Buffer> }): Promise<StagedArrival> {
  await volume.space.check();
  const header = new PassingHeader(message.structure);
  const bytes = await volume.packs.stage(message.bytes, { maxBytes: message.size, owner: address, onChunk: (chunk) => header.add(chunk) });
  return new StagedArrival(message.messageId, bytes, { structure: message.structure, fields: header.fields() });
}

export async function shapeArrival(volume: Volume, address: string, snapshot: AccountSnapshot): Promise<void> {
  const { tables } = volume;
  await volume.environment.write(() => {
    const { number } = requireArriving(volume, address);
    const known = new Map(mailboxesOf(volume, number).map((entry) => [entry.mailboxId, entry]));
    for (const { key } of tables.names.range(keysUnder([number]))) tables.names.remove(key);
    for (const theirs of snapshot.mailboxes) {
      const ours = known.get(theirs.mailboxId);
      known.delete(theirs.mailboxId);
      const entry = { ...theirs, id: ours?.id ?? nextNumber(tables, 'mailbox'), account: number, highestModseq: ours?.highestModseq ?? 0 };
      replaceMailbox(tables, ours, { entry, owner: address });
      putName(tables, entry);
    }
    for (const gone of known.values()) dropMessages(volume, gone.id);
  });
}

export async function applyArrivals(volume: Volume, address: string, { mailbox, page, arrived, gone }: Arrivals): Promise<void> {
  const staged = new Map(arrived.map((message) => [message.messageId, stagedArrival(message)]));
  await settleAll(volume, address, { mailbox, rows: page.rows, staged });
  await volume.environment.write(() => {
    const { number } = requireArriving(volume, address);
    const entry = mailboxesOf(volume, number).find(({ mailboxId }) => mailboxId === mailbox.mailboxId);
    if (entry === undefined) throw new Failure('mailbox-missing', 'mailbox does not exist');
    for (const { modseq, uids } of page.expunged) volume.tables.expunged.put([entry.id, modseq], encodeUidRanges(uids));
    const rows = new Map(page.rows.map((row) => [row.uid, row]));
    const messages = { volume, account: number, staged, gone };
    const uids = [...new Set([...page.expunged.flatMap((one) => one.uids), ...rows.keys()])];
    changeRows(volume, entry.id, { uids, row: (uid) => admitted(messages, rows.get(uid)) });
    putMailbox(volume.tables, { ...entry, highestModseq: page.upTo });
  });
}

export async function completeArrival(volume: Volume, address: string, snapshot: AccountSnapshot): Promise<void> {
  const { tables } = volume;
  await volume.environment.write(() => {
    const entry = requireArriving(volume, address);
    const ours = new Map(mailboxesOf(volume, entry.number).map((mailbox) => [mailbox.mailboxId, mailbox]));
    for (const theirs of snapshot.mailboxes) {
      const known = ours.get(theirs.mailboxId);
      if (known?.highestModseq !== theirs.highestModseq) throw new Failure('storage-failure', `the copy of ${theirs.name} is not whole`);
      replaceMailbox(tables, known, { entry: { ...theirs, id: known.id, account: entry.number }, owner: address });
    }
    replaceNames(tables, entry.number, snapshot);
    putActs(tables, entry.number, snapshot.acts ?? []);
    dropAccountAnnotations(tables, entry.number);
    putAnnotations(tables, entry.number, { records: snapshot.annotations ?? [], mailboxes: new Map([...ours].map(([mailboxId, { id }]) => [mailboxId, id])) });
    const { bytes, messages, password, terms, limits, directoryLimits, aliases, sessionEpoch } = snapshot;
    putAccount(tables, { ...withStage(entry, 'ready'), bytes, messages, sessionEpoch, ...definite({ password, terms, limits, directoryLimits, aliases }) });
  });
}

export async function activateArrival(volume: Volume, address: string): Promise<void> {
  const id = await volume.environment.write(() => {
    const { arriving, ...live } = requireArriving(volume, address);
    if (arriving?.stage !== 'ready') throw new Failure('storage-failure', 'the copy of the account is not whole');
    putAccount(volume.tables, { ...live, came: { from: arriving.from, holder: arriving.holder } });
    for (const alias of live.aliases ?? []) putLocalName(volume.tables, alias, { kind: 'alias', account: address });
    return live.id;
  });
  volume.hints.publish({ account: id });
}

export async function abandonArrival(volume: Volume, address: string, stage: 'copying' | 'any'): Promise<'gone' | 'stays'> {
  return volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.arriving === undefined) return 'gone';
    if (stage === 'copying' && entry.arriving.stage !== 'copying') return 'stays';
    dropArrived(volume, entry);
    const { number, id, epoch, arriving: { from } } = entry;
    // Whoever comes here is sent to where it is.
    putAccount(volume.tables, { number, id, address, epoch: epoch - 1, bytes: 0, messages: 0, movedTo: from, left: { atMs: Date.now(), mail: 'removed' } });
    volume.tables.arriving.remove([address]);
    return 'gone';
  });
}

/** Rights included. What is made here under its name later gets a higher UIDVALIDITY (RFC 9051 section 2.3.1.1). */
function replaceMailbox(tables: Tables, before: MailboxEntry | undefined, { entry, owner }: { readonly entry: MailboxEntry; readonly owner: string }): void {
  if (before !== undefined) dropGrants(tables, before);
  noteUidValidity(tables, entry.uidValidity);
  putMailbox(tables, entry);
  noteGrants(tables, entry, owner);
}

function withStage(entry: AccountEntry, stage: 'copying' | 'ready'): AccountEntry {
  return entry.arriving === undefined ? entry : { ...entry, arriving: { ...entry.arriving, stage } };
}

function dropArrived(volume: Volume, { number }: AccountEntry): void {
  const { tables } = volume;
  tables.acts.remove([number]);
  dropAccountAnnotations(tables, number);
  for (const { id } of mailboxesOf(volume, number)) dropMessages(volume, id);
  for (const table of [tables.names, tables.subscriptions, tables.retiredNames, tables.threads]) {
    for (const { key } of table.range(keysUnder([number]))) table.remove(key);
  }
}

function replaceNames(tables: Tables, account: number, { subscriptions, retiredNames }: AccountSnapshot): void {
  for (const table of [tables.subscriptions, tables.retiredNames]) {
    for (const { key } of table.range(keysUnder([account]))) table.remove(key);
  }
  for (const name of subscriptions) tables.subscriptions.put([account, name], noValue);
  for (const [name, retired] of retiredNames) {
    noteUidValidity(tables, retired.uidValidity);
    tables.retiredNames.put([account, name], Buffer.from(JSON.stringify(retired satisfies RetiredName)));
  }
}

/** Bytes and notes are on stable storage before the index names them. */
async function settleAll(volume: Volume, address: string, { mailbox, rows, staged }: { readonly mailbox: MailboxEntry; readonly rows: readonly MessageRow[]; readonly staged: ReadonlyMap<number, StagedArrival> }): Promise<void> {
  await Promise.all(rows.map(async ({ messageId, internalDateMs, flags, keywords }) => {
    const place = staged.get(messageId)?.bytes.place;
    if (place === undefined) return;
    await volume.packs.note({ place, account: address, mailbox: mailbox.name, internalDateMs, flags, keywords: keywordNames(mailbox.keywords, keywords) });
  }));
  await Promise.all([...staged.values()].map(async ({ bytes }) => bytes.settled()));
}

/**
 * Puts, replaces or (undefined) removes the rows of these uids, block by block. All new rows are made first, which counts their messages, and
 * what was there is released afterwards: a message that went to another mailbox and came back is a row that goes and one that comes.
 */
function changeRows(volume: Volume, mailbox: number, { uids, row }: { readonly uids: readonly number[]; readonly row: (uid: number) => MessageRow | undefined }): void {
  const rows = uids.toSorted((one, other) => one - other).map((uid) => ({ uid, after: row(uid) }));
  for (const [number, inBlock] of Map.groupBy(rows, ({ uid }) => blockOf(uid))) {
    let block = Buffer.from(volume.tables.rows.get([mailbox, number]) ?? emptyBlock);
    for (const { uid, after } of inBlock) {
      const before = findRow(block, uid);
      if (before !== undefined) volume.messages.release(before.messageId);
      block = Buffer.from(after === undefined ? withoutRow(block, uid) : withRow(block, after));
    }
    saveBlock(volume.tables, mailbox, { number, block });
  }
}

interface Admission {
  readonly volume: Volume;
  readonly account: number;
  readonly staged: ReadonlyMap<number, StagedArrival>;
  readonly gone: ReadonlySet<number>;
}

/** The row with its message counted once more; undefined when its message is gone at the source, which tells of that later. */
function admitted({ volume, account, staged, gone }: Admission, row: MessageRow | undefined): MessageRow | undefined {
  if (row === undefined) return undefined;
  const { messages } = volume;
  const arrival = staged.get(row.messageId);
  if (messages.place(row.messageId) !== undefined) {
    refuseOther(messages, arrival);
    messages.retain(row.messageId);
  } else if (arrival === undefined) {
    if (!gone.has(row.messageId)) throw new Failure('storage-failure', 'a message of the account has not come');
    return undefined;
  } else messages.add(arrival.bytes.place, keptStructure(decodeStructure(arrival.structure), arrival.fields, arrival.structure), row.messageId);
  if (arrival !== undefined) learnThread(volume.tables, account, { row, structure: arrival.structure });
  return row;
}

/** Storages draw the upper part of their numbers by chance: a number that is taken here may be another message's, and that must never be shown. */
function refuseOther(messages: Volume['messages'], arrival: StagedArrival | undefined): void {
  if (arrival === undefined || messages.structure(arrival.messageId)?.equals(arrival.structure) === true) return;
  throw new Failure('storage-failure', `the number ${String(arrival.messageId)} of a message is taken by another one in this storage: the account can not come here`);
}

function learnThread(tables: Tables, account: number, { row, structure }: { readonly row: MessageRow; readonly structure: Buffer }): void {
  const value = Buffer.alloc(8);
  value.writeDoubleLE(row.threadId);
  for (const key of threadKeys(decodeStructure(structure))) {
    if (tables.threads.get([account, key]) === undefined) tables.threads.put([account, key], value);
  }
}

function stagedArrival(message: ArrivedMessage): StagedArrival {
  if (message instanceof StagedArrival) return message;
  throw new Failure('bad-input', 'message did not arrive in a storage');
}

function requireArriving(volume: Volume, address: string): AccountEntry {
  const entry = getAccount(volume.tables, address);
  if (entry?.arriving === undefined) throw new Failure('unknown-user', 'no such account is on its way');
  return entry;
}

/** The numbers of the messages that have come into the account's mailboxes so far. */
export function arrivedMessageIds(volume: Volume, address: string): ReadonlySet<number> {
  return volume.environment.read(() => {
    const rows = mailboxesOf(volume, requireArriving(volume, address).number).flatMap(({ id }) => allRows(volume.tables, id));
    return new Set(rows.map(({ messageId }) => messageId));
  });
}
