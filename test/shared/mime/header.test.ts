/** The grammar of header sections: fields, folding, parameters, dates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDate } from '../../../shared/mime/date.ts';
import { decodeParameter, fieldValue, parseParametrisedValue, splitFields, withoutComments } from '../../../shared/mime/header.ts';

test('a section is split into unfolded fields, and lines that are none are passed over', () => {
  const fields = splitFields('From mbox line\r\nSubject: a\r\n  b\r\nno field\r\nX-Y : z\r\n: nameless\r\nTo:\r\nSubject: second\r\nlast');
  assert.deepEqual(fields, [
    { name: 'subject', value: 'a  b' }, { name: 'x-y', value: 'z' }, { name: 'to', value: '' }, { name: 'subject', value: 'second' },
  ]);
  assert.equal(fieldValue(fields, 'subject'), 'a  b');
  assert.equal(fieldValue(fields, 'date'), undefined);
});

test('parameters are read as RFC 2045 shows them, and as programs write them', () => {
  const cases: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
    ['text/plain; charset=us-ascii (Plain text)', 'text/plain', [['charset', 'us-ascii']]],
    ['text/plain; Charset="us-ascii"', 'text/plain', [['charset', 'us-ascii']]],
    ['a/b; name="semi;colon \\"quoted\\""; x=y', 'a/b', [['name', 'semi;colon "quoted"'], ['x', 'y']]],
    ['a/b; name=not quoted.txt', 'a/b', [['name', 'not quoted.txt']]],
    ['a/b; boundary=----=_Next;', 'a/b', [['boundary', '----=_Next']]],
    ['a/b;; novalue; =x; name="never closed', 'a/b', [['name', 'never closed']]],
    ['', '', []],
  ];
  for (const [text, value, parameters] of cases) {
    assert.deepEqual(parseParametrisedValue(text), { value, parameters }, text);
  }
});

test('continued and extended parameters are joined, in the example of RFC 2231 section 4.1', () => {
  const { parameters } = parseParametrisedValue(`application/x-stuff;
 title*0*=us-ascii'en'This%20is%20even%20more%20;
 title*1*=%2A%2A%2Afun%2A%2A%2A%20;
 title*2="isn't it!"`);
  assert.equal(decodeParameter(parameters, 'title'), "This is even more ***fun*** isn't it!");
});

test('continued parameters are joined by their numbers, whatever their order', () => {
  const { parameters } = parseParametrisedValue('message/external-body; URL*1="b"; access-type=URL; URL*0="a"; url*10=c');
  assert.deepEqual(parameters, [['url', 'abc'], ['access-type', 'URL']]);
});

test('a parameter is decoded by RFC 2231, by RFC 2047 as many programs write it, and from raw UTF-8', () => {
  const name = (text: string): string | undefined => decodeParameter(parseParametrisedValue(text).parameters, 'filename');
  assert.equal(name("attachment; filename*=iso-8859-1''%E4.txt; filename=a.txt"), 'ä.txt');
  assert.equal(name('attachment; filename="=?utf-8?q?=C3=A4.txt?="'), 'ä.txt');
  assert.equal(name(`attachment; filename=${Buffer.from('ä.txt').toString('latin1')}`), 'ä.txt');
  assert.equal(name("attachment; filename*=x'%zz"), "x'%zz");
  assert.equal(name('attachment'), undefined);
});

test('comments are taken out, nested and escaped ones too, but not from quoted strings', () => {
  assert.equal(withoutComments('a (b (c\\) d)) "(e)" f(g'), 'a  "(e)" f');
});

test('nothing makes the header grammar throw', () => {
  const odd = fc.string({ unit: fc.constantFrom('a', '=', ';', '"', '\\', '*', '0', '(', ')', "'", '%', '\r', '\n', ' ', ':', '\xff') });
  fc.assert(fc.property(odd, (text) => {
    splitFields(text);
    const { parameters } = parseParametrisedValue(text);
    for (const [name] of parameters) decodeParameter(parameters, name.replace('*', ''));
    parseDate(text);
  }), { numRuns: 2000 });
});

test('dates are understood in the forms that mail has', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06.000Z'],
    ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06.000Z'],
    ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06.000Z'],
    ['Tue, 1 Jul 2003 10:52 +0200 (CEST)', '2003-07-01T08:52:00.000Z'],
    ['Mon, 1 January 2007 00:00:00 EST', '2007-01-01T05:00:00.000Z'],
    ['Thu, 06 Mar 2014 10:00:00 +05:30', '2014-03-06T04:30:00.000Z'],
    ['Wed Apr 27 14:15:31 2005', '2005-04-27T14:15:31.000Z'],
    ['Wed Apr 27 14:15:31 PDT 2005', '2005-04-27T21:15:31.000Z'],
    ['2010-10-12T16:21:05Z', '2010-10-12T16:21:05.000Z'],
    ['2010-10-12 16:21:05', '2010-10-12T16:21:05.000Z'],
    ['Wed, 15 Dec 2010 25:10:00 -0500', undefined],
    ['Pn, 29 paX 2007 21:13:00 +0100', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) {
    const parsed = parseDate(text);
    assert.equal(parsed === undefined ? undefined : new Date(parsed).toISOString(), expected, text);
  }
});

test('a value of nothing but semicolons takes linear time', () => {
  for (const text of [`a/b${';'.repeat(250_000)}`, `a/b${';a'.repeat(125_000)};b=c`]) {
    const begun = process.cpuUsage();
    const { value, parameters } = parseParametrisedValue(text);
    const { user, system } = process.cpuUsage(begun);
    assert.equal(value, 'a/b');
    assert.deepEqual(parameters, text.endsWith('=c') ? [['b', 'c']] : []);
    assert.ok(user + system < 100_000, `took ${String(user + system)} microseconds of CPU`);
  }
});
