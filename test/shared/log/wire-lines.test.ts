/** What a protocol trace makes of the bytes of a session, however they are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imapTap, pop3Tap } from '../../../shared/log/wire-lines.ts';
import type { Tap } from '../../../shared/log/wire-lines.ts';

function told(make: typeof imapTap, talk: (tap: Tap) => void): string[] {
  const lines: string[] = [];
  talk(make((way, text) => lines.push(`${way === 'client' ? 'C' : 'S'} ${text}`)));
  return lines;
}

test('IMAP: literals are passed over in both directions, logins and answers of exchanges masked', () => {
  const wire = 'a APPEND x {6}\r\nsec\r\nr\r\nb LOGIN {4}\r\nuser {3}\r\npwd\r\nc AUTHENTICATE PLAIN AHNlYw==\r\nAHNlYw==\r\nIDLE\r\ndone\r\n';
  for (const size of [1, 7, 1000]) {
    assert.deepEqual(told(imapTap, (tap) => { for (let at = 0; at < wire.length; at += size) tap.received(Buffer.from(wire.slice(at, at + size))); }),
      ['C a APPEND x {6}', 'C b LOGIN ***', 'C c AUTHENTICATE ***', 'C (a line of 8 characters)', 'C (a line of 4 characters)', 'C done']);
  }
  assert.deepEqual(told(imapTap, (tap) => {
    tap.received(Buffer.from('a APPEND x {9}\r\n'));
    tap.sent(Buffer.from('a NO too big\r\n* 1 FETCH (BODY[] {5}\r\nhello UID 3)\r\n'));
    tap.received(Buffer.from('b NOOP\r\n'));
  }), ['C a APPEND x {9}', 'S a NO too big', 'S * 1 FETCH (BODY[] {5} UID 3)', 'C b NOOP']);
});

test('POP3: messages are told by their length, passwords masked', () => {
  assert.deepEqual(told(pop3Tap, (tap) => {
    tap.sent(Buffer.from('+OK welcome\r\n'));
    tap.received(Buffer.from('LIST\r\nRETR 1\r\nPASS secret\r\n'));
    tap.sent(Buffer.from('+OK\r\n1 9\r\n.\r\n+OK\r\nsecret\r\n.\r\n-ERR no\r\n'));
  }), ['S +OK welcome', 'C LIST', 'C RETR 1', 'C PASS ***', 'S +OK', 'S 1 9', 'S .', 'S +OK', 'S (a message of 8 bytes)', 'S .', 'S -ERR no']);
});
