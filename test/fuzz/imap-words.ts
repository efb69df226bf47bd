/** What a logged-in client may send by IMAP: real messages, whole and damaged, in commands whose sizes are true or not, between pieces of other commands. */
import fc from 'fast-check';
import { readRealMail, realMailNames } from '../shared/mime/real-mail.ts';
import { mixed } from './words.ts';
import type { Segments } from './words.ts';

const longestMessageBytes = 12_000;

/** A real message, perhaps cut off, with some bytes changed. */
const message = fc.tuple(fc.constantFrom(...realMailNames), fc.constantFrom(longestMessageBytes, longestMessageBytes, 700), fc.array(fc.tuple(fc.nat(longestMessageBytes), fc.nat(255)), { maxLength: 4 })).map(([name, most, changes]) => {
  const bytes = Buffer.from(readRealMail(name).subarray(0, most));
  for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
  return bytes.toString('latin1');
});

const before = fc.constantFrom(
  'm APPEND INBOX ', 'm APPEND INBOX (\\Seen $k) "17-Jul-1996 02:44:25 -0700" ', 'm APPEND Nowhere ', 'm REPLACE 1 INBOX ', 'm UID REPLACE * Drafts (\\Draft) ', 'm APPEND INBOX CATENATE (TEXT ',
  'm APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=HEADER" TEXT ', 'm UID REPLACE 2 INBOX CATENATE (URL /INBOX/;UID=99 TEXT ', 'm APPEND {5+}\r\nINBOX CATENATE (URL {13+}\r\n/INBOX/;UID=1 TEXT ', 'm SEARCH BODY ', 'm SETQUOTA ',
);
const behind = fc.constantFrom('\r\n', '\r\n', ')\r\n', ' (\\Flagged) {3+}\r\na:b\r\n', ' URL /INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=1.2)\r\n', ' CATENATE (URL /INBOX/;UID=1)\r\n', ' TEXT {0+}\r\n)\r\n', ' {99999+}\r\n', '');
const announced = fc.tuple(fc.constantFrom(0, 0, 0, 0, -7, 9, 1e7, 1e12), fc.constantFrom('{', '{', '~{'), fc.constantFrom('+}', '+}', '+}', '}'));

const withMessage = fc.tuple(before, message, announced, behind).map(([begin, text, [error, open, close], end]) => `${begin}${open}${String(Math.max(0, text.length + error))}${close}\r\n${text}${end}`);

const pieces = [
  'a SELECT INBOX\r\n', 'a EXAMINE Drafts\r\n', 'a ENABLE UIDONLY\r\n', 'a ENABLE QRESYNC IMAP4rev2\r\n', 'a UID FETCH 1:* (FLAGS BODY.PEEK[]<0.9>)\r\n', 'a FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW BINARY[1])\r\n', 'a STORE 1:* +FLAGS (\\Deleted)\r\n', 'a EXPUNGE\r\n',
  'a UID SEARCH TEXT "a"\r\n', 'a SEARCH (((((((((', 'a IDLE\r\n', 'DONE\r\n', 'a URLFETCH ', 'a GENURLAUTH ', 'imap://fuzz%40example.com@h/INBOX/;UID=1', ';URLAUTH=anonymous', ':internal:01', '0123456789abcdef'.repeat(4), ' INTERNAL\r\n', 'a RESETKEY\r\n', '/;SECTION=1.MIME',
  ' CATENATE (', 'URL ', 'TEXT ', '"', '(', ')', ' ', '\r\n', '{3+}\r\n', '~{3+}\r\n', '{0+}\r\n', '{70000+}\r\n', '{2000000+}\r\n', '{999999999999+}\r\n', `{${'9'.repeat(40)}+}\r\n`, `{${'9'.repeat(40)}}\r\n`, 'a LOGOUT\r\n', 'a COMPRESS DEFLATE\r\n', '\0', '%', '*', '$', '\xff\xfe',
];

const session: fc.Arbitrary<Segments> = fc.tuple(fc.array(withMessage, { minLength: 1, maxLength: 4 }), mixed(pieces)).map(([commands, rest]) => [Buffer.from('a SELECT INBOX\r\n'), ...commands.map((text) => Buffer.from(text, 'latin1')), ...rest]);

export const imapSessions = { clear: session, pieces: mixed(pieces) } as const;
