/** Messages that are looked into later: what is found is the same, and no more than a few megabytes are held for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LateScan, lookLater } from '../../../backend/storage/late-scan.ts';

const megabyte = 2 ** 20;

test('A message that is looked into later has the structure that it has at once, and what is not looked into any more makes room', () => {
  const pieces = [Buffer.from('Subject: in\r\n pieces\r\nContent-Type: text/pl'), Buffer.from('ain\r\n\r\nbody\r\n')];
  const later = lookLater(pieces, 57);
  assert.ok(later instanceof LateScan);
  const others = [1, 2, 3].map(() => lookLater([Buffer.alloc(megabyte)], megabyte));
  const atOnce = lookLater(pieces, megabyte); // as the others are held
  assert.ok(!(atOnce instanceof LateScan), 'more than four megabytes are not held');
  assert.deepEqual(later.end(), atOnce);
  assert.equal(atOnce.structure.envelope.subject, 'in pieces');
  for (const held of others) if (held instanceof LateScan) for (const _twice of [1, 2]) held.drop();
  assert.ok([1, 2, 3, 4].every(() => lookLater([Buffer.alloc(megabyte)], megabyte) instanceof LateScan), 'dropped twice counts once');
  assert.ok(!(lookLater([Buffer.alloc(1)], 1) instanceof LateScan));
});
