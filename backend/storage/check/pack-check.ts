/** Whether the bytes of messages are in the packs as they were written: each record is read whole, and compared with its checksum. */
import type { FileHandle } from 'node:fs/promises';
import { digestAt, frameOf, openPackFile } from '../pack-record.ts';
import type { PackPlace } from '../packs.ts';

/** What is wrong with one record. */
export type RecordFault = 'pack-lost' | 'record-torn' | 'record-changed';

export interface PlacedMessage {
  readonly messageId: number;
  readonly place: PackPlace;
}

/** @param onFault hears of each message whose bytes are not whole; @param onBytes how much was read */
export async function checkPack<T extends { readonly place: PackPlace }>(path: string, messages: readonly T[], { onFault, onBytes }: { readonly onFault: (message: T, fault: RecordFault) => void; readonly onBytes: (bytes: number) => void }): Promise<void> {
  const file = await openPackFile(path, messages[0]?.place.pack ?? 0);
  try {
    for (const message of messages.toSorted((one, other) => one.place.offset - other.place.offset)) {
      const fault = file === undefined ? 'pack-lost' : await recordFault(file, message.place);
      if (fault !== undefined) onFault(message, fault);
      onBytes(message.place.length);
    }
  } finally {
    await file?.close();
  }
}

async function recordFault(file: FileHandle, place: PackPlace): Promise<RecordFault | undefined> {
  const frame = await frameOf(file, place);
  if (frame === undefined) return 'record-torn';
  return (await digestAt(file, place)).equals(frame.trailer.digest) ? undefined : 'record-changed';
}
