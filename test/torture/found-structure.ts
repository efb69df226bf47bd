/** Whether the index says of a message what its bytes say: messages are looked into as they stream in, or all at once while their pack is written. */
import assert from 'node:assert/strict';
import { scanPieces } from '../../backend/storage/scanned-message.ts';
import type { Mailbox, MessageRow, StoredMessage } from '../../backend/storage/storage.ts';
import { madeWords } from '../../backend/storage/structure-texts.ts';
import { encodeStructure } from '../../shared/mime/encode-structure.ts';

/** @throws AssertionError where the structure, or IMAP's words for it, are not those of the bytes */
export function assertStructure(mailbox: Mailbox, row: MessageRow, { message, bytes }: { readonly message: StoredMessage; readonly bytes: Buffer }): void {
  const encoded = encodeStructure(scanPieces([bytes]).structure);
  const where = `uid ${String(row.uid)} of ${mailbox.state().name}`;
  assert.equal(encodeStructure(message.structure).compare(encoded), 0, `the structure of ${where} is not that of its bytes`);
  for (const item of ['ENVELOPE', 'BODYSTRUCTURE'] as const) assert.equal(mailbox.structureTexts(item, 'utf-8')(row), madeWords(encoded, item, 'utf-8'), `${item} of ${where}`);
}
