/** The stored form of a structure gives back what was stored, and refuses what it doesn't know. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { decodeHead, decodeStructure, encodeStructure } from '../../../shared/mime/encode-structure.ts';
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

test('the head of every real message is read alone as with the whole', () => {
  for (const name of realMailNames) {
    const { root, ...head } = scanMessage(readRealMail(name));
    assert.deepEqual(decodeHead(encodeStructure({ root, ...head })), head, name);
  }
});

test('what was stored before the head could be read alone is read all the same', () => {
  const structure = scanMessage(Buffer.from('Subject: x\r\nReferences: <a@b>\r\nIn-Reply-To: <c@d>\r\n\r\ntext'));
  const [root, ...head] = JSON.parse(encodeStructure(structure).toString('utf8', 1)) as unknown[];
  const older = Buffer.from(` ${JSON.stringify([root, ...head.slice(0, 5)])}`);
  older[0] = 1;
  assert.equal(structure.fromReferences, 1);
  assert.deepEqual(decodeStructure(older), { ...structure, fromReferences: 2 });
  assert.equal(decodeHead(older).envelope.subject, 'x');
});

test('a head whose bytes are damaged is a failure of the storage', () => {
  const encoded = encodeStructure(scanMessage(Buffer.from('Subject: x\r\n\r\n')));
  for (const bytes of [encoded.subarray(0, encoded.length - 3), Buffer.from('\x01[[],[],99999]', 'latin1'), Buffer.alloc(0)]) {
    assert.throws(() => decodeHead(bytes), (thrown) => isFailure(thrown, 'storage-failure'));
  }
});
