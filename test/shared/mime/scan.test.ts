/** What the scanner finds in well-formed and broken messages, and that neither chunks nor line ends change it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageScanner, scanMessage } from '../../../shared/mime/scan.ts';
import type { MessageStructure, Part } from '../../../shared/mime/structure.ts';
import { readRealMail, realMailNames } from './real-mail.ts';

/** `type/subtype`, and children in brackets. */
function outline(part: Part): string {
  const children = part.children.length === 0 ? '' : `(${part.children.map(outline).join(' ')})`;
  return `${part.type}/${part.subtype}${children}`;
}

function body(bytes: Buffer, part: Part | undefined): string | undefined {
  return part && bytes.toString('latin1', part.bodyStart, part.bodyEnd);
}

function crlf(text: string): Buffer {
  return Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1');
}

function scanInPieces(bytes: Buffer, cuts: readonly number[]): MessageStructure {
  const scanner = new MessageScanner();
  let from = 0;
  for (const cut of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    // The caller may use its buffer again: a copy that is spoilt afterwards stands for that.
    const piece = Buffer.from(bytes.subarray(from, cut));
    scanner.write(piece);
    piece.fill(0x2d);
    from = cut;
  }
  return scanner.end();
}

function assertNested(part: Part, from: number, to: number): void {
  assert.ok(from <= part.headerStart && part.headerStart <= part.bodyStart, 'a header begins inside its parent');
  assert.ok(part.bodyStart <= part.bodyEnd && part.bodyEnd <= to, 'a body ends inside its parent');
  if (part.type === 'multipart') assert.ok(part.children.length > 0, 'a multipart has parts');
  if (part.envelope !== undefined) assert.equal(part.children.length, 1, 'an enclosed message has one root');
  let last = part.bodyStart;
  for (const child of part.children) {
    assertNested(child, last, part.bodyEnd);
    last = child.bodyEnd;
  }
}

const twoParts = crlf(`From: a@example.com
Content-Type: multipart/mixed; boundary="b"

preamble
--b

first
second
--b
Content-Type: text/html

<p>x</p>

--b--
epilogue
`);

test('a multipart is parted at its delimiters, and the line end before a delimiter belongs to it', () => {
  const { root } = scanMessage(twoParts);
  assert.equal(outline(root), 'multipart/mixed(text/plain text/html)');
  assert.equal(body(twoParts, root.children[0]), 'first\r\nsecond');
  assert.equal(body(twoParts, root.children[1]), '<p>x</p>\r\n');
  assert.equal(root.children[0]?.lines, 1);
  assert.equal(root.children[1]?.lines, 1);
  assert.equal(root.bodyEnd, twoParts.length);
  assert.equal(twoParts.toString('latin1', root.children[1]?.headerStart, root.children[1]?.bodyStart), 'Content-Type: text/html\r\n\r\n');
});

