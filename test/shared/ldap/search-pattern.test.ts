import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseFilter } from '../../../shared/ldap/filter.ts';
import type { Filter } from '../../../shared/ldap/filter.ts';
import { compileSearchPattern } from '../../../shared/ldap/search-pattern.ts';

const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

test('whatever the name is, the filter keeps its structure and the name stays in its place', () => {
  const pattern = compileSearchPattern('(&(objectClass=inetOrgPerson)(|(mail=%e)(uid=%u)(!(ou=%d))(cn=a*%u*)))');
  fc.assert(fc.property(fc.oneof(anyBytes, fc.string({ unit: 'binary' })), fc.oneof(anyBytes, fc.string()), (local, right) => {
    const domain = right.replaceAll('@', '');
    const filter = pattern(`${local}@${domain}`);
    const expected: Filter = {
      kind: 'and',
      filters: [
        { kind: 'equal', attribute: 'objectClass', value: 'inetOrgPerson' },
        {
          kind: 'or',
          filters: [
            { kind: 'equal', attribute: 'mail', value: `${local}@${domain}` },
            { kind: 'equal', attribute: 'uid', value: local },
            { kind: 'not', filter: { kind: 'equal', attribute: 'ou', value: domain } },
            { kind: 'substrings', attribute: 'cn', initial: 'a', any: [local], final: undefined },
          ],
        },
      ],
    };
    assert.deepEqual(filter, expected);
  }));
});

test('a name that looks like a filter is only a value', () => {
  const filter = compileSearchPattern('(mail=%e)')('*)(objectClass=*');
  assert.deepEqual(filter, { kind: 'equal', attribute: 'mail', value: '*)(objectClass=*' });
});

test('parentheses may be left out, %% is a per cent sign, escapes are undone', () => {
  assert.deepEqual(compileSearchPattern('mail=%e')('a@b'), { kind: 'equal', attribute: 'mail', value: 'a@b' });
  assert.deepEqual(compileSearchPattern('(cn=100%% \\2a \\c3\\a9 %u)')('a@b'), { kind: 'equal', attribute: 'cn', value: '100% * é a' });
});

test('a name without a domain has itself as local part and an empty domain', () => {
  assert.deepEqual(compileSearchPattern('(&(uid=%u)(dc=%d))')('alice'), {
    kind: 'and', filters: [{ kind: 'equal', attribute: 'uid', value: 'alice' }, { kind: 'equal', attribute: 'dc', value: '' }],
  });
});

test('every kind of filter of RFC 4515 is understood', () => {
  const read = (text: string): Filter => parseFilter(text, (raw) => raw);
  assert.deepEqual(read('(cn=*)'), { kind: 'present', attribute: 'cn' });
  assert.deepEqual(read('(cn=*b*c*)'), { kind: 'substrings', attribute: 'cn', initial: undefined, any: ['b', 'c'], final: undefined });
  assert.deepEqual(read('(cn=a*b)'), { kind: 'substrings', attribute: 'cn', initial: 'a', any: [], final: 'b' });
  assert.deepEqual(read('(cn~=a)'), { kind: 'approximate', attribute: 'cn', value: 'a' });
  assert.deepEqual(read('(a>=1)'), { kind: 'greaterOrEqual', attribute: 'a', value: '1' });
  assert.deepEqual(read('(a<=1)'), { kind: 'lessOrEqual', attribute: 'a', value: '1' });
  assert.deepEqual(read('(userAccountControl:1.2.840.113556.1.4.803:=2)'), {
    kind: 'extensible', attribute: 'userAccountControl', rule: '1.2.840.113556.1.4.803', dnAttributes: 'no', value: '2',
  });
  assert.deepEqual(read('(ou:dn:=x)'), { kind: 'extensible', attribute: 'ou', rule: undefined, dnAttributes: 'yes', value: 'x' });
  assert.deepEqual(read('(:caseExactMatch:=x)'), { kind: 'extensible', attribute: undefined, rule: 'caseExactMatch', dnAttributes: 'no', value: 'x' });
});

for (const [pattern, complaint] of [
  ['(mail=%e', /"\)" is missing/], ['(mail=%x)', /neither %e/], ['(mail=%e))', /after the end/], ['(=%e)', /not an attribute/],
  ['(&)', /a filter is missing/], ['(cn=\\zz)', /neither %e/], ['(cn=\\ff)', /not UTF-8/], ['', /is missing/], ['(a b=%e)', /not an attribute/],
  ['(cn~=a*)', /\\2a/], ['(:=x)', /is missing/],
] as const) {
  test(`the search pattern "${pattern}" is refused with a reason`, () => {
    assert.throws(() => compileSearchPattern(pattern), complaint);
  });
}
