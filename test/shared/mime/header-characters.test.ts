/** Whether the header of a message that comes in pieces has characters beyond ASCII. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderCharacters } from '../../../shared/mime/header-characters.ts';

function isInternational(bytes: Buffer, pieceBytes: number): boolean {
  const watch = new HeaderCharacters();
  for (let at = 0; at < bytes.length; at += pieceBytes) watch.add(bytes.subarray(at, at + pieceBytes));
  return watch.isInternational;
}

const cases: readonly (readonly [what: string, message: Buffer, expected: boolean])[] = [
  ['ASCII', Buffer.from('Subject: a\r\n\r\nb\r\n'), false],
  ['UTF-8 in the header', Buffer.from('Subject: ü 😀\r\n\r\nb\r\n'), true],
  ['UTF-8 in the body alone', Buffer.from('Subject: a\r\n\r\nü\r\n'), false],
  ['UTF-8 in the body, lines ended by LF alone', Buffer.from('Subject: a\n\nü\n'), false],
  ['Latin-1 in the header', Buffer.from('Subject: \xfc\r\n\r\nb\r\n', 'latin1'), false],
  ['no header', Buffer.from('\r\nü\r\n'), false],
  ['a header that never ends', Buffer.from('Subject: ü'), true],
];

for (const [what, message, expected] of cases) {
  test(`${what}: ${expected ? 'international' : 'not international'}, however it is cut.`, () => {
    for (const pieceBytes of [1, 2, 3, 5, 1000]) assert.equal(isInternational(message, pieceBytes), expected, `pieces of ${String(pieceBytes)}`);
  });
}
