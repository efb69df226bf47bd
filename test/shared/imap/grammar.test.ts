/** The grammar of IMAP commands: values out of text, and text out of values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../../shared/base/failure.ts';
import { startCommand, tagOf } from '../../../shared/imap/command-reader.ts';
import { formatDateTime, takeDate, takeDateTime } from '../../../shared/imap/dates.ts';
import { parseFetch } from '../../../shared/imap/fetch-items.ts';
import { compilePattern } from '../../../shared/imap/list-pattern.ts';
import { parseList } from '../../../shared/imap/list-arguments.ts';
import { parseSelect, takeStatusItems } from '../../../shared/imap/mailbox-arguments.ts';
import { parseCopy, parseStore } from '../../../shared/imap/store-arguments.ts';
import { decodeMailboxName, encodeMailboxName } from '../../../shared/imap/mailbox-name.ts';
import { Scanner } from '../../../shared/imap/scanner.ts';
import { parseMultisearch } from '../../../shared/imap/multisearch-arguments.ts';
import { parseSearch, parseSort, parseThread } from '../../../shared/imap/search-arguments.ts';
import { formatSet, inRanges, parseSequenceSet, resolveRanges } from '../../../shared/imap/sequence-set.ts';
import { formatAstring, formatString } from '../../../shared/imap/strings.ts';

const refuses = (work: () => unknown): void => assert.throws(work, (error) => error instanceof Failure && error.kind === 'bad-input');

test('Tags and verbs are read, also of UID commands, and NUL is refused.', () => {
  const { tag, verb } = startCommand('a.1] uid fetch 1 FLAGS');
  assert.deepEqual({ tag, verb }, { tag: 'a.1]', verb: 'UID FETCH' });
  refuses(() => startCommand('a NOOP\0'));
  refuses(() => startCommand('a SETMETADATA x (y ~{2}\r\n\0\0 \0)'));
  refuses(() => startCommand('a SETMETADATA x (y {2}\r\n\0\0)'));
  assert.equal(startCommand('a SETMETADATA x (y ~{2}\r\n\0\0)').verb, 'SETMETADATA');
  refuses(() => startCommand('(a) NOOP'));
  assert.equal(tagOf('x9 garbage {'), 'x9');
  assert.equal(tagOf('{x} y'), '*');
});

test('A quoted string may hold UTF-8 and no other 8-bit characters; only a value may be a literal8 with NUL.', () => {
  assert.equal(new Scanner('"\xc3\xbc"').string(), '\xc3\xbc');
  refuses(() => new Scanner('"\xfc"').string());
  assert.equal(new Scanner('~{2}\r\n\0x').value(), '\0x');
  assert.equal(new Scanner('NIL').value(), undefined);
  refuses(() => new Scanner('~{2}\r\n\0x').string());
});

test('Strings are read in all three forms, and a literal may hold anything.', () => {
  const scanner = new Scanner('atom] "a \\"quoted\\" \\\\" {6}\r\nx\r\n"y) {0}\r\n');
  assert.equal(scanner.astring(), 'atom]');
  scanner.space();
  assert.equal(scanner.astring(), 'a "quoted" \\');
  scanner.space();
  assert.equal(scanner.astring(), 'x\r\n"y)');
  scanner.space();
  assert.equal(scanner.astring(), '');
  scanner.end();
});

test('A string that is written is read back as it was.', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 2000 }), (text) => {
      assert.equal(new Scanner(formatString(text)).string(), text);
      assert.equal(new Scanner(formatAstring(text)).astring(), text);
    }),
    { numRuns: 300 },
  );
});

test('No text whatever makes a parser do other than answer or refuse.', () => {
  const parsers: ((scanner: Scanner) => unknown)[] = [
    parseFetch, parseSearch, parseSort, parseStore, parseThread, takeStatusItems, takeDate, takeDateTime,
    (scanner) => parseList(scanner, 'utf-7'), (scanner) => parseSelect(scanner, 'utf-8'), (scanner) => parseCopy(scanner, 'utf-7'), (scanner) => parseMultisearch(scanner, 'utf-7'),
  ];
  const words = fc.constantFrom(
    '1:*', '$', '(', ')', '((', '"', '"x"', '{3}\r\nabc', '{9}\r\nz', 'BODY', 'BODY.PEEK[', 'PARTIAL', '1:3', '-1:-3', 'IN', 'subtree', '(SUBJECT)', 'UTF-8', 'REFERENCES', 'FUZZY', 'HEADER.FIELDS', '1.2.MIME]', ']', '<0.5>', 'RETURN', 'NOT', 'OR',
    'SUBJECT', 'UID', 'FLAGS', '\\Seen', '+FLAGS.SILENT', 'UNCHANGEDSINCE', 'CHANGEDSINCE', '1-Feb-2026', '&AOQ-', 'NIL', 'STATUS', '\x80', '*', '%', ',', '0', '4294967296',
  );
  const text = fc.oneof(fc.array(words, { maxLength: 12 }).map((list) => list.join(' ')), fc.array(words, { maxLength: 12 }).map((list) => list.join('')), fc.string({ maxLength: 60 }));
  fc.assert(
    fc.property(text, fc.constantFrom(...parsers), (input, parse) => {
      try {
        const scanner = new Scanner(input);
        parse(scanner);
        scanner.end();
      } catch (error) {
        assert.ok(error instanceof Failure && error.kind === 'bad-input', String(error));
      }
    }),
    { numRuns: 20_000 },
  );
});

test('Deep nesting is refused instead of exhausting the stack.', () => {
  refuses(() => parseSearch(new Scanner(`${'('.repeat(20_000)}ALL`)));
  refuses(() => parseSearch(new Scanner(`${'NOT '.repeat(10_000)}ALL`)));
  refuses(() => parseSearch(new Scanner(Array(5000).fill('ALL').join(' '))));
  refuses(() => parseFetch(new Scanner(`1 BODY[${'1.'.repeat(20_000)}1]`)));
});

test('Sequence sets are resolved, merged and written shortly.', () => {
  assert.deepEqual(resolveRanges(parseSequenceSet('2,4:7,9,12:*'), 15), [{ first: 2, last: 2 }, { first: 4, last: 7 }, { first: 9, last: 9 }, { first: 12, last: 15 }]);
  assert.deepEqual(resolveRanges(parseSequenceSet('*:4,5:7'), 10), [{ first: 4, last: 10 }]);
  assert.deepEqual(resolveRanges(parseSequenceSet('3291:*'), 7), [{ first: 7, last: 3291 }]);
  for (const broken of ['', '0', '1,', ',1', '1:', ':1', '1:2:3', '4294967296', 'a', '1 ']) refuses(() => parseSequenceSet(broken));
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (numbers) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      const ranges = resolveRanges(parseSequenceSet(formatSet(sorted)), 0);
      for (let value = 0; value <= 301; value += 1) assert.equal(inRanges(ranges, value), numbers.includes(value));
    }),
  );
});

test('Mailbox names survive modified UTF-7, and each name has one spelling.', () => {
  assert.equal(encodeMailboxName('~peter/mail/台北/日本語', 'utf-7'), '~peter/mail/&U,BTFw-/&ZeVnLIqe-');
  assert.equal(decodeMailboxName('~peter/mail/&U,BTFw-/&ZeVnLIqe-', 'utf-7'), '~peter/mail/台北/日本語');
  assert.equal(decodeMailboxName('A&-B', 'utf-7'), 'A&B');
  assert.equal(decodeMailboxName('iNbOx/sub', 'utf-7'), 'INBOX/sub');
  for (const broken of ['&', '&A', '&AEE-', '&2D8-', '&U,BTFw-&ZeVnLIqe-', 'ä', '&AAo-', 'x\u0001']) refuses(() => decodeMailboxName(broken, 'utf-7'));
  refuses(() => decodeMailboxName('\xff', 'utf-8'));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const name = text.normalize('NFC');
      fc.pre(!/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(name) && !/^inbox/i.test(name));
      for (const encoding of ['utf-7', 'utf-8'] as const) assert.equal(decodeMailboxName(encodeMailboxName(name, encoding), encoding), name);
    }),
  );
});

test('FETCH items keep their names for the response.', () => {
  const labels = (text: string): string[] => parseFetch(new Scanner(text)).items.map((item) => ('label' in item ? item.label : item.name));
  assert.deepEqual(labels('1 (uid body.peek[1.2.header.fields (from "x y" "b%c")]<5.10> binary[2]<0.1> rfc822.text BODY BODY[])'), [
    'UID', 'BODY[1.2.HEADER.FIELDS (FROM "X Y" "B%C")]<5>', 'BINARY[2]<0>', 'RFC822.TEXT', 'BODY', 'BODY[]',
  ]);
  assert.deepEqual(labels(String.raw`1 BODY[HEADER.FIELDS ("a\"b" "*" "a]b" "" X_1+)]`), ['BODY[HEADER.FIELDS ("AB" "*" "A]B" "" X_1+)]']);
  assert.deepEqual(labels('1:* full'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY']);
  assert.deepEqual(labels('1 (PREVIEW (LAZY) FLAGS)'), ['PREVIEW', 'FLAGS']);
  for (const broken of ['1 ()', '1 (FULL)', '1 BODY[', '1 BODY[0]', '1 BODY[1.]', '1 BODY[TEXT.1]', '1 BODY[]<0.0>', '1 BODY[]<5>', '1 BINARY[TEXT]', '1 FLAGS (VANISHED)']) {
    refuses(() => {
      const scanner = new Scanner(broken);
      parseFetch(scanner);
      scanner.end();
    });
  }
});

test('Dates are read with their zone and written in UTC.', () => {
  assert.equal(takeDateTime(new Scanner('"17-Jul-1996 02:44:25 -0700"')), Date.UTC(1996, 6, 17, 9, 44, 25));
  assert.equal(takeDateTime(new Scanner('" 1-jan-2026 00:00:00 +0130"')), Date.UTC(2025, 11, 31, 22, 30));
  assert.equal(formatDateTime(Date.UTC(2026, 1, 1, 12)), '"01-Feb-2026 12:00:00 +0000"');
  assert.equal(takeDate(new Scanner('"29-Feb-2024"')), Date.UTC(2024, 1, 29));
  for (const broken of ['29-Feb-2026', '1-Foo-2026', '1-1-2026']) refuses(() => takeDate(new Scanner(broken)));
  refuses(() => takeDateTime(new Scanner('"01-Feb-2026 25:00:00 +0000"')));
  // Told in UTC, these would have years of other than four digits.
  for (const beyond of ['01-Jan-0000 00:00:00 +0100', '31-Dec-9999 23:59:59 -0100']) refuses(() => takeDateTime(new Scanner(`"${beyond}"`)));
});

test('LIST wildcards match by level, INBOX in any case, and hostile patterns take no long time.', () => {
  assert.ok(compilePattern('*')('a/b/c') && compilePattern('%')('a') && compilePattern('a/%')('a/b') && compilePattern('i%x')('INBOX') && !compilePattern('ınbox')('INBOX'));
  assert.ok(!compilePattern('%')('a/b') && !compilePattern('a%')('a/b') && !compilePattern('')('a') && !compilePattern('a')('A'));
  assert.ok(compilePattern('%/b*')('a/bc/d') && compilePattern('a*%b')('a/x/b') && compilePattern('ü%')('über'));
  const before = performance.now();
  assert.ok(!compilePattern('*a'.repeat(400))(`${'a'.repeat(399)}b`));
  assert.ok(performance.now() - before < 500);
});

test('LIST wildcards match what a regular expression of the same meaning does.', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '/', 'ü', '\u{1f600}'), { maxLength: 8 }).map((all) => all.join(''));
  const pattern = fc.array(fc.constantFrom('a', 'b', '/', 'ü', '\u{1f600}', '*', '%'), { maxLength: 8 }).map((all) => all.join(''));
  fc.assert(fc.property(pattern, text, (wanted, name) => {
    const same = new RegExp(`^${wanted.replaceAll('*', '.*').replaceAll('%', '[^/]*')}$`, 'su');
    assert.equal(compilePattern(wanted)(name), same.test(name));
  }), { numRuns: 3000 });
});

test('Fifty patterns of a thousand bytes are tried on two thousand names at once.', () => {
  const names = Array.from({ length: 2000 }, (_, index) => `mailbox-of-some-name-${String(index)}`);
  const before = process.threadCpuUsage();
  for (let time = 0; time < 50; time += 1) {
    const matches = compilePattern('*a'.repeat(499));
    assert.ok(!names.some(matches));
  }
  assert.ok(process.threadCpuUsage(before).user < 500_000);
});
