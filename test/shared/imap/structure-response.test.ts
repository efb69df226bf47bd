/** ENVELOPE and BODYSTRUCTURE of mail with UTF-8 in its headers (RFC 6532), for clients that take UTF-8 and for others (RFC 6855, RFC 6858). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBody, formatEnvelope } from '../../../shared/imap/structure-response.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';
import type { MessageStructure } from '../../../shared/mime/structure.ts';

function structureOf(text: string): MessageStructure {
  return scanMessage(Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8'));
}

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

test('An internationalised address is shown whole to who takes UTF-8, and to others as one that leads nowhere.', () => {
  const { envelope } = structureOf('From: Jürgen <jürgen@bücher.example>\nTo: ann@example.org, "Zoë" <zoe@example.org>\nSubject: =?utf-8?Q?a?= ü\nMessage-ID: <ü@example.org>\nIn-Reply-To: <a@example.org>\n\nx\n');
  assert.equal(formatEnvelope(envelope, 'utf-8'), utf8(
    '(NIL "=?utf-8?Q?a?= ü" (("Jürgen" NIL "jürgen" "bücher.example")) (("Jürgen" NIL "jürgen" "bücher.example")) (("Jürgen" NIL "jürgen" "bücher.example")) ' +
    '((NIL NIL "ann" "example.org")("Zoë" NIL "zoe" "example.org")) NIL NIL "<a@example.org>" "<ü@example.org>")'));
  const ascii = formatEnvelope(envelope, 'ascii');
  assert.match(ascii, /^[\x20-\x7e]*$/);
  const surrogate = `("=?utf-8?B?${Buffer.from('Jürgen <jürgen@bücher.example>').toString('base64')}?=" NIL "invalid" "internationalized-address.invalid")`;
  assert.equal(ascii, `(NIL "=?utf-8?B?${Buffer.from('a ü').toString('base64')}?=" (${surrogate}) (${surrogate}) (${surrogate}) ` +
    `((NIL NIL "ann" "example.org")("=?utf-8?B?${Buffer.from('Zoë').toString('base64')}?=" NIL "zoe" "example.org")) NIL NIL "<a@example.org>" NIL)`);
});

test('Names of files in UTF-8 are written as RFC 2231 has them for who takes ASCII only; bytes in no charset stay as they are.', () => {
  const { root } = structureOf('Content-Type: text/plain; name="ä b.txt"\nContent-Description: für\nContent-Disposition: attachment; filename="ä b.txt"\n\nx\n');
  assert.equal(formatBody(root, { data: 'extended', strings: 'utf-8' }), utf8('("text" "plain" ("name" "ä b.txt") NIL "für" "7bit" 3 1 NIL ("attachment" ("filename" "ä b.txt")) NIL NIL)'));
  assert.equal(formatBody(root, { data: 'extended', strings: 'ascii' }),
    `("text" "plain" ("name*" "utf-8''%C3%A4%20b.txt") NIL "=?utf-8?B?${Buffer.from('für').toString('base64')}?=" "7bit" 3 1 NIL ("attachment" ("filename*" "utf-8''%C3%A4%20b.txt")) NIL NIL)`);
  const broken = scanMessage(Buffer.from('Subject: f\xfcr\r\n\r\nx\r\n', 'latin1'));
  for (const form of ['utf-8', 'ascii'] as const) assert.match(formatEnvelope(broken.envelope, form), /^\(NIL \{3\}\r\nf\xfcr NIL/);
});