test('line ends of LF alone give the same tree', () => {
  const bytes = Buffer.from(twoParts.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
  const { root } = scanMessage(bytes);
  assert.equal(outline(root), 'multipart/mixed(text/plain text/html)');
  assert.equal(body(bytes, root.children[0]), 'first\nsecond');
});

test('boundaries that begin alike are told apart', () => {
  const bytes = crlf(`Content-Type: multipart/mixed; boundary=abc

--abc
Content-Type: multipart/alternative; boundary=abcd

--abcd

one
--abcd

two
--abc

three
--abc--
`);
  const { root } = scanMessage(bytes);
  assert.equal(outline(root), 'multipart/mixed(multipart/alternative(text/plain text/plain) text/plain)');
  assert.equal(body(bytes, root.children[0]?.children[1]), 'two');
  assert.equal(body(bytes, root.children[1]), 'three');
});

test('an inner multipart with the same boundary as the outer one takes the delimiters until it closes', () => {
  const bytes = crlf(`Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/mixed; boundary=b

--b

one
--b--
--b

two
--b--
`);
  const { root } = scanMessage(bytes);
  assert.equal(outline(root), 'multipart/mixed(multipart/mixed(text/plain) text/plain)');
  assert.equal(body(bytes, root.children[1]), 'two');
});

test('the line end after a closing delimiter belongs to the outer delimiter that follows', () => {
  const bytes = crlf(`Content-Type: multipart/mixed; boundary=o

--o
Content-Type: multipart/mixed; boundary=i

--i

x
--i--
--o--`);
  const { root } = scanMessage(bytes);
  assert.equal(body(bytes, root.children[0]), '--i\r\n\r\nx\r\n--i--');
});

test('a missing final delimiter, and one without line end, end the parts with the message', () => {
  const open = crlf('Content-Type: multipart/mixed; boundary=b\n\n--b\n\nlast words\n');
  assert.equal(body(open, scanMessage(open).root.children[0]), 'last words\r\n');
  const closed = crlf('Content-Type: multipart/mixed; boundary=b\n\n--b\n\nlast words\n--b--');
  assert.equal(body(closed, scanMessage(closed).root.children[0]), 'last words');
});

test('white space after a delimiter is padding, other text makes it an ordinary line', () => {
  const bytes = crlf('Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\none\n--bx\n--b --\n--b--x\n--b--  \n');
  const { root } = scanMessage(bytes);
  assert.equal(root.children.length, 1);
  assert.equal(body(bytes, root.children[0]), 'one\r\n--bx\r\n--b --\r\n--b--x');
});

test('a delimiter in the middle of a header ends the part there', () => {
  const bytes = crlf('Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n--b\n\ntwo\n--b--\n');
  const { root } = scanMessage(bytes);
  assert.equal(outline(root), 'multipart/mixed(image/png text/plain)');
  assert.equal(body(bytes, root.children[0]), '');
  assert.equal(body(bytes, root.children[1]), 'two');
});

test('an enclosed message has an envelope and a tree of its own', () => {
  const bytes = crlf(`Content-Type: multipart/digest; boundary=b

--b

Subject: inner
From: Ann <ann@example.com>

hello
there
--b--
`);
  const part = scanMessage(bytes).root.children[0];
  assert.equal(part && outline(part), 'message/rfc822(text/plain)');
  assert.equal(part?.envelope?.subject, 'inner');
  assert.deepEqual(part?.envelope?.from, [{ name: 'Ann', route: undefined, mailbox: 'ann', host: 'example.com' }]);
  assert.equal(part?.lines, 4);
  assert.equal(part?.children[0]?.lines, 1);
  assert.equal(body(bytes, part?.children[0]), 'hello\r\nthere');
});

test('a multipart without boundary or without parts is shown as text, an encoded enclosed message as a file', () => {
  assert.equal(outline(scanMessage(crlf('Content-Type: multipart/mixed\n\n--x\n\ny\n')).root), 'text/plain');
  assert.equal(outline(scanMessage(crlf('Content-Type: multipart/mixed; boundary=b\n\nno parts\n')).root), 'text/plain');
  const encoded = crlf('Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKeQ==\n');
  assert.equal(outline(scanMessage(encoded).root), 'application/octet-stream');
});

test('what stands in the header is kept as BODYSTRUCTURE wants it', () => {
  const { root } = scanMessage(crlf(`Content-Type: Image/JPEG; name="a b.jpg";
 title*0*=utf-8'en'%C3%A4;
 title*1="b c"
Content-ID: <x@y>
Content-Description: a picture
Content-Transfer-Encoding: BASE64
Content-Disposition: Inline; filename=x.jpg
Content-Language: en, de
Content-Location: http://example.com/
Content-MD5: Q2hlY2s=

`));
  assert.deepEqual(
    { ...root, children: [] },
    {
      type: 'image', subtype: 'jpeg', parameters: [['name', 'a b.jpg'], ['title*', "utf-8'en'%C3%A4b%20c"]], id: '<x@y>',
      description: 'a picture', encoding: 'base64', disposition: { type: 'inline', parameters: [['filename', 'x.jpg']] },
      language: ['en', 'de'], location: 'http://example.com/', md5: 'Q2hlY2s=', headerStart: 0, bodyStart: 308,
      bodyEnd: 308, lines: 0, children: [], envelope: undefined,
    },
  );
});

test('empty and header-only messages have a structure', () => {
  for (const text of ['', '\r', '\n', '\r\n', 'x', 'Subject: x', 'Subject: x\n', '\r\n\r\n', '--', '-']) {
    const bytes = Buffer.from(text);
    assertNested(scanMessage(bytes).root, 0, bytes.length);
  }
  assert.equal(scanMessage(Buffer.from('Subject: x')).envelope.subject, 'x');
});

test('an attachment is one by its disposition or by a name', () => {
  const withType = (header: string): boolean => scanMessage(crlf(`${header}\n\nx`)).hasAttachment;
  assert.equal(withType('Content-Disposition: attachment'), true);
  assert.equal(withType('Content-Type: application/pdf; name=x.pdf'), true);
  assert.equal(withType("Content-Type: application/pdf; name*=utf-8''x.pdf"), true);
  assert.equal(withType('Content-Type: application/pdf'), false);
  assert.equal(withType('Content-Type: text/plain; name=x.txt'), false);
});

test('Message-IDs of References and In-Reply-To are found once each', () => {
  const found = scanMessage(crlf('References: <a@x> junk <b@x>\n <c@x>\nIn-Reply-To: <b@x> (yesterday)\n\n'));
  assert.deepEqual(found.references, ['<a@x>', '<b@x>', '<c@x>']);
});

test('every real message is scanned alike whole, byte by byte, and in random pieces', () => {
  for (const name of realMailNames) {
    const bytes = readRealMail(name);
    const whole = scanMessage(bytes);
    assertNested(whole.root, 0, bytes.length);
    assert.equal(whole.root.bodyEnd, bytes.length, name);
    assert.deepEqual(scanInPieces(bytes, Array.from(bytes, (_, index) => index)), whole, name);
    fc.assert(fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      assert.deepEqual(scanInPieces(bytes, cuts), whole, name);
    }), { numRuns: 10 });
  }
});

