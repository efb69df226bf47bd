/** Addresses, commands and replies: what is read, what is refused, what is written. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { displayAddress, encodeXtext, formatAddress, parseAddress } from '../../../shared/smtp/address.ts';
import { mailCommand } from '../../../shared/smtp/commands.ts';
import { assembleReply, parseReplyLine, replyLine } from '../../../shared/smtp/reply.ts';
import type { ReplyLine } from '../../../shared/smtp/reply.ts';

test('addresses are read and put into one form', () => {
  const normal = (text: string): string | undefined => {
    const address = parseAddress(text);
    return address === undefined ? undefined : formatAddress(address);
  };
  assert.equal(normal('Alice.B+x@Example.COM'), 'Alice.B+x@example.com');
  assert.equal(normal('"a b\\"c"@example.com'), '"a b\\"c"@example.com');
  assert.equal(normal('jürgen@EXÄMPLE.com'), 'jürgen@xn--exmple-cua.com');
  assert.equal(normal('a@[192.0.2.1]'), 'a@[192.0.2.1]');
  assert.equal(normal('a@[IPV6:2001:DB8::1]'), 'a@[IPv6:2001:db8::1]');
  assert.equal(normal('a@localhost'), 'a@localhost');
  assert.equal(normal('bounce;[a,b:c]@example.com'), 'bounce;[a,b:c]@example.com');
  const address = parseAddress('jürgen@xn--exmple-cua.com');
  assert.equal(address === undefined ? '' : displayAddress(address), 'jürgen@exämple.com');
});

test('what is no address is refused', () => {
  const long = `${'a'.repeat(240)}@${'b'.repeat(20)}.com`;
  for (const text of ['', 'a', '@b.com', 'a@', 'a..b@c.com', '.a@c.com', 'a.@c.com', 'a b@c.com', 'a@b c.com', 'a@-b.com', 'a@b..com', 'a<b@c.com', 'a@c.com\r\n', 'a\u200b@c.com', 'a\u0085@c.com', long]) {
    assert.equal(parseAddress(text), undefined, JSON.stringify(text));
  }
});

test('xtext hides what would end or split a parameter', () => {
  assert.equal(encodeXtext('a+b=c d\r\n~é'), 'a+2Bb+3Dc+20d+0D+0A~é');
});

test('replies are read from their lines, and lines that disagree are no reply', () => {
  const read = (...lines: string[]): ReturnType<typeof assembleReply> => assembleReply(lines.map(parseReplyLine).filter((line): line is ReplyLine => line !== undefined));
  assert.deepEqual(read('250-2.1.0 one', '250 2.1.0 two'), { code: 250, enhanced: '2.1.0', lines: ['one', 'two'] });
  assert.deepEqual(read('354 go'), { code: 354, enhanced: undefined, lines: ['go'] });
  assert.deepEqual(read('250'), { code: 250, enhanced: undefined, lines: [''] });
  assert.equal(read('250-a', '251 b'), undefined);
  for (const line of ['', '25 x', '2500 x', '150 x', '600 x', 'abc']) assert.equal(parseReplyLine(line), undefined, line);
  assert.equal(replyLine({ code: 451, enhanced: '4.4.1', lines: ['no', 'way'] }), '451 4.4.1 no way');
});

test('a parameter of ours goes only to who announced ours, and a later one only to who announced that', () => {
  const extra = new Map([['XWAYBILL-QUEUE', 'be1-1'], ['XWAYBILL-STANDING', '17']]);
  const said = (announced: readonly (readonly [string, string])[]): string => mailCommand({ address: 's@example.net', extra }, new Map(announced));
  assert.equal(said([]), 'MAIL FROM:<s@example.net>');
  assert.equal(said([['XWAYBILL', '']]), 'MAIL FROM:<s@example.net> XWAYBILL-QUEUE=be1-1');
  assert.equal(said([['XWAYBILL', 'STANDING']]), 'MAIL FROM:<s@example.net> XWAYBILL-QUEUE=be1-1 XWAYBILL-STANDING=17');
});
