/** The grammar of APPEND, REPLACE and CATENATE, and of the URLs in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../shared/base/failure.ts';
import { isBeforeMessage, takeAppendArguments } from '../../../shared/imap/append-arguments.ts';
import { parseMessageUrl } from '../../../shared/imap/imap-url.ts';
import { Scanner } from '../../../shared/imap/scanner.ts';

const refuses = (work: () => unknown, why: string): void => assert.throws(work, (error) => error instanceof Failure && error.kind === 'bad-input', why);

test('The literal of a message is told from one that is a mailbox name or a URL, and nonsense from what may still become a message.', () => {
  for (const text of ['a append "Sent" (\\Seen) ', 'a APPEND {4}\r\nSent ', 'a APPEND URL ', 'a UID REPLACE 7 INBOX ', 'a APPEND x CATENATE (TEXT ', 'a APPEND x CATENATE (URL {2}\r\n/y TEXT ', 'a APPEND x CATENATE (URL /y) ']) {
    assert.equal(isBeforeMessage(text, 'utf-7'), 'yes', text);
  }
  for (const text of ['a APPEND ', 'a REPLACE 7 ', 'a APPEND x CATENATE (URL ', 'a APPEND x CATENATE (URL {2}\r\n/y URL ']) assert.equal(isBeforeMessage(text, 'utf-7'), 'not yet', text);
  for (const text of ['a LOGIN x ', 'a  APPEND x ', 'a APPEND x CATENATE (FILE y TEXT ', 'a REPLACE 1:2 x ', 'a APPEND x\0 ', 'a APPEND x bad ']) assert.equal(isBeforeMessage(text, 'utf-7'), 'never', text);
});

test('Of a command with too many parts no literal is looked for any more.', () => {
  assert.equal(isBeforeMessage(`a APPEND x CATENATE (${'URL y '.repeat(1000)}TEXT `, 'utf-7'), 'never');
  assert.equal(isBeforeMessage(`a APPEND x CATENATE (${'URL y '.repeat(999)}TEXT `, 'utf-7'), 'yes');
});

test('A command comes in stretches, and each goes on where the one before ended.', () => {
  const { head, pieces, grammar } = takeAppendArguments(new Scanner('4 Sent (\\Seen) CATENATE (URL /y TEXT '), 'UID REPLACE', { names: 'utf-7', end: 'literal' });
  assert.deepEqual(head, { mailbox: 'Sent', replaced: { first: 4, last: 4 } });
  assert.deepEqual(pieces, [
    { kind: 'message', item: { flags: { system: ['\\Seen'], keywords: [] }, internalDateMs: undefined }, form: 'parts' }, { kind: 'url', url: '/y' }, { kind: 'literal', holds: 'bytes' },
  ]);
  const plain = { flags: undefined, internalDateMs: undefined };
  assert.deepEqual(grammar.read(new Scanner(' URL "/z") '), 'literal'), [{ kind: 'url', url: '/z' }, { kind: 'end' }, { kind: 'message', item: plain, form: 'literal' }, { kind: 'literal', holds: 'bytes' }]);
  assert.deepEqual(grammar.read(new Scanner(' CATENATE (URL /z)'), 'end'), [{ kind: 'message', item: plain, form: 'parts' }, { kind: 'url', url: '/z' }, { kind: 'end' }]);
  const read = (text: string, end: 'literal' | 'end') => () => takeAppendArguments(new Scanner(text), 'APPEND', { names: 'utf-7', end });
  for (const text of ['x', 'x ', 'x CATENATE (URL /y', 'x CATENATE ()', 'x CATENATE (TEXT )', 'x CATENATE(URL /y)', 'x CATENATE (URL /y) URL /z']) refuses(read(text, 'end'), text);
  for (const text of ['x CATENATE (URL ', 'x CATENATE (URL /y', 'x CATENATE (URL /y)', 'x (\\Seen)']) refuses(read(text, 'literal'), text);
});

test('URLs of messages and parts are read as RFC 5092, 5550 and 4467 have them; relative ones count from the open mailbox.', () => {
  const whole = { server: undefined, mailbox: 'A/B', uidValidity: undefined, uid: 20, section: { part: [], of: 'all' }, partial: undefined, authorisation: undefined };
  assert.deepEqual(parseMessageUrl('/A/B/;UID=20', undefined), whole);
  assert.deepEqual(parseMessageUrl('B/;uid=20', 'A/C'), whole);
  assert.deepEqual(parseMessageUrl(';UID=20', 'A/B'), whole);
  assert.deepEqual(parseMessageUrl('/B/;UID=20', 'A/C').mailbox, 'B');
  assert.deepEqual(parseMessageUrl('/inbox;UIDVALIDITY=7/;UID=1/;SECTION=1.2.MIME/;PARTIAL=3.4', 'A'), {
    ...whole, mailbox: 'INBOX', uidValidity: 7, uid: 1, section: { part: [1, 2], of: 'mime' }, partial: { offset: 3, length: 4 },
  });
  assert.deepEqual(parseMessageUrl('/%E2%82%AC%20;UIDVALIDITY=1/;UID=2/;PARTIAL=9', undefined), { ...whole, mailbox: '€ ', uidValidity: 1, uid: 2, partial: { offset: 9, length: Infinity } });
  const rump = 'imap://joe%40x;AUTH=*@example.com/INBOX/;uid=20/;section=1.2;EXPIRE=2026-12-31T23:59:59Z;urlauth=submit+fred%40x';
  const token = '91354a473744909de610943775f92038';
  const full = parseMessageUrl(`${rump}:internal:${token}`, undefined);
  assert.deepEqual(full.server, { user: 'joe@x', host: 'example.com' });
  assert.deepEqual(full.authorisation, { access: { kind: 'submit', user: 'fred@x' }, expiresMs: Date.UTC(2026, 11, 31, 23, 59, 59), proof: { mechanism: 'INTERNAL', token }, rump });
  assert.deepEqual(parseMessageUrl('imap://h/x/;UID=1;URLAUTH=anonymous', undefined).authorisation, { access: { kind: 'anonymous' }, expiresMs: undefined, proof: undefined, rump: 'imap://h/x/;UID=1;URLAUTH=anonymous' });
  for (const text of [
    '', '/', '/x', '/x/', '/x/;UID=0', '/x/;UID=4294967296', '/x/;UID=1/', '/x/;UID=*', '/x;UID=1', '/x/;UID=1;SECTION=1', '/x/;UID=1/;SECTION=', '/x/;UID=1/;SECTION=1.', '/x/;UID=1/;SECTION=MIME',
    '/x/;UID=1/;PARTIAL=1.0', '/x/;UID=1/;PARTIAL=a', '/%zz/;UID=1', '/%ff/;UID=1', '/%00/;UID=1', '/ü/;UID=1', '/x /;UID=1', ';UID=1', 'http://h/x/;UID=1', 'imap://h/x', 'imap://h', '/x?SUBJECT', `/${'x'.repeat(9000)}/;UID=1`,
    '/x/;UID=1;URLAUTH=everybody', '/x/;UID=1;EXPIRE=2026-01-01T00:00:00Z', '/x/;UID=1;EXPIRE=tomorrow;URLAUTH=anonymous', '/x/;UID=1;URLAUTH=anonymous:internal:12',
  ]) refuses(() => parseMessageUrl(text, undefined), text);
});
