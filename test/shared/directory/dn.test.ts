import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDn, NameSyntaxError, normaliseDn, parseDn } from '../../../shared/directory/dn.ts';

const part = fc.record({ attribute: fc.constantFrom('cn', 'OU', 'mail', '1.2.3'), value: fc.string({ unit: 'grapheme', minLength: 1 }) }, { noNullPrototype: true });
const name = fc.array(fc.array(part, { minLength: 1, maxLength: 2 }), { maxLength: 4 });

test('a name that is written is read back the same, whatever its values', () => {
  fc.assert(fc.property(name, (dn) => {
    const lone = dn.filter((level) => !level.some(({ value }) => /^#(?:[0-9A-Fa-f]{2})+$/.test(value)));
    assert.deepEqual(parseDn(formatDn(lone)), lone);
  }), { numRuns: 2_000 });
});

test('the examples of RFC 4514 section 4 are understood', () => {
  assert.deepEqual(parseDn('UID=jsmith,DC=example,DC=net').length, 3);
  assert.deepEqual(parseDn('OU=Sales+CN=J.  Smith,DC=example,DC=net')[0], [{ attribute: 'OU', value: 'Sales' }, { attribute: 'CN', value: 'J.  Smith' }]);
  assert.equal(parseDn('CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net')[0]?.[0]?.value, 'James "Jim" Smith, III');
  assert.equal(parseDn('CN=Before\\0dAfter,DC=example,DC=net')[0]?.[0]?.value, 'Before\rAfter');
  assert.equal(parseDn('1.3.6.1.4.1.1466.0=#04024869')[0]?.[0]?.value, 'Hi');
  assert.equal(parseDn('CN=Lu\\C4\\8Di\\C4\\87')[0]?.[0]?.value, 'Lučić');
});

test('names of one entry have one normal form', () => {
  for (const [a, b] of [
    ['cn=Alice,dc=Example,dc=com', 'CN=alice , DC=example;dc=COM'], ['cn=a+uid=b,dc=c', 'UID=B+CN=A,dc=c'], ['cn=a  b', 'commonName=A b'], ['cn=\\20a', 'cn=a'], ['cn=\u00a0a', 'cn=a'],
  ] as const) assert.equal(normaliseDn(parseDn(a)), normaliseDn(parseDn(b)));
  assert.notEqual(normaliseDn(parseDn('cn=a\\,dc=b')), normaliseDn(parseDn('cn=a,dc=b')));
});

for (const text of ['nonsense', 'cn=a,', 'cn=a,,dc=b', '=a', 'cn=a"b', 'cn=a\\', 'cn=<', 'c n=a', 'cn=#1']) {
  test(`"${text}" is ${text === 'cn=#1' ? 'a name' : 'no name'}`, () => {
    if (text === 'cn=#1') assert.equal(parseDn(text)[0]?.[0]?.value, '#1');
    else assert.throws(() => parseDn(text), NameSyntaxError);
  });
}
