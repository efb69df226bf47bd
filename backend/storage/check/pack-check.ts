/** Whether the bytes of messages are in the packs as they were written: each record is read whole, and compared with its checksum. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { decodeFileHeader, decodeRecordHeader, decodeRecordTrailer, fileHeaderBytes, trailerBytes } from '../pack-format.ts';
import type { PackPlace } from '../packs.ts';

/** What is wrong with one record. */
export type RecordFault = 'pack-lost' | 'record-torn' | 'record-changed';

export interface PlacedMessage {
  readonly messageId: number;
  readonly place: PackPlace;
}

const pieceBytes = 256 * 1024;
/** Header and name of the owner. */
const longestHeader = 64 * 1024 + 32;

/** @param onFault hears of each message whose bytes are not whole; @param onBytes how much was read */
export async function checkPack(path: string, messages: readonly PlacedMessage[], { onFault, onBytes }: { readonly onFault: (message: PlacedMessage, fault: RecordFault) => void; readonly onBytes: (bytes: number) => void }): Promise<void> {
  const file = await open(path, 'r').catch(() => undefined);
  try {
    const isPack = file !== undefined && decodeFileHeader(await read(file, 0, fileHeaderBytes)) === messages[0]?.place.pack;
    for (const message of messages.toSorted((one, other) => one.place.offset - other.place.offset)) {
      const fault = file !== undefined && isPack ? await recordFault(file, message.place) : 'pack-lost';
      if (fault !== undefined) onFault(message, fault);
      onBytes(message.place.length);
    }
  } finally {
    await file?.close();
  }
}

async function recordFault(file: FileHandle, { offset, length }: PackPlace): Promise<RecordFault | undefined> {
  const trailer = decodeRecordTrailer(await read(file, offset + length, trailerBytes));
  if (trailer?.outcome !== 'whole' || trailer.length !== length) return 'record-torn';
  const before = offset - trailer.recordStart;
  const header = before <= 0 || before > longestHeader ? undefined : decodeRecordHeader(await read(file, trailer.recordStart, before));
  if (header?.headerBytes !== before) return 'record-torn';
  const hash = createHash('sha256');
  for (let at = 0; at < length; at += pieceBytes) hash.update(await read(file, offset + at, Math.min(pieceBytes, length - at)));
  return hash.digest().equals(trailer.digest) ? undefined : 'record-changed';
}

/** As many bytes as there are; none where the disk refuses them. */
async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const filled = await file.read(bytes, 0, length, position).then(({ bytesRead }) => bytesRead, () => 0);
  return bytes.subarray(0, filled);
}
