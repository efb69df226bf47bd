/** The stored form of a structure gives back what was stored, and refuses what it doesn't know. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { decodeStructure, encodeStructure } from '../../../shared/mime/encode-structure.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';
import { readRealMail, realMailNames } from './real-mail.ts';

test('the structure of every real message reads back as it was', () => {
  for (const name of realMailNames) {
    const structure = scanMessage(readRealMail(name));
    assert.deepEqual(decodeStructure(encodeStructure(structure)), structure, name);
  }
});

test('a sender of its own is kept apart from From', () => {
  const structure = scanMessage(Buffer.from('From: a@b\r\nSender: c@d\r\nDate: rubbish\r\n\r\n'));
  const read = decodeStructure(encodeStructure(structure));
  assert.deepEqual(read, structure);
  assert.equal(read.envelope.sender[0]?.mailbox, 'c');
  assert.equal(read.sentAtMs, undefined);
});

test('another version and damaged bytes are refused as a failure of the storage', () => {
  const encoded = encodeStructure(scanMessage(Buffer.from('Subject: x\r\n\r\n')));
  const other = Buffer.from(encoded);
  other[0] = 99;
  for (const bytes of [other, encoded.subarray(0, encoded.length - 3), Buffer.alloc(0)]) {
    assert.throws(() => decodeStructure(bytes), (thrown) => isFailure(thrown, 'storage-failure'));
  }
});