/** Pieces of which hostile and broken messages are made. */
const shard = fc.oneof(
  fc.constantFrom(
    '\r\n', '\n', '\r', '-', '--', '--b', '--b\r\n', '\r\n--b\r\n', '\r\n--b--', '--bb\r\n', '\r\n\r\n', '\r\n--bb--\r\n', ' ',
    'Content-Type: multipart/mixed; boundary=b\r\n', 'Content-Type: multipart/digest; boundary="bb"\r\n\r\n',
    'Content-Type: message/rfc822\r\n\r\n', 'Content-Type: text/html; charset=utf-8\r\n\r\n', 'From: <a@b>, "x\r\n',
    'Content-Transfer-Encoding: quoted-printable\r\n', 'Subject: =?utf-8?q?=C3?=\r\n', `${'x'.repeat(995)}\r\n`, 'x'.repeat(999),
  ),
  fc.string({ maxLength: 8, unit: 'binary' }),
);
const brokenMail = fc.array(shard, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''), 'utf8'));

test('any bytes in any pieces give one structure whose offsets nest', () => {
  fc.assert(fc.property(brokenMail, fc.array(fc.nat(3000), { maxLength: 20 }), (bytes, cuts) => {
    const whole = scanMessage(bytes);
    assertNested(whole.root, 0, bytes.length);
    assert.deepEqual(scanInPieces(bytes, cuts), whole);
    assert.deepEqual(scanInPieces(bytes, Array.from(bytes, (_, index) => index)), whole);
  }), { numRuns: 2000 });
});
