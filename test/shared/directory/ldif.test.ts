import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatLdif, LdifError, parseLdif } from '../../../shared/directory/ldif.ts';
import type { LdifRecord } from '../../../shared/directory/ldif.ts';

const value = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
  fc.constantFrom('', ' ', ' a', 'a ', ':', '<', 'a:b', 'x'.repeat(76), 'é', 'a\nb', '\r', '\0', '#', '-').map((text) => Buffer.from(text)),
);
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}(;[a-z]{1,5})?$/).filter((text) => !['dn', 'changetype', 'control'].includes(text.toLowerCase()));
const record: fc.Arbitrary<LdifRecord> = fc.record({
  dn: fc.string({ unit: 'grapheme' }),
  attributes: fc.uniqueArray(fc.record({ name, values: fc.array(value, { minLength: 1, maxLength: 4 }) }, { noNullPrototype: true }), { selector: (attribute) => attribute.name.toLowerCase(), maxLength: 5 }),
}, { noNullPrototype: true });

test('what is written is read back the same, byte for byte', () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 5 }), (records) => {
    assert.deepEqual(parseLdif(formatLdif(records)), records);
  }));
});

test('no written line is longer than 76 characters or holds anything but printable ASCII', () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 3 }), (records) => {
    for (const line of formatLdif(records).split('\n')) assert.match(line, /^[ -~]{0,76}$/);
  }));
});

test('comments, folded lines, base64, carriage returns and a missing version are understood', () => {
  const text = '# a comment\n #  that goes on\ndn: cn=a,\r\n dc=b\r\nCN:: w6k=\ncn:x\ndescription: one\n  two\n\n\n\ndn: cn=c\nsn:\n';
  assert.deepEqual(parseLdif(text), [
    {
      dn: 'cn=a,dc=b',
      attributes: [{ name: 'CN', values: [Buffer.from('é'), Buffer.from('x')] }, { name: 'description', values: [Buffer.from('one two')] }],
    },
    { dn: 'cn=c', attributes: [{ name: 'sn', values: [Buffer.alloc(0)] }] },
  ]);
});

for (const [text, complaint] of [
  ['cn: a\n', /line 1: a record begins with "dn:"/], ['dn: a\nnonsense\n', /line 2/], ['dn: a\njpegPhoto:< file:///etc/passwd\n', /line 2.*URL/],
  ['dn: a\nchangetype: delete\n', /line 2.*change/], ['dn: a\ncn:: ***\n', /line 2.*base64/], [' a\n', /line 1/], ['dn: a\ncn: b\n\n c\n', /line 4/],
] as const) {
  test(`${JSON.stringify(text)} is refused with its line`, () => {
    assert.throws(() => parseLdif(text), (error) => error instanceof LdifError && complaint.test(error.message));
  });
}
