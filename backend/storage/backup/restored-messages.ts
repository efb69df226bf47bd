/** Brings messages out of a backup into a storage: bytes that it has still are shared, others copied and compared with their checksum. */
import { Failure, isFailure } from '../../../shared/base/failure.ts';
import { decodeStructure } from '../../../shared/mime/encode-structure.ts';
import type { AccountChange } from '../account-change.ts';
import { keywordNames } from '../entries.ts';
import type { MessageRow } from '../interface.ts';
import { decodeRecordTrailer, trailerBytes } from '../pack-format.ts';
import { PassingHeader } from '../passing-header.ts';
import type { PackPlace, StagedBytes } from '../packs.ts';
import { threadKeys, threadOf } from '../threads.ts';
import type { Volume } from '../volume.ts';
import { keptStructure } from '../structure-texts.ts';

/** Whose messages, and where they go. */
export interface Bringing {
  readonly source: Volume;
  readonly target: Volume;
  readonly address: string;
  /** Name of the mailbox, for the notes of packs. */
  readonly mailbox: string;
  /** Keyword names of the mailbox in the backup. */
  readonly keywords: readonly string[];
}

/** A message that can enter a mailbox: its bytes are on stable storage. */
export interface Brought {
  readonly row: MessageRow;
  readonly structure: Buffer;
  /** Undefined: the storage has the message still. */
  readonly staged: StagedWhole | undefined;
}

interface StagedWhole extends StagedBytes {
  /** Of its header, see `KeptStructure`. */
  readonly fields: Buffer;
}

/** What of the rows can be brought, and the uids of what the backup itself has lost. Call `done` of what was staged when all is over. */
export async function bring(bringing: Bringing, rows: readonly MessageRow[]): Promise<{ readonly brought: readonly Brought[]; readonly damaged: readonly number[] }> {
  const brought: Brought[] = [];
  const damaged: number[] = [];
  for (const row of rows) {
    const one = await bringOne(bringing, row);
    if (one === undefined) damaged.push(row.uid);
    else brought.push(one);
  }
  await Promise.all(brought.map(async ({ staged }) => staged?.settled()));
  return { brought, damaged };
}

async function bringOne(bringing: Bringing, row: MessageRow): Promise<Brought | undefined> {
  const { source, target, address, mailbox, keywords } = bringing;
  const { place, structure } = source.environment.read(() => ({ place: source.messages.place(row.messageId), structure: source.messages.structure(row.messageId) }));
  if (place === undefined || structure === undefined) return undefined;
  if (target.environment.read(() => isSame(target, row.messageId, structure))) return { row, structure, staged: undefined };
  await target.space.check();
  const staged = await stageWhole(bringing, place, structure);
  if (staged === undefined) return undefined;
  await target.packs.note({ place: staged.place, account: address, mailbox, internalDateMs: row.internalDateMs, flags: row.flags, keywords: keywordNames(keywords, row.keywords) });
  return { row, structure, staged };
}

/** Undefined when the bytes in the backup are not those that were written once. */
async function stageWhole({ source, target, address }: Bringing, place: PackPlace, structure: Buffer): Promise<StagedWhole | undefined> {
  let staged: StagedBytes | undefined;
  try {
    const trailer = decodeRecordTrailer(await source.packs.read({ ...place, offset: place.offset + place.length, length: trailerBytes }, 0, trailerBytes));
    const bytes = await readWhole(source.packs.pieces(place));
    const header = new PassingHeader(structure);
    staged = await target.packs.stage(bytes, { maxBytes: place.length, owner: address, onChunk: (chunk) => header.add(chunk) });
    if (trailer?.digest.equals(staged.digest) === true) return { ...staged, fields: header.fields() };
  } catch (error) {
    if (!isFailure(error, 'storage-failure') || error.message !== unreadable) throw error;
  }
  staged?.done();
  return undefined;
}

const unreadable = 'the message in the backup can not be read';

/** A failure to read is the backup's, one to write the storage's: so each piece says whose it is. */
async function readWhole(pieces: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const iterator = pieces[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<Buffer>> => iterator.next().catch((error: unknown) => {
    throw new Failure('storage-failure', unreadable, { cause: error });
  });
  return Promise.resolve({ [Symbol.asyncIterator]: () => ({ next }) });
}

/** Counts the message as one more of the account; answers what its row has. Inside `write`. Throws `in-use` when what was shared is gone. */
export function enter(change: AccountChange, { row, structure, staged }: Brought): Pick<MessageRow, 'messageId' | 'threadId'> {
  const { messages, tables } = change.volume;
  const decoded = decodeStructure(structure);
  const known = isSame(change.volume, row.messageId, structure);
  if (!known && staged === undefined) throw new Failure('in-use', 'the account was changed meanwhile; run the command again');
  let { messageId } = row;
  if (known) messages.retain(messageId);
  else if (staged !== undefined) messageId = messages.add(staged.place, keptStructure(decoded, staged.fields, structure), messages.place(messageId) === undefined ? messageId : undefined);
  return { messageId, threadId: threadOf(tables, change.number, { keys: threadKeys(decoded), messageId: row.threadId }) };
}

/** Numbers of messages are drawn by chance in each storage: the same one may be another message's. */
function isSame({ messages }: Volume, messageId: number, structure: Buffer): boolean {
  return messages.place(messageId) !== undefined && messages.structure(messageId)?.equals(structure) === true;
}
