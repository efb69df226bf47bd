/** Address lists as ENVELOPE wants them, from the standard's examples and from broken mail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddressList } from '../../../shared/mime/address.ts';

/** `name|route|mailbox|host`, with `-` for undefined. */
function shown(raw: string): string[] {
  return parseAddressList(raw).map((address) =>
    [address.name, address.route, address.mailbox, address.host].map((value) => value ?? '-').join('|'));
}

test('addresses are read as in the examples of RFC 5322 appendix A', () => {
  assert.deepEqual(shown('John Doe <jdoe@machine.example>'), ['John Doe|-|jdoe|machine.example']);
  assert.deepEqual(shown('"Joe Q. Public" <john.q.public@example.com>'), ['Joe Q. Public|-|john.q.public|example.com']);
  assert.deepEqual(shown('Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>'), [
    'Mary Smith|-|mary|x.test', '-|-|jdoe|example.org', 'Who?|-|one|y.test',
  ]);
  assert.deepEqual(shown('<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>'), [
    '-|-|boss|nil.test', 'Giant; "Big" Box|-|sysservices|example.net',
  ]);
  assert.deepEqual(shown('Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example'), [
    'Mary Smith|@node.test|mary|example.net', '-|-|jdoe|test.example',
  ]);
  assert.deepEqual(shown('Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>'), ['Pete|-|pete|silly.test']);
});

test('groups stand between a begin and an end, also when empty or never closed', () => {
  assert.deepEqual(shown('A Group:Ed Jones <c@a.test>,joe@where.test;, x@y'), [
    '-|-|A Group|-', 'Ed Jones|-|c|a.test', '-|-|joe|where.test', '-|-|-|-', '-|-|x|y',
  ]);
  assert.deepEqual(shown('Undisclosed recipients:;'), ['-|-|Undisclosed recipients|-', '-|-|-|-']);
  assert.deepEqual(shown('open: a@b'), ['-|-|open|-', '-|-|a|b', '-|-|-|-']);
});

test('a comment is the name when nothing else is', () => {
  assert.deepEqual(shown('ann@example.com (Ann (really))'), ['Ann (really)|-|ann|example.com']);
});

test('quoted local parts lose their quotes, domain literals keep their brackets', () => {
  assert.deepEqual(shown('"a b@c"@example.com, x@[IPv6:::1], <"a>b"@c>'), [
    '-|-|a b@c|example.com', '-|-|x|[IPv6:::1]', '-|-|a>b|c',
  ]);
});

test('encoded words and raw 8-bit bytes stay as they are', () => {
  assert.deepEqual(shown('=?utf-8?q?=C3=A4?= <a@b>, \xc3\xa4@b'), ['=?utf-8?q?=C3=A4?=|-|a|b', '-|-|\xc3\xa4|b']);
});

test('broken addresses give what can be made out', () => {
  assert.deepEqual(shown('nobody'), ['-|-|nobody|']);
  assert.deepEqual(shown('Ann ann@example.com'), ['Ann|-|ann|example.com']);
  assert.deepEqual(shown('<a@b, c@d'), ['-|-|a|b', '-|-|c|d']);
  assert.deepEqual(shown('a@b; c@d;'), ['-|-|a|b', '-|-|c|d']);
  assert.deepEqual(shown('<>'), ['-|-||']);
  assert.deepEqual(shown(' , ,; '), []);
  assert.deepEqual(shown('"never closed <a@b>'), ['-|-|never closed <a|b>']);
});

test('nothing makes it throw', () => {
  const odd = fc.string({ unit: fc.constantFrom('a', '@', '<', '>', '"', '\\', ',', ';', ':', '(', ')', '[', ']', '.', ' ', '\t', '\xff') });
  fc.assert(fc.property(odd, (raw) => {
    parseAddressList(raw);
  }), { numRuns: 3000 });
});

test('An address without anything special is what it is among others', () => {
  const names = ['', '"Ann B. Lee" ', '"a, <b>" ', 'Ann ', 'Ann B. Lee ', '=?utf-8?q?J=C3=BCrg?= ', "O'Brien a@b ", 'Ann  Lee ', 'J\xfcrg ', '"a\\"b" ', '"" '];
  const addresses = ['ann@example.org', 'a.b+c@example.org', '"a b"@example.org', 'ann@[192.0.2.1]', 'ann', '@a:b@c', 'ann@b@c', '.@.', 'ann @example.org'];
  for (const name of names) {
    for (const address of addresses) {
      for (const raw of [`${name}<${address}>`, `${name}${address}`, `${name.trimEnd()}<${address}>`]) {
        // The comma ends nothing but this address, and keeps it from being read in one go.
        assert.deepEqual(parseAddressList(raw), parseAddressList(`${raw},`), raw);
      }
    }
  }
});
