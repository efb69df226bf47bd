/** Encoded words, transfer encodings and character sets, and the previews made with them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCharset, decodeWords, encodeWords } from '../../../shared/mime/encoded-words.ts';
import { textOfHtml } from '../../../shared/mime/preview.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';
import { createTransferDecoder, decodeText, decodeTransfer } from '../../../shared/mime/text.ts';

test('encoded words are decoded as the table of RFC 2047 section 8 says', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['=?ISO-8859-1?Q?a?=', 'a'],
    ['=?ISO-8859-1?Q?a?= b', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a?=    =?ISO-8859-2?Q?_b?=', 'a b'],
    ['=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=', 'Keld Jørn Simonsen'],
    ['=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=', 'If you can read this yo'],
    ['=?utf-8*en?q?=C3=A4?=', 'ä'],
    ['=?utf-8?q?=C3?= =?utf-8?q?=A4?=', 'ä'],
    ['=?iso-2022-jp?B?GyRCJUYbKEI=?= =?iso-2022-jp?B?GyRCJUYbKEI=?=', 'テテ'],
    ['=?x-unknown?q?=C3=A4?=', 'ä'],
    ['no =?words here?=', 'no =?words here?='],
    [Buffer.from('roh ä').toString('latin1'), 'roh ä'],
    ['roh \xe4', 'roh ä'],
  ];
  for (const [raw, expected] of cases) assert.equal(decodeWords(raw), expected, raw);
});

test('what encodeWords makes is ASCII, short enough, and reads back', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), (text) => {
    const encoded = encodeWords(text);
    assert.match(encoded, /^[\x20-\x7e\t]*$/);
    if (encoded !== text) for (const word of encoded.split(' ')) assert.ok(word.length <= 75);
    assert.equal(decodeWords(encoded), text);
  }));
});

test('character sets of mail are known under their mail names', () => {
  assert.equal(decodeCharset(Buffer.from('82a0', 'hex'), 'CP932'), 'あ');
  assert.equal(decodeCharset(Buffer.from('b4eb', 'hex'), 'ks_c_5601-1987'), '대');
  assert.equal(decodeCharset(Buffer.from('c4e3', 'hex'), 'gb2312'), '你');
  assert.equal(decodeCharset(Buffer.from('ä'), 'us-ascii'), 'ä');
  assert.equal(decodeCharset(Buffer.from('e4', 'hex'), ''), 'ä');
});

test('quoted-printable is decoded as RFC 2045 section 6.7 says, and leniently', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a=3Db', 'a=b'], ['soft=\r\nbreak', 'softbreak'], ['soft= \t\r\nbreak', 'softbreak'], ['trailing \t\r\nx', 'trailing\r\nx'],
    ['=c3=a4', '\xc3\xa4'], ['bad=zz', 'bad=zz'], ['end=', 'end'], ['a\nb', 'a\nb'], ['=0D=0A', '\r\n'], ['=A', '=A'],
  ];
  for (const [text, expected] of cases) {
    assert.equal(decodeTransfer(Buffer.from(text), 'quoted-printable').toString('latin1'), expected, text);
  }
});

test('base64 is decoded past line ends and foreign characters', () => {
  assert.equal(decodeText(Buffer.from('aGVs\r\nbG8g*d29y\nbGQ'), 'base64', 'utf-8'), 'hello world');
  assert.equal(decodeText(Buffer.from('=aGU=\r\nbGxv==IHc=b3I=a===bGQ=\r\n'), 'base64', 'utf-8'), 'hello world');
});

test('four megabytes of padding, between characters and alone, take little time', () => {
  for (const unit of ['=', 'A=', 'AA=']) {
    const bytes = Buffer.alloc(4_000_000, unit);
    const begun = process.cpuUsage();
    assert.equal(decodeTransfer(bytes, 'base64').length, unit === 'AA=' ? 1_333_333 : 0, unit);
    const { user, system } = process.cpuUsage(begun);
    assert.ok(user + system < 1_500_000, `${unit} took ${user + system} microseconds of CPU`);
  }
});

test('transfer encodings decode alike whole and in any pieces', () => {
  const text = fc.array(fc.constantFrom('=', '=\r\n', '=4', '1', '\r\n', '\n', ' ', 'abc', '\t', '=C3=A4', 'x'.repeat(3000)), { maxLength: 30 });
  fc.assert(fc.property(text, fc.array(fc.nat(9000), { maxLength: 8 }), fc.constantFrom('base64', 'quoted-printable', '7bit'),
    (parts, cuts, encoding) => {
      const bytes = Buffer.from(parts.join(''));
      const decoder = createTransferDecoder(encoding);
      const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const pieces = ends.map((end, index) => decoder.write(bytes.subarray(ends[index - 1] ?? 0, end)));
      assert.deepEqual(Buffer.concat([...pieces, decoder.end()]), decodeTransfer(bytes, encoding));
    }), { numRuns: 500 });
});

test('a preview is one line of the plain text, or of the HTML when that is empty', () => {
  const preview = (text: string): string => scanMessage(Buffer.from(text.replace(/\n/g, '\r\n'))).preview;
  assert.equal(preview('Content-Type: text/plain; charset=utf-8\n\n  Grüße,\n\nund\tmehr\n'), 'Grüße, und mehr');
  assert.equal(
    preview('Content-Type: text/html\n\n<style>p{}</style><p>a &amp; b<br>c&#8364;</p><!-- no --><script>no()</script>'),
    'a & b c€',
  );
  const alternative = 'Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--';
  assert.equal(preview(alternative), 'html');
  assert.equal(Array.from(preview(`\n${'😀'.repeat(500)}`)).length, 200);
  assert.equal(preview('Content-Type: text/plain\nContent-Disposition: attachment\n\nhidden'), '');
});

test('the text of HTML never holds tags', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('<', '>', '<b>', '<!--', '-->', '<style>', '</style>', '&lt', 'a') }), (html) => {
    assert.doesNotMatch(textOfHtml(html), /</);
  }));
});
