/** Keeps header fields of messages that were stored before fields were kept: somebody asked for them, and the messages have to be read for it once more only now. */
import { isFailure } from '../../shared/base/failure.ts';
import { keepFields, mostHeaderBytes } from '../../shared/mime/kept-fields.ts';
import type { MessageRow, StoredMessage } from './interface.ts';
import type { Volume } from './volume.ts';

/** Never worth a failure: what can't be read or written now is tried when it is asked for again. Reading goes on while writers wait for the end of a lock. */
export async function keepLateFields(volume: Volume, rows: readonly MessageRow[], read: (uid: number) => StoredMessage | undefined): Promise<void> {
  const { environment, messages, tables, space } = volume;
  try {
    const unkept = environment.read(() => rows.filter(({ messageId }) => messages.fields(messageId) === undefined));
    if (unkept.length === 0) return;
    await space.check();
    const late: { readonly messageId: number; readonly fields: Buffer }[] = [];
    for (const { messageId, uid } of unkept) {
      const fields = await fieldsOf(read(uid));
      if (fields !== undefined) late.push({ messageId, fields });
    }
    if (late.length === 0 || environment.lockedUntil() > 0) return;
    await environment.write(() => {
      for (const { messageId, fields } of late) {
        if (messages.place(messageId) !== undefined && messages.fields(messageId) === undefined) tables.headerFields.put([messageId], fields);
      }
    });
  } catch (error) {
    if (!isFailure(error)) throw error;
  }
}

/** Undefined when the message is gone, or can't be read: its neighbours can. */
async function fieldsOf(message: StoredMessage | undefined): Promise<Buffer | undefined> {
  try {
    return message === undefined ? undefined : keepFields(await message.read(0, Math.min(message.headerBytes, mostHeaderBytes + 1)));
  } catch (error) {
    if (!isFailure(error)) throw error;
    return undefined;
  }
}
