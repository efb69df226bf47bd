/** Keeps header fields of messages that were stored before fields were kept: somebody asked for them, and the messages have to be read for it once more only now. */
import { isFailure } from '../../shared/base/failure.ts';
import { keepFields, mostHeaderBytes } from '../../shared/mime/kept-fields.ts';
import type { StoredMessage } from './interface.ts';
import type { Volume } from './volume.ts';

/** A message, and where it may be read. */
export interface Unkept {
  readonly messageId: number;
  readonly message: StoredMessage | undefined;
}

/** Never worth a failure: what can't be read or written now is tried when it is asked for again. */
export async function keepLateFields({ environment, messages, tables, space }: Volume, unkept: readonly Unkept[]): Promise<void> {
  if (environment.lockedUntil() > 0) return; // reading goes on while writers wait
  try {
    await space.check();
    const late: { readonly messageId: number; readonly fields: Buffer }[] = [];
    for (const { messageId, message } of unkept) {
      if (message === undefined || environment.read(() => messages.fields(messageId)) !== undefined) continue;
      late.push({ messageId, fields: keepFields(await message.read(0, Math.min(message.headerBytes, mostHeaderBytes + 1))) });
    }
    if (late.length === 0) return;
    await environment.write(() => {
      for (const { messageId, fields } of late) {
        if (messages.place(messageId) !== undefined && messages.fields(messageId) === undefined) tables.headerFields.put([messageId], fields);
      }
    });
  } catch (error) {
    if (!isFailure(error)) throw error;
  }
}
