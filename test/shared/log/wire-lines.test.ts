/** What a protocol trace makes of the bytes of a session, however they are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskSmtp } from '../../../shared/log/masked-lines.ts';
import { openProtocolTrace, traceOf, traceProtocol, WaitingTrace } from '../../../shared/log/protocol-trace.ts';
import { imapTap, pop3Tap } from '../../../shared/log/wire-lines.ts';
import type { Tap } from '../../../shared/log/wire-lines.ts';

function told(make: (tell: Parameters<typeof imapTap>[0]) => Tap, talk: (tap: Tap) => void): string[] {
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

test('IMAP: what authorises a URL is masked in both directions', () => {
  assert.deepEqual(told(imapTap, (tap) => {
    tap.received(Buffer.from(`a URLFETCH imap://u@h/x/;UID=1;URLAUTH=anonymous:INTERNAL:${'01ab'.repeat(16)}\r\n`));
    tap.sent(Buffer.from(`* GENURLAUTH "imap://u@h/x/;UID=1;URLAUTH=user+v:internal:${'01AB'.repeat(16)}"\r\n`));
  }), ['C a URLFETCH imap://u@h/x/;UID=1;URLAUTH=anonymous:INTERNAL:***', 'S * GENURLAUTH "imap://u@h/x/;UID=1;URLAUTH=user+v:internal:***"']);
});

test('POP3: messages are told by their length, passwords masked', () => {
  assert.deepEqual(told(pop3Tap, (tap) => {
    tap.sent(Buffer.from('+OK welcome\r\n'));
    tap.received(Buffer.from('LIST\r\nRETR 1\r\nPASS secret\r\n'));
    tap.sent(Buffer.from('+OK\r\n1 9\r\n.\r\n+OK\r\nsecret\r\n.\r\n-ERR no\r\n'));
  }), ['S +OK welcome', 'C LIST', 'C RETR 1', 'C PASS ***', 'S +OK', 'S 1 9', 'S .', 'S +OK', 'S (a message of 8 bytes)', 'S .', 'S -ERR no']);
});

test('IMAP before the login: of what may be a secret nothing is told, whatever its form; afterwards lines stand as they are', () => {
  const early = (tell: Parameters<typeof imapTap>[0]): Tap => imapTap(tell, 'before login');
  assert.deepEqual(told(early, (tap) => {
    tap.sent(Buffer.from('* OK ready\r\n'));
    tap.received(Buffer.from('a LOGIN dave secret\r\nb  LOGIN dave secret\r\nLOGIN dave secret\r\nc CAPABILITY\r\nd secret\r\ne AUTHENTICATE secret\r\n'));
    tap.sent(Buffer.from('a NO wrong\r\nb BAD\r\ne NO no such mechanism\r\n'));
    tap.received(Buffer.from('f AUTHENTICATE SCRAM-SHA-256 c2VjcmV0\r\n'));
    tap.sent(Buffer.from('+ cj1zZWNyZXQ=\r\n'));
    tap.received(Buffer.from('NOOP secret\r\n'));
    tap.sent(Buffer.from('f OK [CAPABILITY IMAP4rev2] in\r\n'));
    tap.received(Buffer.from('g SELECT INBOX\r\nh LOGIN  again secret\r\nLOGIN dave secret\r\n'));
  }), [
    'S * OK ready', 'C a LOGIN ***', 'C (a line of 20 characters)', 'C (a line of 17 characters)', 'C c CAPABILITY', 'C (a line of 8 characters)', 'C e AUTHENTICATE ***',
    'S a NO wrong', 'S b BAD', 'S e NO no such mechanism', 'C f AUTHENTICATE SCRAM-SHA-256 ***', 'S + (12 characters)', 'C (a line of 11 characters)', 'S f OK [CAPABILITY IMAP4rev2] in',
    'C g SELECT INBOX', 'C h LOGIN ***', 'C LOGIN ***',
  ]);
  assert.deepEqual(told(early, (tap) => {
    tap.received(Buffer.from('a LOGIN dave secret\r\n'));
    tap.sent(Buffer.from('a OK in\r\n'));
    tap.received(Buffer.from('b COMPRESS LZW\r\n'));
    tap.sent(Buffer.from('b BAD unknown\r\n'));
    tap.received(Buffer.from('c COMPRESS DEFLATE\r\n'));
    tap.sent(Buffer.from('c OK active\r\nfolded\r\n'));
    tap.received(Buffer.from('folded\r\n'));
  }), ['C a LOGIN ***', 'S a OK in', 'C b COMPRESS LZW', 'S b BAD unknown', 'C c COMPRESS DEFLATE', 'S c OK active', 'S (compressed from here on: a trace of the back-end shows it)'], 'compressed bytes are no lines');
  // A literal that needs no leave comes although it is refused.
  assert.deepEqual(told(early, (tap) => {
    tap.received(Buffer.from('a LOGIN {4+}\r\n'));
    tap.sent(Buffer.from('a NO not here\r\n'));
    tap.received(Buffer.from('dave {6+}\r\nsecret\r\nb NOOP\r\n'));
  }), ['S a NO not here', 'C a LOGIN ***', 'C b NOOP']);
});

test('POP3 and SMTP before the login: exchanges, passwords and what is no command are masked', () => {
  assert.deepEqual(told(pop3Tap, (tap) => {
    tap.sent(Buffer.from('+OK ready\r\n'));
    tap.received(Buffer.from('AUTH\r\nUSER dave\r\nPASSsec\r\nPASS a secret\r\nAPOP dave c4c9334bac560ecc979e58001b3e22fb\r\n'));
    tap.sent(Buffer.from('+OK\r\nPLAIN\r\n.\r\n+OK\r\n-ERR\r\n-ERR\r\n-ERR\r\n'));
    tap.received(Buffer.from('AUTH LOGIN\r\n'));
    tap.sent(Buffer.from('+ UGFzcw==\r\n'));
    tap.received(Buffer.from('STAT\r\n')); // four letters of base64
    tap.sent(Buffer.from('+OK in\r\n'));
    tap.received(Buffer.from('STAT\r\n'));
  }), [
    'S +OK ready', 'C AUTH', 'C USER ***', 'C (a line of 7 characters)', 'C PASS ***', 'C APOP ***', 'S +OK', 'S PLAIN', 'S .', 'S +OK', 'S -ERR', 'S -ERR', 'S -ERR',
    'C AUTH LOGIN', 'S + (8 characters)', 'C (a line of 4 characters)', 'S +OK in', 'C STAT',
  ]);
  assert.deepEqual(['AUTH PLAIN AGE=', ' auth  plain AGE=', 'AUTH secret', 'AUTH LOGIN', 'AHTU PLAIN AGE=', 'secret', 'MAIL FROM:<a@b>', 'EHLO x'].map(maskSmtp),
    ['AUTH PLAIN ***', 'AUTH plain ***', 'AUTH ***', 'AUTH LOGIN', '(a line of 15 characters)', '(a line of 6 characters)', 'MAIL FROM:<a@b>', 'EHLO x']);
});

test('what is said before a login waits for the name, is told for who is traced, and forgotten for others', () => {
  const lines: string[] = [];
  openProtocolTrace({ node: 'fe1', primaryDomain: 'example.com', write: (line, keeper) => lines.push(`${keeper} ${(JSON.parse(line) as { session: string; text: string }).session} ${(JSON.parse(line) as { text: string }).text}`) });
  assert.equal(traceProtocol('dave@example.com', { untilMs: Date.now() + 60_000, keeper: 'be1', stream: 'yes' }), 'done');
  const session = (id: string): WaitingTrace => new WaitingTrace({ service: 'imapProxy', session: id });
  const [other, dave, failing] = [session('other'), session('dave'), session('failing')];
  other.tell('client', 'hello');
  assert.equal(other.settle('carol@example.com'), 'over');
  other.tell('client', 'later');
  dave.tell('client', 'hello');
  dave.assume('named by the proxy');
  assert.deepEqual(lines, []);
  assert.equal(dave.settle('dave@example.com'), 'on');
  failing.tell('client', 'first');
  failing.claim('Dave');
  failing.tell('server', 'no');
  for (let at = 0; at < 100; at += 1) other.tell('client', 'x'.repeat(2000));
  assert.equal(failing.settle('carol@example.com'), 'over');
  failing.tell('client', 'carol is in');
  assert.deepEqual(lines, ['be1 named by the proxy hello', 'be1 failing first', 'be1 failing no']);
  traceProtocol('dave@example.com', { untilMs: 0, keeper: 'be1', stream: 'no' });
  assert.equal(traceOf({ service: 'imap', session: 'x', account: 'dave@example.com' }), undefined);
});
